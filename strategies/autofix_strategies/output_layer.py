"""Strategy `output_layer`: units and activation of the output, fitting task, labels and loss."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

from autofix.change import Patch
from autofix.contract import CENTRED, POOLED, Output, Tail, Triple, best_triple, judge, outputs_of
from autofix.recipe import Recipe, layers
from autofix.recipe.views import RECURRENT
from autofix.strategy import Case, Strategy
from autofix.symptom import Symptom
from autofix_strategies._edits import edit, join, keras_layer, unused_name

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

Edit = tuple[str, Any]

OF_HEADS = frozenset({Symptom.HEAD_MISMATCH, Symptom.OUTPUT_RANGE})
# Positions (pixels, steps) that are flattened; more are averaged, as ResNet does where VGG-16 flattened 7 x 7.
FLATTENED = 1024


@final
@dataclass(frozen=True)
class OutputLayer(Strategy):
    """Gives the output the number of units and the activation that task, labels and loss ask for.

    What it changes:
        Units and activation of the last layer with weights, the fewest edits that reach a valid combination of
        `autofix.contract`; a second activation or a dropout behind the outputs is left out; axes that the targets do
        not have are flattened before the output, or a recurrent layer returns its last step alone.

    Why it helps:
        Softmax over one unit is always 1; a sigmoid never reaches 300; a loss that takes raw outputs for probabilities
        has no gradient where it clips them. Only the activation changes where that is enough: a trained model keeps
        its weights.

    When it does not apply:
        The output's last layer cannot be told (sums of branches, subclassed models); custom losses and activations.

    References:
        Bishop, Pattern Recognition and Machine Learning, 2006, section 4.3.6 (canonical links). Counts of real faults:
        Nikanjam et al., TOSEM 2021; deepmufl benchmark, Ghanbari et al., ASE 2023.
    """

    name: ClassVar[str] = "output_layer"
    treats: ClassVar[frozenset[Symptom]] = frozenset({*OF_HEADS, Symptom.LOSS_MISMATCH})
    is_contract: ClassVar[bool] = True

    def guess(self, case: Case) -> Patch:
        patches = []
        for output in outputs_of(case.recipe, case.facts, case.output_shapes):
            found = judge(output)
            if not found or output.tail is None:
                continue
            own = [item for item in found if item.symptom in OF_HEADS] or list(found)
            wanted = list(_edits(case.recipe, output, output.tail, best_triple(output)))
            patches.append(edit(case.recipe, wanted, strategy=self.name, why=own[0].sentence))
        return _without_repeats(join(*patches))

    def suggest(self, trial: BaseTrial, case: Case) -> Patch:
        return self.guess(case)


def _edits(recipe: Recipe, output: Output, tail: Tail, plan: Triple) -> Iterator[Edit]:
    yield from _fewer_axes(recipe, output, tail)
    for step in tail.noise:
        if step.path:
            yield f"{step.path}/skip", True
    if tail.is_recurrent and (plan.units is not None or plan.activation is not None):
        # The activation of a recurrent layer is part of its recurrence.
        if output.width is not None:
            config = {"units": plan.units or output.width, "activation": plan.activation or "linear"}
            yield _appended(recipe, tail, "Dense", "output", config)
        return
    if plan.units is not None:
        yield tail.core.width_path, plan.units
    if plan.activation is not None:
        yield from _activated(recipe, tail, plan.activation)
    elif tail.squashed_twice:
        yield from _without(tail, tail.activations[:-1])


def _activated(recipe: Recipe, tail: Tail, wanted: str) -> Iterator[Edit]:
    """What makes `wanted` the one activation of the output."""
    chain = tail.activations
    if wanted == "linear":
        yield from _without(tail, chain)
        return
    last = chain[-1][1] if chain else None
    in_place = bool(chain) and (last is None or (last.class_name == "Activation" and last.path is not None))
    behind = [step.class_name for step in tail.steps if step.class_name in CENTRED | POOLED]
    if in_place and not (last is None and behind):
        yield from _without(tail, chain[:-1])
        yield (f"{last.path}/activation" if last else f"{tail.core.path}/activation"), wanted
        return
    yield from ((path, value) for path, value in _without(tail, chain) if not path.startswith(f"{tail.core.path}/"))
    if tail.editable and not behind:
        yield f"{tail.core.path}/activation", wanted
    else:
        # Averaging and normalizing come first: their results are what has to be squashed.
        if chain and chain[0][1] is None:
            yield f"{tail.core.path}/activation", "linear"
        yield _appended(recipe, tail, "Activation", wanted, {"activation": wanted})


def _without(tail: Tail, chain: tuple[tuple[str, Any], ...]) -> Iterator[Edit]:
    for _, step in chain:
        if step is None:
            yield f"{tail.core.path}/activation", "linear"
        elif step.path is not None:
            yield f"{step.path}/skip", True


def _appended(recipe: Recipe, tail: Tail, class_name: str, name: str, config: dict[str, Any]) -> Edit:
    taken = {view.name for view in layers(recipe)}
    layer = keras_layer(class_name, {"name": unused_name(taken, name), **config})
    path = f"{tail.end}/after"
    return path, [*recipe.get(path), layer]


def _fewer_axes(recipe: Recipe, output: Output, tail: Tail) -> Iterator[Edit]:
    """What removes axes that the targets do not have, before the output layer."""
    extra, feeds = output.extra_axes, tail.feeds
    if extra <= 0 or feeds is None or not tail.editable or not recipe.has(f"{feeds}/after"):
        return
    views = layers(recipe)
    consumers = [view for view in views if feeds in view.feeds_on]
    source = next((view for view in views if view.path == feeds), None)
    if len(consumers) != 1 or recipe.get(f"{feeds}/after"):
        return
    if source and source.class_name in RECURRENT and source.config.get("return_sequences") and extra == 1:
        yield f"{feeds}/return_sequences", False
        return
    if source and source.class_name in RECURRENT:
        return
    positions = output.shape[:-1]
    if len(positions) != extra:
        return
    sizes = [size for size in positions if size is not None]
    small = len(sizes) == extra and math.prod(sizes) <= FLATTENED
    class_name = "Flatten" if small or extra > 3 else f"GlobalAveragePooling{extra}D"
    taken = {view.name for view in views}
    yield f"{feeds}/after", [keras_layer(class_name, {"name": unused_name(taken, "flatten")})]


def _without_repeats(patch: Patch) -> Patch:
    """Two outputs may come from one layer."""
    seen: set[str] = set()
    return Patch(tuple(change for change in patch if not (change.path in seen or seen.add(change.path))))  # type: ignore[func-returns-value]
