"""Whether a loss that fell has come to rest. No TensorFlow."""

from __future__ import annotations

import math
from dataclasses import dataclass

from autofix.symptoms._judging import Array, Standing, blocks, ends, epoch_scores, level, losses, tail, trend
from autofix.trace import Trace

# Steps from which a curve has a beginning and an end.
STEPS = 40
# Share of the start that must be gone, and its standard errors: what fell less is PLATEAU's.
FELL, ERRORS = 0.05, 3.0
# Change that a run as long again foretells, as a share of the fall so far, up to which the loss rests, and how sure
# that must be: on healthy runs that are stopped early the median is 0.07.
RESTS, SURE = 0.05, 0.15
# The same for validation scores, as a share of the way from chance to perfect (see STILL_IMPROVING).
SCORE, SCORES = 0.03, 4
# Stretches in which the beginning of the rest is looked for.
STRETCHES = 20


@dataclass(frozen=True)
class Rest:
    """A loss at rest: where it began, where it is, and the step at which it got there."""

    start: float
    end: float
    since: int


def rest_of(trace: Trace, where: Standing | None) -> Rest | None:
    """Returns where a run's loss came to rest; None where it never fell, still moves or is too noisy to tell."""
    loss = losses(trace)
    if len(loss) < STEPS or len(loss) < trace.steps:
        return None
    start, end = ends(loss, trace.steps_per_epoch)
    fell = start.value - end.value
    if fell <= max(ERRORS * math.hypot(start.error, end.error), FELL * abs(start.value)):
        return None
    fit = tail(loss)
    if fit is None or abs(fit.doubling) > RESTS * fell or ERRORS * fit.error > SURE * fell:
        return None
    if _climbs(trace, where):
        return None
    return Rest(start.value, end.value, _since(loss, end.value, fell))


def _climbs(trace: Trace, where: Standing | None) -> bool:
    scores = epoch_scores(trace, where)
    if scores is None or len(scores) < SCORES or len(scores) != len(trace.scored_epochs):
        return False
    half = min(len(scores) // 2, len(scores) - SCORES)
    fit = trend(scores[half:], trace.scored_epochs[half:])
    span = where.span if where is not None else 1.0
    return fit is not None and fit.doubling > max(ERRORS * fit.error, SCORE * span)


def _since(loss: Array, end: float, fell: float) -> int:
    """Returns the first step of the last stretches whose means are all near the end."""
    step = since = len(loss)
    for part in reversed(blocks(loss, STRETCHES)):
        step -= len(part)
        mean = level(part)
        if abs(mean.value - end) > max(ERRORS * mean.error, RESTS * fell):
            break
        since = step
    return since
