"""Strategy `optimizer`: which optimizer makes the steps, and its parameters other than the learning rate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

from autofix.change import Patch
from autofix.frozen import EMPTY
from autofix.strategy import Case, Strategy
from autofix.symptom import Symptom
from autofix_strategies import _optimizers
from autofix_strategies._edits import edit, evidence

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

REPLACED = frozenset({"SGD", "Adagrad", "Adadelta", "Ftrl", "RMSprop"})
CHOICES = ("Adam", "AdamW", "Nadam", "RMSprop", "SGD")
# Outside these, a parameter does not do what its paper means it to do.
ABSURD: Mapping[str, Callable[[float], bool]] = {
    "beta_1": lambda value: not 0.0 <= value < 0.99,
    "beta_2": lambda value: not 0.5 <= value < 0.99999,
    "epsilon": lambda value: value >= 0.1,
    "momentum": lambda value: value >= 0.99,
    "rho": lambda value: not 0.5 <= value < 0.9999,
}
SOUND: Mapping[str, float] = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-07, "momentum": 0.9, "rho": 0.9}


@final
@dataclass(frozen=True)
class Optimizer(Strategy):
    """Adam in place of optimizers that need their rate tuned per layer.

    What it changes:
        SGD, RMSprop, Adagrad, Adadelta and Ftrl become Adam with its default parameters; clipping and weight averaging
        are kept. Absurd parameters of other built-in optimizers go back to their defaults.

    Why it helps:
        Adam scales each weight's step by the size of its gradient, so layers whose gradients differ by orders of
        magnitude learn at the same pace, and its default rate works for most problems.

    When it does not apply:
        Adam and its relatives with sensible parameters; custom optimizers.

    References:
        Kingma and Ba, ICLR 2015. Schmidt, Schneider and Hennig, ICML 2021 (Adam is as good a first choice as any).
    """

    name: ClassVar[str] = "optimizer"
    treats: ClassVar[frozenset[Symptom]] = frozenset(
        {
            Symptom.SLOW,
            Symptom.PLATEAU,
            Symptom.LATE_PLATEAU,
            Symptom.OSCILLATION,
            Symptom.UNDERFITTING,
            Symptom.VANISHING_GRADIENT,
            Symptom.DIVERGENCE,
            Symptom.NON_FINITE_LOSS,
            Symptom.WEIGHTS_UNCHANGED,
        }
    )

    def guess(self, case: Case) -> Patch:
        path = _optimizers.where(case.recipe)
        if path is None:
            return Patch()
        present = case.recipe.get(path)
        if not _optimizers.is_built_in(present):
            return Patch()
        if present["class_name"] in REPLACED:
            return self._replace(case, path, "Adam")
        config = present["config"]
        reset = [(f"{path}/{key}", SOUND[key]) for key, is_absurd in ABSURD.items() if _holds(config, key, is_absurd)]
        return edit(case.recipe, reset, strategy=self.name, why=self._why(case))

    def suggest(self, trial: BaseTrial, case: Case) -> Patch:
        choice = trial.suggest_categorical(f"{self.name}.name", CHOICES)
        path = _optimizers.where(case.recipe)
        if path is None:
            return Patch()
        if case.recipe.get(path)["class_name"] == choice and _is_sound(case.recipe.get(path)["config"], choice):
            return Patch()
        return self._replace(case, path, choice)

    def _replace(self, case: Case, path: str, choice: str) -> Patch:
        keep = case.recipe.get(path).get("config", EMPTY)
        wanted = _optimizers.serialized(choice, keep=keep)
        return edit(case.recipe, [(path, wanted)], strategy=self.name, why=self._why(case))

    def _why(self, case: Case) -> str:
        return evidence(case, self.treats, "The optimizer needs its rate tuned for every layer.")


def _holds(config: Mapping[str, Any], key: str, is_absurd: Callable[[float], bool]) -> bool:
    value = config.get(key)
    return isinstance(value, int | float) and is_absurd(float(value))


def _is_sound(config: Mapping[str, Any], choice: str) -> bool:
    """Whether a built-in optimizer already has what a fresh one of its kind has, the learning rate aside."""
    return all(config.get(key) == value for key, value in _optimizers.OWN[choice].items() if key != "learning_rate")
