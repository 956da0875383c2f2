"""Strategy `epochs`: how long the run lasts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

from autofix.change import Patch
from autofix.strategy import Case, Strategy
from autofix.symptom import Symptom
from autofix_strategies._edits import edit, evidence

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

AT_LEAST = 3  # times the present epochs
ENOUGH_STEPS = 2_000  # small networks on small tables have converged by then
AT_MOST = 20  # times the present epochs
MOST_EPOCHS = 500
PATIENCE = (5, 50)  # epochs; a fifth of the run in between
SHORT = (Symptom.STILL_IMPROVING, Symptom.SLOW, Symptom.UNDERFITTING, Symptom.PLATEAU)


@final
@dataclass(frozen=True)
class Epochs(Strategy):
    """Trains on while it pays, and keeps the best weights.

    What it changes:
        `fit/epochs`: at least three times as many and enough for 2,000 steps, at most 20 times as many or 500; with
        `fit/patience`, so that the run stops when the validation score no longer improves. A run that overfits keeps
        its epochs and gets the patience alone.

    Why it helps:
        A run that ends while its loss falls is the second most frequent fault of real programs (DeepFD collection).

    When it does not apply:
        Runs that already last 500 epochs and more, and stop by themselves.

    References:
        Cao et al., ICSE 2022 (DeepFD). Prechelt, "Early stopping - but when?", 1998.
    """

    name: ClassVar[str] = "epochs"
    treats: ClassVar[frozenset[Symptom]] = frozenset({*SHORT, Symptom.OVERFITTING})

    def guess(self, case: Case) -> Patch:
        epochs, steps = _present(case)
        if case.finds(Symptom.OVERFITTING) and not case.finds(*SHORT):
            return self._set(case, epochs, (Symptom.OVERFITTING,))
        wanted = max(AT_LEAST * epochs, math.ceil(ENOUGH_STEPS / steps))
        return self._set(case, max(epochs, min(wanted, AT_MOST * epochs, MOST_EPOCHS)), SHORT)

    def suggest(self, trial: BaseTrial, case: Case) -> Patch:
        factor = trial.suggest_float(f"{self.name}.factor", 1.0, float(AT_MOST), log=True)
        epochs, _ = _present(case)
        return self._set(case, max(epochs, min(round(epochs * factor), MOST_EPOCHS)), (*SHORT, Symptom.OVERFITTING))

    def _set(self, case: Case, epochs: int, symptoms: tuple[Symptom, ...]) -> Patch:
        wanted: list[tuple[str, Any]] = [("fit/epochs", epochs)]
        patience = max(PATIENCE[0], min(epochs // 5, PATIENCE[1]))
        present = case.recipe.fit.get("patience")
        if present is None or present < patience:
            wanted.append(("fit/patience", patience))
        why = evidence(case, symptoms, f"The run lasts {_present(case)[0]} epochs.")
        return edit(case.recipe, wanted, strategy=self.name, why=why)


def _present(case: Case) -> tuple[int, int]:
    """Epochs, and steps in each of them."""
    fit = case.recipe.fit
    steps = math.ceil(case.facts.rows[0] / (fit.get("batch_size") or 32))
    return max(1, int(fit.get("epochs") or 1)), max(1, steps)
