"""KerasTuner: the search space of a diagnosis as a HyperModel. Needs the extra `keras-tuner`.

    from autofix.integrations.keras_tuner import hypermodel

    space = hypermodel(model, (x, y), epochs=20)
    tuner = keras_tuner.RandomSearch(space, objective="val_accuracy", max_trials=20)
    tuner.search(x, y, validation_split=0.2)
    print(space.patch(tuner.get_best_hyperparameters()[0]))

What the hyperparameters stand for is a `Patch`, as of a repair.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import keras

from autofix.arguments import check_arguments, fit_settings
from autofix.change import Patch
from autofix.compose import GUESS, OFF, SEARCH, Composer
from autofix.errors import FixYourCall
from autofix.findings import NOTE
from autofix.frozen import thaw
from autofix.integrations import needed
from autofix.registry import strategies as registered
from autofix.session import prepare
from autofix.strategy import Case, RangeTest, Strategy
from autofix.symptom import Diagnosis

if TYPE_CHECKING:
    from keras_tuner import HyperModel
    from optuna.trial import BaseTrial

logger = logging.getLogger(__name__)

# What a tuner cannot do for a model: it feeds the data as it was given.
BEYOND = ("transforms/", "fit/oversample")
MODES = (OFF, GUESS, SEARCH)


@dataclass(frozen=True, eq=False)
class Drawing:
    """An Optuna trial as far as strategies use one, drawn from KerasTuner's hyperparameters.

    Attributes:
        hp: `keras_tuner.HyperParameters`.
    """

    hp: Any

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """Draws a number."""
        if low == high:
            return float(low)
        drawn = self.hp.Float(name, low, high, step=step, sampling="log" if log else "linear")
        # The first case decides the range of a parameter; a later one may be narrower.
        return float(min(max(drawn, low), high))

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        """Draws a whole number."""
        if low == high:
            return int(low)
        if log:  # with a step KerasTuner would multiply by it
            return min(max(round(self.hp.Float(name, float(low), float(high), sampling="log")), low), high)
        return int(min(max(self.hp.Int(name, low, high, step=step), low), high))

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """Draws one of the choices, which KerasTuner takes as text."""
        by_name = {str(choice): choice for choice in choices}
        return by_name[self.hp.Choice(name, list(by_name))]


@dataclass(frozen=True, eq=False)
class Space:
    """The candidates that a diagnosis calls for.

    Attributes:
        case: The run as it came, and what is wrong with it.
        strategies: The remedies for that.
        start: Gives a model the weights that a run starts from.
    """

    case: Case
    strategies: tuple[Strategy, ...]
    start: Callable[[Any, keras.Model], None]

    def patch(self, hp: Any) -> Patch:
        """Returns the patch that hyperparameters stand for."""
        recipe, total = self.case.recipe, Patch()
        for strategy in self.strategies:
            use = f"{strategy.name}.use"
            mode = hp.Choice(use, list(MODES), default=GUESS)
            with hp.conditional_scope(use, [SEARCH]):
                alone = Composer(self.case.at(recipe), (strategy,))
                part = alone.patch({strategy.name: mode}, cast("BaseTrial", Drawing(hp)))
            if any(change.path.startswith(BEYOND) for change in part):
                logger.debug("strategy %s is left out: the tuner feeds the data as it is", strategy.name)
                continue
            recipe, total = part.apply(recipe), total.then(part)
        return total

    def model(self, hp: Any) -> keras.Model | None:
        """Returns the patched model, compiled; None for a candidate whose output, loss and labels do not fit."""
        patch = self.patch(hp)
        if not Composer(self.case, self.strategies).sound(patch):
            return None
        recipe = patch.apply(self.case.recipe)
        model = recipe.build()
        self.start(recipe, model)
        return model

    def fit_arguments(self, hp: Any) -> dict[str, Any]:
        """Returns the arguments of `fit` that the patched program asks for."""
        fit = self.patch(hp).apply(self.case.recipe).fit
        found = {name: thaw(fit[name]) for name in ("epochs", "batch_size", "shuffle")}
        if fit.get("class_weight"):
            found["class_weight"] = {int(index): weight for index, weight in fit["class_weight"].items()}
        return found


def hypermodel(
    model: keras.Model | Callable[[], keras.Model],
    data: Any,
    *,
    validation_data: Any = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    class_weight: Mapping[Any, float] | None = None,
    shuffle: bool = True,
    diagnosis: Sequence[Diagnosis] | None = None,
    strategies: Sequence[str] | None = None,
    seed: int = 0,
) -> HyperModel:
    """Returns the search space of a diagnosis, for any tuner of KerasTuner. Arguments as in `autofix.repair`.

    Choose an objective that no patch changes, such as "val_accuracy": losses of different kinds cannot be compared.
    Remedies that change the data itself, such as other labels, are left out, as a tuner feeds the data as it is.

    Args:
        model: See `autofix.repair`.
        data: See there.
        validation_data: See there.
        epochs: See there.
        batch_size: See there.
        class_weight: See there.
        shuffle: See there.
        diagnosis: What is wrong, such as `result.diagnosis`; left out, the program is trained once to find out.
        strategies: Names of the remedies to offer; left out, those that treat what was found.
        seed: Seed of the training that finds out.

    Returns:
        A `keras_tuner.HyperModel`. Each remedy is a choice `<name>.use` of "off", "guess" and "search", and has the
        parameters of its search below it. `patch(hp)` of it returns the `Patch` that hyperparameters stand for.

    Raises:
        NotInstalled: If KerasTuner is not installed.
        FixYourCall: If nothing is wrong, so that there is nothing to search.
    """
    tuner = needed("keras_tuner", "keras-tuner")
    fit = fit_settings(epochs, batch_size, class_weight, shuffle)
    check_arguments("auto", seed, None, False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        case, chosen, start = _space_of(model, data, validation_data, fit, diagnosis, strategies, seed)
    return _bound(tuner, Space(case, chosen, start))


def _space_of(
    model: Any,
    data: Any,
    validation_data: Any,
    fit: Mapping[str, Any],
    diagnosis: Sequence[Diagnosis] | None,
    names: Sequence[str] | None,
    seed: int,
) -> tuple[Case, tuple[Strategy, ...], Callable[[Any, keras.Model], None]]:
    from autofix.budget import Budget, Clock
    from autofix.controller import Controller

    session = prepare(model, data, validation_data=validation_data, fit=fit, seed=seed)
    start = session.trainer.start
    try:
        case = session.case
        if diagnosis is None:
            looking = Controller(session, (), Clock(Budget()), lambda *_: None, seed, None)
            looking.look()
            assert looking.baseline is not None
            case = replace(case, diagnoses=looking.findings, trace=looking.baseline.trace)
        else:
            case = replace(case, diagnoses=tuple(diagnosis))
        chosen = _chosen(case, names)
        case = replace(case, range_test=_ranged(session.trainer, case, chosen))
    finally:
        session.trainer.close()

    def begin(recipe: Any, built: keras.Model) -> None:
        fresh = tuple(weight.numpy() for weight in built.weights)
        built.set_weights(start.weights(recipe, built, 0, fresh))

    return case, chosen, begin


def _chosen(case: Case, names: Sequence[str] | None) -> tuple[Strategy, ...]:
    found = {item.symptom for item in case.diagnoses if item.severity > NOTE}
    chosen = tuple(item for item in registered(names) if names is not None or item.treats & found)
    if not chosen:
        raise FixYourCall(
            "`model` must be one that something is wrong with, to have a space to search. Received: one without a "
            "finding that a strategy treats. Name the strategies to offer, such as strategies=['learning_rate']."
        )
    return chosen


def _ranged(trainer: Any, case: Case, chosen: Sequence[Strategy]) -> RangeTest | None:
    if all(strategy.name != "learning_rate" for strategy in chosen):
        return None
    try:
        return trainer.range_test(case.recipe)
    except Exception:  # a program that cannot train has no curve
        logger.debug("no range test", exc_info=True)
        return None


def _bound(tuner: Any, space: Space) -> HyperModel:
    """Returns the space as a HyperModel; the class is made here, as its base is an optional dependency."""

    class Repairs(tuner.HyperModel):
        """Builds and fits what the hyperparameters stand for."""

        def patch(self, hp: Any) -> Patch:
            """Returns the patch that hyperparameters stand for."""
            return space.patch(hp)

        def build(self, hp: Any) -> keras.Model:
            """Returns the patched model, compiled."""
            built = space.model(hp)
            if built is None:
                raise tuner.errors.FailedTrialError("output, loss and labels do not fit each other")
            return built

        def fit(self, hp: Any, model: keras.Model, *args: Any, **kwargs: Any) -> Any:
            """Fits it with the settings of the patched program; what `search` was given comes first."""
            return model.fit(*args, **{**space.fit_arguments(hp), **kwargs})

    return Repairs()
