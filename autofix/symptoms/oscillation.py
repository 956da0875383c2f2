"""OSCILLATION: the loss or the score swings widely and gets nowhere.

What it sees:
    Means of the loss over stretches of the run: swings far beyond what the scatter of single batches explains, without
    progress from the first to the second half; or validation scores that jump by several standard errors, likewise.

Why it stalls a run:
    Steps overshoot: the run jumps over the low points instead of going down into them.

Likely causes:
    The learning rate is too high for the last part of the way.
    Batches are so small that each step goes in another direction.
    Momentum carries the weights beyond the low points.
    Features of very different scales make one direction steep and others flat.

What treats it:
    A lower rate, less momentum, larger batches, Adam instead of plain SGD; scaling where curvature is uneven.

References:
    AutoTrainer: accuracy extremes at least 0.03 apart in a fifth of the epochs, which noisy healthy runs show too;
    DEFault: 0.01. Averages of n independent batch losses scatter by sigma/sqrt(n); a swing has to exceed that here.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from autofix.symptom import Diagnosis, Evidence, Symptom
from autofix.symptoms._judging import (
    Array,
    Level,
    blocks,
    epoch_scores,
    level,
    losses,
    numbers,
    scatter,
    standing,
    trend,
)

# Stretches that a run is cut into, and steps it needs.
STRETCHES, STEPS = 12, 24
# Moves of the means that count, over what single batches explain and over the usual loss; turns that make waves.
BEYOND_NOISE, SWING, TURNS = 3.0, 0.1, 3
# The same in short stretches, where momentum swings within what a twelfth of a run averages out. Calibration: nets that
# swing turn 6 to 30 times by half of their usual loss.
SHORT_STRETCHES, SHORT_STEPS, SHORT_SWING, SHORT_TURNS = 60, 4, 0.5, 6
# Fall from the first half to the second, as a share of it, that is progress.
PROGRESS = 0.05
# Scatter of single losses over their mean: squared errors of 32 rows scatter by about sqrt(5 / 32) = 0.4.
SPREAD_OF_SQUARES = 5.0
STEP_SWING, LEAST_STEP_SWING = 2.0, 0.5
# Jumps of the score, as a share of the way from chance to perfect and in its standard errors.
JUMP, JUMP_ERRORS, SCORES = 0.08, 3.0, 5
SEVERITY = 0.7


def judge(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """Reports swings without progress in the loss, or in the validation score."""
    trace = evidence.trace
    if trace is None:
        return ()
    where = standing(evidence)
    if where is not None and where.learned:
        return ()
    loss = losses(trace)
    found = _loss(evidence, loss) if len(loss) >= STEPS and len(loss) == trace.steps else None
    found = found or _scores(evidence)
    return (found,) if found is not None else ()


def _loss(evidence: Evidence, loss: Array) -> Diagnosis | None:
    parts = [level(part) for part in blocks(loss, STRETCHES)]
    means = np.asarray([part.value for part in parts])
    if _progress(parts):
        return None
    size = max(float(np.median(np.abs(means))), 1e-12)
    expected = float(np.median([part.error for part in parts]))
    turns = _turns(means, max(BEYOND_NOISE * math.sqrt(2) * expected, SWING * size))
    rest = loss[len(loss) // 2 :]
    step_swing = scatter(rest) / max(float(np.abs(rest).mean()), 1e-12)
    batch = max(1, int(evidence.recipe.fit.get("batch_size") or 32))
    usual = math.sqrt(SPREAD_OF_SQUARES / batch)
    quick = _quick_turns(loss)
    if turns < TURNS and quick < SHORT_TURNS and step_swing <= max(LEAST_STEP_SWING, STEP_SWING * usual):
        return None
    text = (
        f"Its means over {len(parts)} stretches go up and down between {means.min():.4g} and {means.max():.4g}, "
        f"turning {turns} times ({quick} times over short ones), single batches scatter by {step_swing:.0%} of their "
        "mean, and the second half is no lower than the first."
    )
    values = numbers(
        turns=turns,
        quick_turns=quick,
        step_swing=step_swing,
        expected=expected,
        lowest=float(means.min()),
        highest=float(means.max()),
    )
    return Diagnosis(Symptom.OSCILLATION, SEVERITY, 0.7, text, numbers=values)


def _quick_turns(loss: Array) -> int:
    """Returns how often the means of short stretches turn round; 0 for a run too short for them."""
    if len(loss) < SHORT_STRETCHES * SHORT_STEPS:
        return 0
    parts = [level(part) for part in blocks(loss, SHORT_STRETCHES)]
    means = np.asarray([part.value for part in parts])
    size = max(float(np.median(np.abs(means))), 1e-12)
    noise = float(np.median([part.error for part in parts]))
    return _turns(means, max(BEYOND_NOISE * math.sqrt(2) * noise, SHORT_SWING * size))


def _turns(means: Array, least: float) -> int:
    """Returns how often the means turn round after a move of at least `least`."""
    moves = [np.sign(move) for move in np.diff(means) if abs(move) > least]
    return sum(1 for one, two in pairwise(moves) if one != two)


def _progress(parts: list[Level]) -> bool:
    """Whether the second half is lower than the first beyond noise; medians, since one spike is no trend."""
    half = len(parts) // 2
    early, late = parts[:half] or parts, parts[half:]
    before = float(np.median([part.value for part in early]))
    after = float(np.median([part.value for part in late]))
    error = float(np.median([part.error for part in parts])) / math.sqrt(max(1, half))
    return before - after > max(2 * math.sqrt(2) * error, PROGRESS * abs(before))


def _scores(evidence: Evidence) -> Diagnosis | None:
    trace, where = evidence.trace, standing(evidence)
    if trace is None or where is None or len(trace.epoch_scores) < SCORES:
        return None
    scores = epoch_scores(trace, where)
    if scores is None:
        return None
    jump = float(np.sqrt(np.mean(np.square(np.diff(scores))) / 2))
    if jump <= max(JUMP * where.span, JUMP_ERRORS * where.noise):
        return None
    dated = len(trace.scored_epochs) == len(scores)
    line = trend(scores, trace.scored_epochs if dated else np.arange(1.0, len(scores) + 1))
    half = len(scores) // 2
    rises = line is not None and line.doubling > 2 * line.error
    if rises or scores[half:].mean() > scores[:half].mean() + where.noise:
        return None
    text = (
        f"The validation score jumps between {scores.min():.3f} and {scores.max():.3f} from epoch to epoch, "
        f"by {jump:.2g} against a standard error of {where.noise:.2g}, and does not rise."
    )
    values = numbers(jump=jump, noise=where.noise, lowest=float(scores.min()), highest=float(scores.max()))
    return Diagnosis(Symptom.OSCILLATION, SEVERITY, 0.7, text, numbers=values)
