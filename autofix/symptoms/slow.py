"""SLOW: every step goes the right way, and hardly anywhere.

What it sees:
    The size of an update relative to its weights, the fall of the loss over the whole run, and whether it slows down at
    all: a curve that is still straight after the whole run has only begun.

Why it stalls a run:
    The run would need many times its length. A rate two or three orders of magnitude too small is the usual cause.

Likely causes:
    The learning rate is two or three orders of magnitude too low.
    Plain SGD meets features of different scales.
    The gradients are small: squared errors of a squashed output, many saturating layers.
    Weights start so small that they first have to grow.

What treats it:
    A range test and a higher rate; an adaptive optimizer; scaled inputs; a loss with steeper gradients.

References:
    Karpathy's CS231n notes and TheDeepChecker: updates should be about 1e-3 of the weights, below 1e-4 is slow;
    DeepDiagnosis: 1e-5. AutoTrainer: best accuracy below 0.7 and gains below 0.01 an epoch, false on every hard task.
"""

from __future__ import annotations

import math

import numpy as np

from autofix.symptom import Diagnosis, Evidence, Symptom
from autofix.symptoms._judging import ends, learned, level, losses, numbers, standing

# Median over layers of the update over the weights.
UPDATE = 1e-4
# Total relative change of the fastest kernel: a tenth of its norm is where features begin to change.
CHANGE = 0.1
# Share of the starting loss by which a slow run fell at most.
FALL = 0.3
# Second half's fall over the first half's: 1 for a straight line, near 0 for a curve that has bent.
STRAIGHT = 0.4
# Larger updates than usual are not slow, however straight the curve (CS231n: about 1e-3).
STRAIGHT_UPDATE = 1e-3
ERRORS = 3.0
STEPS = 8


def judge(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """Reports a run that learns in the right direction at a fraction of a useful pace."""
    trace = evidence.trace
    if trace is None:
        return ()
    loss = losses(trace)
    if len(loss) < STEPS or len(loss) < trace.steps or learned(evidence):
        return ()
    start, end = ends(loss, trace.steps_per_epoch)
    fell = start.value - end.value
    scale = max(abs(start.value), 1e-12)
    if fell > FALL * scale or fell < -ERRORS * (start.error + end.error):
        return ()
    updates = [value for value in trace.update_ratio.values() if math.isfinite(value) and value >= 0]
    update = float(np.median(updates)) if updates else None
    moved = max((value for value in trace.weight_change.values() if math.isfinite(value)), default=None)
    if moved == 0:
        # Kernels that did not move at all have no gradient: that is not a matter of pace.
        return ()
    tiny = update is not None and update < UPDATE and (moved is None or moved < CHANGE)
    quarter = len(loss) // 4
    parts = [level(loss[index * quarter : (index + 1) * quarter or None]) for index in range(4)]
    first_half, second_half = parts[0].value - parts[2].value, parts[1].value - parts[3].value
    significant = second_half > ERRORS * (parts[1].error + parts[3].error)
    straight = significant and second_half > STRAIGHT * first_half and (update is None or update < STRAIGHT_UPDATE)
    where = standing(evidence)
    if not tiny and not (straight and where is not None and where.known and (where.short or where.at_chance)):
        return ()
    severity = 0.75 if where is not None and (where.at_chance or where.short) else 0.55
    text = f"The loss went from {start.value:.4g} to {end.value:.4g} in {len(loss):,} steps"
    if update is not None:
        text += f"; an update is {update:.1g} of the weights"
    if straight:
        text += "; the curve has not begun to bend"
    values = numbers(start=start.value, end=end.value, update_ratio=update, change=moved)
    certainty = 0.9 if tiny and where is not None else 0.7
    return (Diagnosis(Symptom.SLOW, severity, certainty, text + ".", None, 0, values),)
