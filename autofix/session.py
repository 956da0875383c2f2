"""Everything that is settled before the first training run: recipe, data, facts, scorer, trainer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from autofix.data import Data
from autofix.errors import FixYourCall
from autofix.facts import DataFacts
from autofix.outcome import Outcome
from autofix.recipe import Recipe
from autofix.scoring import Scorer, scorer_of
from autofix.strategy import Case
from autofix.symptom import Evidence
from autofix.task import facts_of
from autofix.trainer import Trainer

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
    """

    model: keras.Model
    recipe: Recipe
    data: Data
    facts: DataFacts
    scorer: Scorer
    trainer: Trainer
    case: Case
    source: Any = None

    @property
    def trained(self) -> bool:
        """Whether the model comes with trained weights."""
        return self.trainer.start.trained

    def evidence(self, outcome: Outcome | None = None) -> Evidence:
        """Returns what rules may look at: the program alone, or a run of it."""
        case = self.case
        recipe = case.recipe if outcome is None else outcome.patch.apply(case.recipe)
        score = outcome.score.value if outcome and outcome.score else None
        return Evidence(
            recipe,
            case.facts,
            case.input_shapes,
            case.output_shapes,
            outcome.trace if outcome else None,
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

    Raises:
        FixYourModel, FixYourData, FixYourCall: If something cannot be used as it is.
    """
    from autofix.recipe.build import live_model
    from autofix.recipe.hints import hints_of
    from autofix.trainer.start import Start

    live, builder = live_model(model, seed)
    example = first_rows(data)
    recipe = Recipe.of(builder or live, fit=dict(fit), example=example)
    if not live.built:
        live = recipe.build(seed=seed, example=example)
    hints = hints_of(live, recipe)
    read = Data.of(data, validation_data=validation_data, hints=hints, seed=seed)
    if "batch_size" not in fit and read.batch_size is not None:
        recipe = recipe.set("fit/batch_size", read.batch_size)
    facts = facts_of(read, hints)
    if recipe.fit.get("class_weight") is not None:
        recipe = recipe.set("fit/class_weight", _by_index(recipe.fit["class_weight"], facts))
    scorer = scorer_of(metric, facts.targets)
    trainer = Trainer(read, facts, scorer, Start(live, recipe, weights), recipe)
    case = Case(recipe, facts, hints.input_shapes, tuple(output.shape for output in hints.outputs))
    return Session(live, recipe, read, facts, scorer, trainer, case, data)


def _by_index(weights: Mapping[str, float], facts: DataFacts) -> dict[str, float]:
    """`fit` keys class weights by label; recipes key them by the label's column, which a patch may not change.

    Raises:
        FixYourCall: If there is no single classification target.
    """
    if len(facts.targets) != 1 or not facts.targets[0].classes:
        raise FixYourCall("`class_weight` needs one target that is a class, as in `fit`. Leave it out.")
    labels = [str(label) for label in facts.targets[0].classes]
    return {str(index): float(weights.get(label, 1.0)) for index, label in enumerate(labels)}


def first_rows(data: Any) -> Any:
    """Returns a few rows of input in whatever form the data comes, or None where that needs reading it."""
    x = data[0] if isinstance(data, tuple) and data else data
    if hasattr(x, "iloc"):
        return x.iloc[:2].to_numpy()
    if hasattr(x, "shape") and hasattr(x, "__getitem__") and len(getattr(x, "shape", ())) >= 1:
        return x[:2]
    if hasattr(x, "element_spec"):
        for item in x.take(1):
            part = item[0] if isinstance(item, tuple) else item
            return part[:2] if hasattr(part, "shape") else None
    if hasattr(x, "__len__") and hasattr(x, "__getitem__") and hasattr(type(x), "on_epoch_end"):
        item = x[0]
        part = item[0] if isinstance(item, tuple) else item
        return part[:2] if hasattr(part, "shape") else None
    return None
