"""The proof: fresh seeds, paired against the run as it came, on rows that the search never saw."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autofix.change import Patch
from autofix.outcome import Outcome
from autofix.recipe import Recipe
from autofix.trainer import Trainer

SEEDS = (101, 102, 103)
# A difference must be this many standard errors above zero: about one false claim in a hundred for a single
# comparison (one-sided normal), and a repair makes one or two.
SIGMAS = 2.33


@dataclass(frozen=True)
class Measured:
    """Scores of one recipe on the holdout part.

    Attributes:
        mean: Mean over seeds.
        spread: Standard deviation over seeds.
        values: One score per seed.
    """

    mean: float
    spread: float
    values: tuple[float, ...]
    outcomes: tuple[Outcome, ...] = field(default=(), compare=False, repr=False)

    @classmethod
    def of(cls, outcomes: Sequence[Outcome], floor: float) -> Measured:
        """Summarises runs; one without a score counts as `floor`."""
        values = tuple(max(floor, o.holdout.value) if o.holdout is not None else floor for o in outcomes)
        spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
        return cls(float(np.mean(values)), spread, values, tuple(outcomes))

    @classmethod
    def of_validation(cls, outcome: Outcome, floor: float) -> Measured:
        """The validation score of a single run, for a run that needs no proof."""
        value = floor if outcome.score is None else outcome.score.value
        return cls(value, 0.0, (value,), (outcome,))

    def __str__(self) -> str:
        return f"{self.mean:.3f} ± {self.spread:.3f}" if len(self.values) > 1 else f"{self.mean:.3f}"

    def to_dict(self) -> dict[str, Any]:
        """Returns the scores as JSON-ready data."""
        return {"mean": self.mean, "spread": self.spread, "values": list(self.values)}


def measure(
    recipe: Recipe,
    patch: Patch,
    trainer: Trainer,
    *,
    floor: float,
    deadline: float = math.inf,
    seeds: Sequence[int] = SEEDS,
    on_trial: Callable[[Outcome], None] = lambda outcome: None,
) -> Measured | None:
    """Trains with fresh seeds and scores the holdout part.

    Returns:
        The scores of as many seeds as the time allows; None if not even one did.
    """
    outcomes = []
    for seed in seeds:
        if time.monotonic() >= deadline:
            break
        outcome = trainer.run(recipe, patch, seed=seed, holdout=True, deadline=deadline)
        if outcome.status.name == "CUT":
            break
        outcomes.append(outcome)
        on_trial(outcome)
    return Measured.of(outcomes, floor) if outcomes else None


def standard_error(after: Measured, before: Measured, row_noise: float) -> float:
    """Standard error of the difference of two means: the spread over paired seeds and the luck of the rows.

    Args:
        after: Scores with the patch.
        before: Scores without it.
        row_noise: Standard error of one score on the holdout part.
    """
    count = min(len(after.values), len(before.values))
    pairs = np.subtract(after.values[:count], before.values[:count])
    seeds = float(np.std(pairs, ddof=1)) / math.sqrt(count) if count > 1 else row_noise
    return math.hypot(seeds, row_noise)


def beats(after: Measured, before: Measured, row_noise: float, least: float) -> bool:
    """Whether `after` is better than `before` by more than noise and by at least `least`."""
    gain = after.mean - before.mean
    return gain >= least and gain > SIGMAS * standard_error(after, before, row_noise)
