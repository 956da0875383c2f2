"""DIVERGENCE: the training loss grows.

What it sees:
    The mean loss of the last quarter against the start and against the lowest stretch of the run, with standard errors;
    and against the loss of the very first batch, before any step.

Why it stalls a run:
    Steps are so long that each one ends higher than it began; the next thing is often NaN.

Likely causes:
    The learning rate is too high for these inputs and this loss.
    Inputs or targets are unscaled.
    Momentum adds up steps that are long already.
    The gradients explode through a recurrence or a deep stack.

What treats it:
    A lower rate, warm-up, clipping, scaled inputs and targets.

References:
    TheDeepChecker: at least twice the minimum. Twice means nothing near zero (0.02 after 0.01, from 2.3), so what is
    lost is measured against what had been gained. Google's Tuning Playbook suspects the input pipeline first.
"""

from __future__ import annotations

from autofix.symptom import Diagnosis, Evidence, Symptom
from autofix.symptoms._judging import blocks, eased, ends, level, losses, numbers

# Standard errors by which means must differ.
ERRORS = 3.0
# Rise above the start, as a share of it.
ABOVE_START = 0.05
# Share of the fall that was lost again.
LOST = 0.5
STRETCHES, STEPS = 10, 6
# End over the first batch's loss. Batches of 32 squared errors scatter by 0.4 of their mean, so twice is four standard
# errors above; in the calibration no healthy run ends above its first batch.
OVER_FIRST = 2.0


def judge(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """Reports a loss that ends above its start, or has lost half of what it had gained."""
    trace = evidence.trace
    if trace is None:
        return ()
    loss = losses(trace)
    if len(loss) < STEPS:
        return ()
    start, end = ends(loss, trace.steps_per_epoch)
    parts = [level(part) for part in blocks(loss, STRETCHES)]
    lowest = min(range(len(parts)), key=lambda index: parts[index].value)
    low = parts[lowest]
    since = sum(len(part) for part in blocks(loss, STRETCHES)[:lowest])
    values = numbers(start=start.value, end=end.value, lowest=low.value, error=end.error)
    if end.value - start.value > max(ERRORS * (start.error + end.error), ABOVE_START * abs(start.value)):
        text = f"It began at {start.value:.4g} and ended at {end.value:.4g} (standard error {end.error:.2g})."
        return (Diagnosis(Symptom.DIVERGENCE, eased(0.85, evidence), 0.9, text, None, since, values),)
    first = float(loss[0])
    if first > 0 and end.value - ERRORS * end.error > OVER_FIRST * first:
        text = f"The first batch had {first:.4g}, before any step; it ended at {end.value:.4g}."
        values = numbers(start=first, end=end.value, lowest=low.value, error=end.error)
        return (Diagnosis(Symptom.DIVERGENCE, eased(0.85, evidence), 0.9, text, None, 0, values),)
    gained, lost = start.value - low.value, end.value - low.value
    beyond = ERRORS * (low.error + end.error)
    if lowest < len(parts) - 2 and gained > beyond and lost > max(beyond, LOST * gained):
        text = f"It fell from {start.value:.4g} to {low.value:.4g} and rose again to {end.value:.4g}."
        return (Diagnosis(Symptom.DIVERGENCE, eased(0.7, evidence), 0.8, text, None, since, values),)
    return ()
