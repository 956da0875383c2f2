"""One output with all that the contract asks of it: targets as they are fed, head and loss."""

from __future__ import annotations

from dataclasses import dataclass

from autofix.contract.heads import Tail, tails
from autofix.contract.losses import CUSTOM, LossView, losses
from autofix.facts import DataFacts, Encoding, TargetFacts, TaskKind
from autofix.recipe import Recipe

Shape = tuple[int | None, ...]


@dataclass(frozen=True)
class Labels:
    """Targets as the loss gets them.

    Attributes:
        kind: What they ask for.
        encoding: How they are written after the recipe's own encoding.
        classes: Number of classes; 0 for quantities.
        columns: Length of the last axis of the targets; 1 for one value a row or position.
        low: Smallest value.
        high: Largest value.
        whole: Whether all are whole numbers.
        text: Whether they are text.
    """

    kind: TaskKind
    encoding: Encoding
    classes: int
    columns: int
    low: float
    high: float
    whole: bool
    text: bool

    @classmethod
    def of(cls, target: TargetFacts, encoded: bool) -> Labels:
        """Reads them from the facts; `encoded` says whether each label is fed as the index of its class."""
        k = len(target.classes)
        if encoded and k:
            return cls(target.kind, Encoding.INDEX, k, 1, 0.0, float(k - 1), True, False)
        text = any(isinstance(label, str) for label in target.classes)
        wide = target.encoding in (Encoding.ONE_HOT, Encoding.MULTI_HOT, Encoding.VALUES)
        columns = target.shape[-1] if wide and target.shape else 1
        numbers = [] if text else [float(label) for label in target.classes]
        index_like = target.encoding not in (Encoding.ONE_HOT, Encoding.MULTI_HOT) and bool(numbers)
        low, high = (min(numbers), max(numbers)) if index_like else (target.minimum, target.maximum)
        whole = all(number.is_integer() for number in numbers)
        return cls(target.kind, target.encoding, k, columns, low, high, whole, text)


@dataclass(frozen=True)
class Output:
    """One output: its targets, its head and its loss.

    Attributes:
        index: Which output of the model.
        target: The targets in the user's own writing.
        labels: The targets as they are fed.
        loss: The loss; None for an output that is not trained on.
        tail: What produces it; None where it cannot be told.
        width: Length of the last axis; None where it is free or cannot be told.
        shape: Shape of one example's output in the user's model.
    """

    index: int
    target: TargetFacts
    labels: Labels
    loss: LossView | None
    tail: Tail | None
    width: int | None
    shape: Shape

    @property
    def activation(self) -> str | None:
        """What the outputs finally pass; None where it cannot be told."""
        return self.tail.activation if self.tail else None

    @property
    def columns(self) -> int | None:
        """Units that quantities or label columns need; None where any number is right."""
        shape, target = self.shape, self.target.shape
        if self.labels.encoding is Encoding.VALUES and len(shape) == len(target) + 1:
            # Keras drops a last axis of one: [n, t] targets fit [n, t, 1] outputs.
            return 1
        return self.labels.columns

    @property
    def extra_axes(self) -> int:
        """Axes that the outputs have and the targets have not."""
        target = self.target.shape
        wide = self.labels.encoding in (Encoding.ONE_HOT, Encoding.MULTI_HOT, Encoding.VALUES)
        while not wide and target and target[-1] == 1:
            target = target[:-1]
        positions = len(target) - 1 if wide and target else len(target)
        found = max(0, len(self.shape) - 1)
        if self.labels.encoding is Encoding.VALUES and self.shape and self.shape[-1] == 1 and found == len(target):
            return 0
        return found - positions


def outputs_of(recipe: Recipe, facts: DataFacts, output_shapes: tuple[Shape, ...]) -> tuple[Output, ...]:
    """Returns every output with all that the contract asks of it.

    Args:
        recipe: The program as it stands.
        facts: The data in numbers.
        output_shapes: Shape of one example per output of the user's model.
    """
    count = len(facts.targets)
    encoded = recipe.transforms.get("labels") or {}
    found = []
    for index, (target, loss, tail) in enumerate(
        zip(facts.targets, losses(recipe, count), tails(recipe, count), strict=True)
    ):
        shape = tuple(output_shapes[index]) if index < len(output_shapes) else ()
        declared = shape[-1] if shape else None
        width = tail.width if tail and tail.width is not None else declared
        labels = Labels.of(target, target.name in encoded)
        found.append(Output(index, target, labels, loss, tail, width, shape))
    return tuple(found)


def loss_of(output: Output) -> LossView:
    """Returns the loss of an output; one that nothing is known about where it is not trained on."""
    return output.loss or LossView("compile/loss", CUSTOM, from_logits=False)
