"""Strategy `batch_size`: how many rows one step is made of."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from autofix.change import Patch
from autofix.strategy import Case, Strategy
from autofix.symptom import Symptom
from autofix_strategies._edits import edit, evidence
from autofix_strategies._graph import Graph

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

USUAL = 32  # Keras' default; Masters and Luschi 2018: 2 to 32 rows gave the best results throughout
FEWEST_STEPS = 20  # per epoch
FEWEST_STEPS_OF_USUAL = 4  # below it even a batch of the usual size or less is too large
SMALLEST = 8
TINY = 2  # a batch normalization over so few rows removes the signal
CHOICES = (8, 16, 32, 64, 128, 256)
LARGE = (Symptom.BATCH_TOO_LARGE, Symptom.SLOW, Symptom.PLATEAU, Symptom.UNDERFITTING)


@final
@dataclass(frozen=True)
class BatchSize(Strategy):
    """Makes enough steps an epoch, of enough rows a step.

    What it changes:
        `fit/batch_size`: 32, or the power of two from 8 up that gives at least 20 steps an epoch, where the present
        one gives fewer (fewer than 4 where it is 32 or less already). 32 as well where batches of one or two rows are
        normalized or make the loss jump.

    Why it helps:
        Weights move once a batch: a batch of all rows is one step an epoch. With one or two rows, the statistics of a
        batch and the direction of a step are mostly noise.

    When it does not apply:
        Batches that give enough steps. The batch size is no knob for quality: the learning rate is.

    References:
        Masters and Luschi 2018 (arXiv:1804.07612). Shallue et al., JMLR 2019. Godbole et al., Tuning Playbook, 2023.
    """

    name: ClassVar[str] = "batch_size"
    treats: ClassVar[frozenset[Symptom]] = frozenset({*LARGE, Symptom.OSCILLATION, Symptom.TINY_BATCH_NORMALIZATION})

    def guess(self, case: Case) -> Patch:
        rows, present = case.facts.rows[0], _present(case)
        fitting = _fitting(rows)
        only_jumps = case.finds(Symptom.OSCILLATION) is not None and case.finds(*LARGE) is None
        normalizes = any(view.class_name == "BatchNormalization" for view in Graph.of(case.recipe).views)
        too_small = present < fitting and (only_jumps or (normalizes and present <= TINY))
        fewest = FEWEST_STEPS if present > USUAL else FEWEST_STEPS_OF_USUAL
        too_large = present > fitting and math.ceil(rows / present) < fewest and not only_jumps
        return self._set(case, fitting) if too_small or too_large else Patch()

    def suggest(self, trial: BaseTrial, case: Case) -> Patch:
        choice = trial.suggest_categorical(f"{self.name}.rows", CHOICES)
        return self._set(case, max(1, min(choice, case.facts.rows[0])))

    def _set(self, case: Case, size: int) -> Patch:
        rows, present = case.facts.rows[0], _present(case)
        steps = f"{rows} rows in batches of {present} are {math.ceil(rows / present)} steps an epoch."
        why = evidence(case, self.treats, steps, first=Symptom.BATCH_TOO_LARGE)
        return edit(case.recipe, [("fit/batch_size", size)], strategy=self.name, why=why)


def _present(case: Case) -> int:
    return int(case.recipe.fit.get("batch_size") or USUAL)


def _fitting(rows: int) -> int:
    """The usual size, or the largest power of two below it that still makes enough steps; never more than `rows`."""
    size = USUAL
    while size > SMALLEST and rows / size < FEWEST_STEPS:
        size //= 2
    return max(1, min(size, rows))
