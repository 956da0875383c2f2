"""PLATEAU: the loss stays where a constant prediction has it.

What it sees:
    The mean loss of the first steps, of the second and of the last quarter, with their standard errors, and whether the
    score is that of a constant prediction.

Why it stalls a run:
    It is the stall itself, whatever the cause: vanished gradients, dead layers, a rate too small or too large, a
    penalty that outweighs the data, a loss that does not fit.

Likely causes:
    The learning rate is too high or too low for anything to happen.
    Gradients vanish, or units are dead or saturated.
    The output layer and the loss do not fit each other.
    Inputs or targets are unscaled.
    A penalty outweighs the data.
    Inputs and targets have no relation.

What treats it:
    What treats the causes found beside it; without one: learning rate, activation, initialization, scaling.

References:
    DeepDiagnosis: loss constant for 5 epochs; TheDeepChecker: under 5 % less in every window. A fixed percentage is
    false on a regression with little to explain, so the score has to be at chance as well.
"""

from __future__ import annotations

import math

from autofix.symptom import Diagnosis, Evidence, Symptom
from autofix.symptoms import divergence
from autofix.symptoms._judging import ends, head_of, level, losses, numbers, scatter, standing, tail

# Standard errors within which two means are the same.
ERRORS = 3.0
# Relative change that is none even where the noise is tiny (full batches); ln 10 falls by 0.05.
CHANGE = 0.02
# Fall of the loss, as a share of it, that together with a score clear of chance is a beginning. Calibration: one epoch
# of sixteen steps leaves a tenth to a sixth of the way done, within the scatter of its first two losses.
FALL = 0.1
# Steps from which a flat curve says something.
STEPS = 4
SEVERITY = 0.9


def judge(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """Reports a loss that never fell, or fell to that of a constant prediction and stays there."""
    trace = evidence.trace
    if trace is None:
        return ()
    loss = losses(trace)
    if len(loss) < STEPS or len(loss) < trace.steps or divergence.judge(evidence):
        return ()
    where = standing(evidence)
    if where is not None and not where.at_chance:
        return ()
    start, end = ends(loss, trace.steps_per_epoch)
    quarter = max(1, len(loss) // 4)
    second = level(loss[quarter : 2 * quarter])
    scale = max(abs(start.value), abs(end.value), 1e-12)
    fell = start.value - end.value
    if where is not None and fell > FALL * scale and where.score > where.chance + ERRORS * where.noise > where.chance:
        # Little learned, in a run of few steps, is not nothing.
        return ()
    fit = tail(loss)
    falling = fit is not None and -fit.doubling > max(ERRORS * fit.error, CHANGE / 4 * abs(end.value))
    # The noise of the later run: a steep start would hide itself in its own scatter.
    start_error = scatter(loss[quarter:]) / math.sqrt(head_of(loss, trace.steps_per_epoch))
    never = abs(fell) <= max(ERRORS * math.hypot(start_error, end.error), CHANGE * scale)
    moved = abs(second.value - end.value)
    rests = moved <= max(ERRORS * math.hypot(second.error, end.error), CHANGE / 4 * abs(end.value))
    if falling:
        # A short run may end within the noise of its start and be on its way all the same.
        return ()
    if where is None and not (never and rests):
        return ()
    if not never and not (rests and len(loss) >= 4 * STEPS):
        return ()
    steps = f"{len(loss):,} steps (standard error {end.error:.2g})"
    text = f"It began at {start.value:.4g} and was {end.value:.4g} after {steps}"
    if where is not None:
        text += f"; the score of {where.score:.3f} is no better than that of a constant, {where.chance:.3f}"
    values = numbers(start=start.value, end=end.value, error=end.error, steps=len(loss))
    certainty = 0.9 if where is not None else 0.6
    return (Diagnosis(Symptom.PLATEAU, SEVERITY, certainty, text + ".", None, 0, values),)
