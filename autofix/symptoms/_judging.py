"""What the trace rules share: where the score stands, and what a noisy loss curve does. No TensorFlow."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from autofix.frozen import FrozenDict
from autofix.symptom import Evidence
from autofix.trace import Trace

Array = npt.NDArray[np.float64]

# Fraction of what the data is known to allow that counts as having learned it. A forest and a logistic regression are 0
# to 4 % of it apart on iris, wine, digits and breast cancer, and neither is broken; twice that and a little is allowed.
LEARNED = 0.9
# The same where nobody measured what the data allows: half-way from chance to perfect.
LEARNED_UNKNOWN = 0.5
# Fraction of what the data allows up to which a score is no better than chance.
CHANCE = 0.2
CHANCE_UNKNOWN = 0.05
# Best balanced accuracy, and best R2.
PERFECT = 1.0
# Standard errors below what is known to be possible that are no accident.
SHORT_ERRORS = 2.0
# Steps from which half of a run gives a line that is sharper than the noise.
LONG = 100
# What remains of a severity once the run has learned: a note for the reader, no ground for a repair.
NOTE = 0.4
# What a fault of the program is raised towards once its run has failed, and how far. Calibration: without it, dead
# units, which such a fault leaves behind with 0.95, are named before a learning rate a hundred times too high.
PROVEN, RAISED = 0.95, 0.6
# Severity above a note from which it is raised in full, in proportion below: no cliff at the note itself.
IN_FULL = 0.1


@dataclass(frozen=True)
class Standing:
    """Where a score stands between chance and what the data allows.

    Attributes:
        score: The run's score on the validation part.
        chance: Score of the best constant prediction.
        reach: Score known to be possible; the perfect one where nothing is known.
        known: Whether `reach` was measured on this data and is above chance.
        hopeless: Whether it was measured and is not.
        noise: Standard error of a score.
        span: Distance from chance to the perfect score.
    """

    score: float
    chance: float
    reach: float
    known: bool
    hopeless: bool
    noise: float
    span: float

    @property
    def learned(self) -> bool:
        """Whether the run has learned about what there is to learn."""
        if self.hopeless:
            return False
        share = LEARNED if self.known else LEARNED_UNKNOWN
        slack = self.noise if self.known else 0.0
        return self.score >= self.chance + share * (self.reach - self.chance) - slack

    @property
    def at_chance(self) -> bool:
        """Whether the score is what a constant prediction gets."""
        if self.known:
            return self.score <= self.chance + CHANCE * (self.reach - self.chance)
        return self.score <= self.chance + max(self.noise, CHANCE_UNKNOWN * self.span)

    @property
    def short(self) -> bool:
        """Whether the score is clearly below what is known to be possible."""
        return self.known and not self.learned and self.score < self.reach - SHORT_ERRORS * self.noise


def standing(evidence: Evidence) -> Standing | None:
    """Returns where the run's score stands; None without a score or in other units than chance."""
    facts, score = evidence.facts, evidence.score
    if score is None or not math.isfinite(score) or not math.isfinite(facts.chance):
        return None
    noise = facts.noise if math.isfinite(facts.noise) and facts.noise > 0 else 0.0
    signal = facts.signal if facts.signal is not None and math.isfinite(facts.signal) else None
    span = evidence.perfect - facts.chance
    # Chance and signal are measured with the default metric: a metric with another best value has other units.
    if evidence.perfect != PERFECT or not span > 0:
        return None
    hopeless = signal is not None and signal - facts.chance <= max(2 * noise, 0.02 * span)
    known = signal is not None and not hopeless
    reach = signal if known and signal is not None else facts.chance + span
    return Standing(float(score), float(facts.chance), float(reach), known, hopeless, noise, span)


def learned(evidence: Evidence) -> bool:
    """Whether the run has a score and it is about what the data allows."""
    where = standing(evidence)
    return where is not None and where.learned


def eased(severity: float, evidence: Evidence) -> float:
    """Returns the severity, that of a note when the run has learned all the same."""
    return min(severity, NOTE) if learned(evidence) else severity


def confirmed(severity: float, evidence: Evidence) -> float:
    """Returns the severity of a fault of the program: that of a note when the run has learned, more when it failed.

    A note is not raised: it may have been on any run, and what failed this one is more likely something else.
    """
    where = standing(evidence)
    if where is None or severity <= NOTE or not (where.short or where.at_chance):
        return eased(severity, evidence)
    share = RAISED * min(1.0, (severity - NOTE) / IN_FULL)
    return max(severity, severity + share * (PROVEN - severity))


@dataclass(frozen=True)
class Level:
    """A mean with its standard error."""

    value: float
    error: float


def finite_part(values: Sequence[float]) -> Array:
    """Returns the values up to the first that is NaN, infinite or beyond a 64-bit float's square."""
    array = np.asarray(values, dtype=np.float64).reshape(-1)
    bad = ~(np.abs(array) < 1e100)
    return array[: int(np.argmax(bad))] if bad.any() else array


def losses(trace: Trace) -> Array:
    """Returns the losses per step up to the first that is not finite."""
    return finite_part(trace.loss)


def epoch_scores(trace: Trace, where: Standing | None) -> Array | None:
    """Returns the validation scores over time, None when one is not finite.

    What is worse than chance by more than chance is from perfect counts as just that: an R2 of -1,000 and one of -10
    are equally useless, and would drown every other score.
    """
    scores = np.asarray(trace.epoch_scores, dtype=np.float64)
    if not len(scores) or not np.isfinite(scores).all():
        return None
    return scores if where is None else np.maximum(scores, where.chance - where.span)


def scatter(values: Array) -> float:
    """Returns the standard deviation of the noise on a curve, from successive differences: a trend does not count."""
    if len(values) < 2:
        return 0.0
    return float(np.sqrt(np.mean(np.square(np.diff(values))) / 2))


def level(values: Array, fallback: float = 0.0) -> Level:
    """Returns the mean of a stretch of a curve; `fallback` is the noise to assume for a single value."""
    noise = scatter(values) if len(values) > 1 else fallback
    return Level(float(np.mean(values)), noise / math.sqrt(len(values)))


def ends(loss: Array, steps_per_epoch: int) -> tuple[Level, Level]:
    """Returns the loss at the start (a tenth of the run, an epoch at most) and in the last quarter."""
    count, head = len(loss), head_of(loss, steps_per_epoch)
    noise = scatter(loss)
    return level(loss[:head], noise), level(loss[-max(1, count // 4) :], noise)


def head_of(loss: Array, steps_per_epoch: int) -> int:
    """Returns how many steps count as the start: a tenth of the run, an epoch at most."""
    return max(1, min(len(loss) // 10, steps_per_epoch or len(loss)))


def blocks(values: Array, most: int) -> list[Array]:
    """Returns the curve cut into at most `most` stretches of about equal length."""
    return [part for part in np.array_split(values, max(1, min(most, len(values)))) if len(part)]


@dataclass(frozen=True)
class Trend:
    """Straight line through values over the logarithm of time.

    Attributes:
        doubling: Change that the line foretells when the run is as long again.
        error: Its standard error.
    """

    doubling: float
    error: float


def trend(values: Sequence[float] | Array, times: Sequence[float] | Array) -> Trend | None:
    """Fits the tail of a learning curve; None for fewer than three points or times that do not grow.

    Learning curves are close to straight lines over log time (power laws with small exponents: Hestness et al. 2017,
    arXiv:1712.00409), so this foretells less than a line over time would, and a flat curve stays flat.
    """
    y, t = np.asarray(values, dtype=np.float64), np.asarray(times, dtype=np.float64)
    count = min(len(y), len(t))
    y, t = y[:count], t[:count]
    good = np.isfinite(y) & (t > 0) & np.isfinite(t)
    y, t = y[good], t[good]
    if len(y) < 3 or t[-1] <= t[0]:
        return None
    x = np.log(t)
    x = x - x.mean()
    spread = float(x @ x)
    if spread <= 0:
        return None
    slope = float(x @ y) / spread
    rest = y - y.mean() - slope * x
    error = math.sqrt(float(rest @ rest) / max(1, len(y) - 2) / spread)
    return Trend(slope * math.log(2), error * math.log(2))


def tail(loss: Array) -> Trend | None:
    """Fits the second half of a loss curve, of a short one the last three quarters."""
    begin = len(loss) // 2 if len(loss) >= LONG else len(loss) // 4
    return trend(loss[begin:], np.arange(1.0, len(loss) + 1)[begin:])


def numbers(**values: Any) -> FrozenDict:
    """Returns measured values by name, as a finding keeps them."""
    return FrozenDict({name: _number(value) for name, value in values.items() if value is not None})


def _number(value: Any) -> Any:
    return round(float(value), 9) if isinstance(value, float) and math.isfinite(value) and abs(value) < 1e6 else value


def clip(value: float, low: float, high: float) -> float:
    """Returns the value, moved into [low, high]; `low` for NaN."""
    return low if math.isnan(value) else max(low, min(high, value))
