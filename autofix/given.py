"""What the user gave, read: the live model, its recipe, the data, and the data in numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autofix.data import Data
from autofix.errors import FixYourCall
from autofix.facts import DataFacts
from autofix.hints import ModelHints
from autofix.recipe import Recipe
from autofix.task import facts_of

if TYPE_CHECKING:
    import keras

RATE = "compile/optimizer/learning_rate"


@dataclass(frozen=True, eq=False)
class Given:
    """One user's program and data.

    Attributes:
        model: The user's model (or what the user's function built); only ever read.
        recipe: The program.
        hints: What the model says about its inputs and outputs.
        data: The data.
        facts: The data in numbers.
    """

    model: keras.Model
    recipe: Recipe
    hints: ModelHints
    data: Data
    facts: DataFacts


def read(
    model: keras.Model | Callable[[], keras.Model],
    data: Any,
    *,
    validation_data: Any,
    fit: Mapping[str, Any],
    seed: int,
    measure_signal: bool = True,
    began: Recipe | None = None,
) -> Given:
    """Reads model and data.

    Args:
        model: The user's compiled model, or a function that builds one.
        data: The user's data; see `repair`.
        validation_data: The same, set apart by the user.
        fit: Settings of `fit` that the user gave.
        seed: Seed of the split.
        measure_signal: Whether to fit scikit-learn models, to know what the data allows (half a second and more).
        began: The program as it was when the run began that trained the model; `fit` may have moved its learning rate.

    Raises:
        FixYourModel, FixYourData, FixYourCall: If something cannot be used as it is.
    """
    live, recipe, hints = read_model(model, fit, seed, first_rows(data))
    recipe = (began and as_it_began(recipe, began)) or recipe
    own = Data.of(data, validation_data=validation_data, hints=hints, seed=seed)
    if "batch_size" not in fit and own.batch_size is not None:
        recipe = recipe.set("fit/batch_size", own.batch_size)
    facts = facts_of(own, hints, measure_signal)
    if recipe.fit.get("class_weight") is not None:
        recipe = recipe.set("fit/class_weight", _by_index(recipe.fit["class_weight"], facts))
    return Given(live, recipe, hints, own, facts)


def read_model(
    model: keras.Model | Callable[[], keras.Model],
    fit: Mapping[str, Any],
    seed: int,
    example: Any = None,
    *,
    build: bool = True,
) -> tuple[keras.Model, Recipe, ModelHints]:
    """Reads a model.

    Args:
        model: The user's compiled model, or a function that builds one.
        fit: Settings of `fit` that the user gave.
        seed: Seed of the weights of what is built.
        example: A few rows of input, to build a model that has no input shape yet.
        build: Whether a model without weights yet is built, as a copy.

    Returns:
        The live model, its recipe, and what it says about its inputs and outputs.
    """
    from autofix.recipe.build import live_model
    from autofix.recipe.hints import hints_of

    live, builder = live_model(model, seed)
    recipe = Recipe.of(builder or live, fit=dict(fit), example=example)
    if build and not (live.built and live.weights):
        live = recipe.build(seed=seed, example=example)
    return live, recipe, hints_of(live, recipe)


def as_it_began(recipe: Recipe, began: Recipe) -> Recipe | None:
    """Returns a program with the learning rate that it began with; None where `began` is another program."""
    if recipe.has(RATE) and began.has(RATE):
        recipe = recipe.set(RATE, began.get(RATE))
    same = began.architecture == recipe.architecture and began.compile == recipe.compile
    return recipe if same else None


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
