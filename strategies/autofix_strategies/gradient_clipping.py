"""Strategy `gradient_clipping`: a bound on the norm of the gradient."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np

from autofix.change import Patch
from autofix.strategy import Case, Strategy
from autofix.symptom import Symptom
from autofix_strategies import _optimizers
from autofix_strategies._edits import edit, evidence, short

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

USUAL = 1.0
PERCENTILE = 90.0  # Google's Tuning Playbook: clip the rare large steps, not most of them
TRUSTED = (1e-2, 10.0)  # a percentile outside comes from a run that had exploded already, or stood still
RANGE = (0.1, 10.0)
SAME = 1.5


@final
@dataclass(frozen=True)
class GradientClipping(Strategy):
    """Bounds the gradient's norm, so that one steep batch does not undo the run.

    What it changes:
        The optimizer's `global_clipnorm`: the 90th percentile of the norms that were measured, 1.0 where they were
        not or the run had exploded. An optimizer that clips in another way keeps it, with a lower bound.

    Why it helps:
        Loss surfaces of deep and recurrent nets have cliffs; one step taken with the gradient at a cliff throws the
        weights far away or overflows.

    When it does not apply:
        The optimizer clips as tightly already, or is not one of Keras'.

    References:
        Pascanu, Mikolov and Bengio, ICML 2013. Zhang et al., ICLR 2020. Godbole et al., Tuning Playbook, 2023.
    """

    name: ClassVar[str] = "gradient_clipping"
    treats: ClassVar[frozenset[Symptom]] = frozenset(
        {Symptom.EXPLODING_GRADIENT, Symptom.NON_FINITE_LOSS, Symptom.OSCILLATION, Symptom.DIVERGENCE}
    )

    def guess(self, case: Case) -> Patch:
        return self._clip(case, _measured(case), only_tighter=True)

    def suggest(self, trial: BaseTrial, case: Case) -> Patch:
        bound = trial.suggest_float(f"{self.name}.norm", *RANGE, log=True)
        return self._clip(case, bound, only_tighter=False)

    def _clip(self, case: Case, bound: float, *, only_tighter: bool) -> Patch:
        optimizer = _optimizers.where(case.recipe)
        if optimizer is None:
            return Patch()
        config = case.recipe.get(optimizer).get("config", {})
        # Keras allows one way of clipping at a time: the present one is kept.
        key = next((key for key in _optimizers.CLIPPING if config.get(key) is not None), "global_clipnorm")
        present = config.get(key)
        if isinstance(present, int | float) and (
            bound / SAME <= present <= bound * SAME or (only_tighter and 0 < present < bound)
        ):
            return Patch()
        why = evidence(case, self.treats, "The size of the steps has no bound.")
        return edit(case.recipe, [(f"{optimizer}/{key}", short(bound))], strategy=self.name, why=why)


def _measured(case: Case) -> float:
    norms = [norm for norm in (case.trace.gradient_norm if case.trace else ()) if math.isfinite(norm) and norm > 0]
    if not norms:
        return USUAL
    bound = float(np.percentile(norms, PERCENTILE))
    return bound if TRUSTED[0] <= bound <= TRUSTED[1] else USUAL
