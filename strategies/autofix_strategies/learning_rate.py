"""Strategy `learning_rate`: how far each step goes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

from autofix.change import Patch
from autofix.strategy import Case, Strategy
from autofix.symptom import Symptom
from autofix_strategies import _optimizers
from autofix_strategies._edits import edit, evidence, short

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

SAME = 1.5  # a factor below which two rates train alike
AROUND = 5.0  # how far around the range test's candidates the search looks
ANYWHERE = (1e-5, 1e-1)
BOUNDS = (1e-7, 10.0)
SPENT = 0.01  # share of the first rate that a sound schedule still has halfway through the run


@final
@dataclass(frozen=True)
class LearningRate(Strategy):
    """Sets the learning rate that the range test found, or the optimizer's usual one.

    What it changes:
        `compile/optimizer/learning_rate`. A schedule that starts elsewhere, or is spent before half of the run is
        over, becomes a constant rate.

    Why it helps:
        Real faults of the learning rate are two or three orders of magnitude: steps too small to arrive, or so large
        that the loss jumps or overflows.

    When it does not apply:
        The rate is within a factor of 1.5 of the wanted one; an optimizer without a learning rate.

    References:
        Smith, WACV 2017 (range test). Bengio 2012 (arXiv:1206.5533: the most important hyperparameter).
    """

    name: ClassVar[str] = "learning_rate"
    treats: ClassVar[frozenset[Symptom]] = frozenset(
        {
            Symptom.EXTREME_LEARNING_RATE,
            Symptom.SLOW,
            Symptom.PLATEAU,
            Symptom.LATE_PLATEAU,
            Symptom.DIVERGENCE,
            Symptom.OSCILLATION,
            Symptom.NON_FINITE_LOSS,
            Symptom.EXPLODING_GRADIENT,
            Symptom.WEIGHTS_UNCHANGED,
            Symptom.DEAD_UNITS,
            Symptom.UNDERFITTING,
        }
    )

    def guess(self, case: Case) -> Patch:
        optimizer = _optimizers.where(case.recipe)
        if optimizer is None:
            return Patch()
        candidates = _candidates(case)
        usual = _optimizers.DEFAULT_RATE.get(case.recipe.get(optimizer)["class_name"], _optimizers.OTHERWISE_RATE)
        return self._set(case, optimizer, candidates[0] if candidates else usual)

    def suggest(self, trial: BaseTrial, case: Case) -> Patch:
        candidates = _candidates(case)
        low, high = (min(candidates) / AROUND, max(candidates) * AROUND) if candidates else ANYWHERE
        low, high = max(low, BOUNDS[0]), min(high, BOUNDS[1])
        rate = trial.suggest_float(f"{self.name}.rate", low, high, log=True)
        optimizer = _optimizers.where(case.recipe)
        return Patch() if optimizer is None else self._set(case, optimizer, rate)

    def _set(self, case: Case, optimizer: str, rate: float) -> Patch:
        path = f"{optimizer}/learning_rate"
        if not case.recipe.has(path) or _is_close(case, case.recipe.get(path), rate):
            return Patch()
        measured = "The range test points to another learning rate." if case.range_test else "The rate is unusual."
        why = evidence(case, self.treats, measured, first=Symptom.EXTREME_LEARNING_RATE)
        return edit(case.recipe, [(path, short(rate))], strategy=self.name, why=why)


def _candidates(case: Case) -> tuple[float, ...]:
    """The rates worth a run, in bounds."""
    found = case.range_test.candidates if case.range_test else ()
    return tuple(rate for rate in found if math.isfinite(rate) and BOUNDS[0] <= rate <= BOUNDS[1])


def _is_close(case: Case, present: Any, wanted: float) -> bool:
    """Whether the present rate is the wanted one, near enough."""
    if isinstance(present, Mapping):
        first = present.get("config", {}).get("initial_learning_rate")
        if not isinstance(first, int | float) or _rest(case, present) < SPENT:
            return False
        present = float(first)
    if not isinstance(present, int | float) or not math.isfinite(present) or present <= 0:
        return False
    return wanted / SAME <= present <= wanted * SAME


def _rest(case: Case, schedule: Mapping[str, Any]) -> float:
    """Share of its first rate that a schedule still has halfway through the run; 0 for kinds that are not known."""
    fit, rows = case.recipe.fit, case.facts.rows[0]
    half = fit.get("epochs", 1) * math.ceil(rows / (fit.get("batch_size") or 32)) / 2
    name, config = schedule.get("class_name"), schedule["config"]
    done = half / max(float(config.get("decay_steps") or 1), 1.0)
    first = float(config["initial_learning_rate"])
    if name == "ExponentialDecay":
        rest = float(config.get("decay_rate", 0.96)) ** min(done, 1e4)
    elif name == "InverseTimeDecay":
        rest = 1.0 / (1.0 + float(config.get("decay_rate", 0.5)) * done)
    elif name == "PolynomialDecay":
        end = float(config.get("end_learning_rate", 1e-4)) / max(first, 1e-30)
        rest = (1.0 - end) * max(1.0 - done, 0.0) ** float(config.get("power", 1.0)) + end
    elif name == "CosineDecay":
        alpha = float(config.get("alpha", 0.0))
        rest = (1.0 - alpha) * 0.5 * (1.0 + math.cos(math.pi * min(done, 1.0))) + alpha
    else:
        rest = 0.0
    return rest if rest <= 1.0 else 0.0
