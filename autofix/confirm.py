"""The proof: fresh seeds, paired against the run as it came, on rows that the search never saw."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from autofix.change import Patch
from autofix.outcome import Outcome, Status
from autofix.recipe import Recipe
from autofix.scoring import FLOOR_TIE
from autofix.training import Trains

SEEDS = (101, 102, 103)
# Taken in turn while a gain is there but not yet beyond noise, as for a run that works for some seeds only.
MORE_SEEDS = (104, 105, 106, 107, 108)
# A difference must be this many standard errors above zero (one-sided normal: one false claim in forty), and at
# least as large as a gain worth telling of; the hopeless runs of the quality suite watch over it.
SIGMAS = 2.0


@dataclass(frozen=True)
class Measured:
    """Scores of one recipe on the holdout part.

    Attributes:
        mean: Mean over seeds.
        spread: Standard deviation over seeds.
        values: One score per seed.
        outputs: Name and mean score of each output of a model that has several; `mean` is over them too.
    """

    mean: float
    spread: float
    values: tuple[float, ...]
    outcomes: tuple[Outcome, ...] = field(default=(), compare=False, repr=False)
    outputs: tuple[tuple[str, float], ...] = ()

    @classmethod
    def of(cls, outcomes: Sequence[Outcome], floor: float) -> Measured:
        """Summarises runs; one without usable predictions counts as `floor`."""
        values = tuple(
            o.holdout.value if o.holdout is not None and o.holdout.tie > FLOOR_TIE else floor for o in outcomes
        )
        spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
        return cls(float(np.mean(values)), spread, values, tuple(outcomes), _by_output(outcomes))

    def __str__(self) -> str:
        return f"{self.mean:.3f} ± {self.spread:.3f}" if len(self.values) > 1 else f"{self.mean:.3f}"

    def to_dict(self) -> dict[str, Any]:
        """Returns the scores as JSON-ready data."""
        document: dict[str, Any] = {"mean": self.mean, "spread": self.spread, "values": list(self.values)}
        return {**document, "outputs": dict(self.outputs)} if self.outputs else document


def _by_output(outcomes: Sequence[Outcome]) -> tuple[tuple[str, float], ...]:
    parts = [outcome.holdout.parts for outcome in outcomes if outcome.holdout is not None]
    if not parts or len(parts[0]) < 2:
        return ()
    named = next((outcome.predictions for outcome in outcomes if len(outcome.predictions) == len(parts[0])), ())
    names = [one.output for one in named] or [f"output {place}" for place in range(1, len(parts[0]) + 1)]
    return tuple(zip(names, np.mean(parts, axis=0).tolist(), strict=True))


def measure(
    contenders: Sequence[tuple[Recipe, Patch]],
    trainer: Trains,
    *,
    floor: float,
    deadline: float = math.inf,
    on_trial: Callable[[Outcome], None] = lambda outcome: None,
    decided: Callable[[Sequence[Measured]], bool] = lambda measured: True,
    now: Callable[[], float] = time.monotonic,
) -> list[Measured] | None:
    """Trains every contender with the same fresh seeds and scores the holdout part.

    Seeds are done one after the other, all contenders of one at the same time, so that whatever the time allows is
    paired.

    Args:
        contenders: Recipes and the patches that made them.
        trainer: Trains them.
        floor: Counts for a run without a score.
        deadline: In seconds of `now`.
        on_trial: Told of every run.
        decided: Whether the scores settle the matter; more seeds are used if not.
        now: Tells the time.

    Returns:
        Scores per contender; None if not even one seed was done.
    """
    done: list[list[Outcome]] = [[] for _ in contenders]
    for seed in (*SEEDS, *MORE_SEEDS):
        if seed in MORE_SEEDS and decided([Measured.of(column, floor) for column in done]):
            break
        if now() >= deadline:
            break
        row = trainer.together(
            [
                partial(trainer.run, recipe, patch, seed=seed, holdout=True, whole=True, deadline=deadline)
                for recipe, patch in contenders
            ]
        )
        if any(outcome.status is Status.CUT for outcome in row):
            break
        for outcome in row:
            on_trial(outcome)
        for column, outcome in zip(done, row, strict=True):
            column.append(outcome)
    return [Measured.of(column, floor) for column in done] if done[0] else None


def beats(after: Measured, before: Measured, least: float, floor: float) -> bool:
    """Whether `after` is better than `before` by more than noise and by at least `least`.

    Noise is the spread of the gain over paired seeds, and over bootstrap draws of the rows both were scored on.

    Args:
        after: Scores with the patch.
        before: Scores without it, on the same rows; paired by seed.
        least: Smallest gain that counts, in units of the score.
        floor: Score of guessing. What is worse counts as guessing, lest one wild failure passes for spread.
    """
    count = min(len(after.values), len(before.values))
    gains = np.maximum(after.values[:count], floor) - np.maximum(before.values[:count], floor)
    seeds = float(np.std(gains, ddof=1)) / math.sqrt(count) if count > 1 else 0.0
    rows = float(np.std(_resampled(after, count, floor) - _resampled(before, count, floor)))
    gain = float(np.mean(gains))
    return gain >= least and gain > SIGMAS * math.hypot(seeds, rows)


def _resampled(measured: Measured, count: int, floor: float) -> np.ndarray:
    """Mean score over seeds on each bootstrap draw of the rows, float array [draws]."""
    drawn = [
        np.maximum(outcome.resampled, floor) if outcome.resampled else floor for outcome in measured.outcomes[:count]
    ]
    return np.asarray(sum(drawn[1:], start=np.asarray(drawn[0], dtype=float)) / len(drawn))
