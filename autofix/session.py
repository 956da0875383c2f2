"""Everything that is settled before the first training run: recipe, data, facts, scorer, trainer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from autofix.data import Data
from autofix.errors import FixYourData
from autofix.facts import DataFacts
from autofix.given import read
from autofix.outcome import Outcome
from autofix.recipe import Recipe
from autofix.scoring import Scorer, scorer_of
from autofix.strategy import Case
from autofix.symptom import Evidence
from autofix.trace import Trace
from autofix.trainer import Trainer
from autofix.trainer.start import Start
from autofix.training import Trains

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, eq=False)
class Session:
    """One user's program on one data set.

    Attributes:
        model: The user's model (or what the user's function built); only ever read.
        recipe: The program.
        data: The data.
        facts: The data in numbers.
        scorer: How predictions are scored.
        trainer: Trains recipes.
        case: What strategies see, before any training.
        source: The user's data as it was passed.
        anew: Whether the user asked for fresh weights, so that those of the model say nothing.
    """

    model: keras.Model
    recipe: Recipe
    data: Data
    facts: DataFacts
    scorer: Scorer
    trainer: Trains
    case: Case
    source: Any = None
    anew: bool = False

    @property
    def trained(self) -> bool:
        """Whether the model comes with trained weights that count."""
        return self.trainer.start.trained and not self.anew

    def evidence(self, outcome: Outcome | None = None) -> Evidence:
        """Returns what rules may look at: the program alone, or a run of it."""
        case = self.case
        recipe = case.recipe if outcome is None else outcome.patch.apply(case.recipe)
        score = outcome.score.value if outcome and outcome.score else None
        trace = outcome.trace if outcome else None
        if trace is None and outcome is not None and outcome.error:
            trace = Trace(error=outcome.error)  # a run that ends with its first step shows nothing else
        return Evidence(
            recipe,
            case.facts,
            case.input_shapes,
            case.output_shapes,
            trace,
            score,
            self.scorer.perfect,
        )


def prepare(
    model: keras.Model | Callable[[], keras.Model],
    data: Any,
    *,
    validation_data: Any = None,
    fit: Mapping[str, Any],
    metric: str | Callable[..., float] = "auto",
    weights: Literal["auto", "keep", "reset"] = "auto",
    seed: int = 0,
    began: Recipe | None = None,
    labels: Sequence[Sequence[Any] | None] | None = None,
) -> Session:
    """Reads model and data.

    Args:
        model: The user's compiled model, or a function that builds one.
        data: The user's data; see `repair`.
        validation_data: The same, set apart by the user.
        fit: Settings of `fit` that the user gave.
        metric: See `repair`.
        weights: See `repair`.
        seed: Seed of the split.
        began: The program as it was when a watched run of it began; None where nobody watched.
        labels: One entry an output: the user's labels in column order where a former repair encodes the targets, else
            None. By place and not by name: Keras gives a layer without a name another one in each process.

    Raises:
        FixYourModel, FixYourData, FixYourCall: If something cannot be used as it is.
    """
    given = read(model, data, validation_data=validation_data, fit=fit, seed=seed, began=began)
    recipe, facts, hints = given.recipe, given.facts, given.hints
    if labels is not None:
        recipe = with_labels(recipe, facts, labels)
    scorer = scorer_of(metric, facts.targets)
    trainer = Trainer(given.data, facts, scorer, Start(given.model, recipe, weights), recipe)
    case = Case(recipe, facts, hints.input_shapes, tuple(output.shape for output in hints.outputs))
    return Session(given.model, recipe, given.data, facts, scorer, trainer, case, data, weights == "reset")


def with_labels(recipe: Recipe, facts: DataFacts, labels: Sequence[Sequence[Any] | None]) -> Recipe:
    """Returns a recipe whose targets are fed as the index of their label; see `prepare`.

    Raises:
        FixYourData: If the targets hold other labels.
    """
    for target, known in zip(facts.targets, labels, strict=False):
        if known is not None and list(known) != list(target.classes):
            raise FixYourData(
                f"the targets must hold the labels that the model was made for, {list(known)}. Received: "
                f"{list(target.classes)}. Bring rows of every class, or begin anew with another model."
            )
    named = {target.name: known for target, known in zip(facts.targets, labels, strict=False) if known is not None}
    return recipe.set("transforms/labels", named or None)
