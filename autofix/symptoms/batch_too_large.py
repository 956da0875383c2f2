"""BATCH_TOO_LARGE: so few steps that no learning rate can make up for it.

What it sees:
    Steps an epoch and steps in all, from rows, batch size and epochs.

Why it stalls a run:
    The number of updates, not of rows seen, decides how far the weights get. A batch of 512 on 400 rows is one step an
    epoch: ten epochs are ten steps.

Likely causes:
    The batch size was taken from an example with far more rows.
    All rows are fed as one batch.
    Too few epochs for a batch of that size.

What treats it:
    A smaller batch (with the learning rate looked at again); more epochs.

References:
    Keskar et al. 2017 (arXiv:1609.04836); Hoffer et al. 2017 (arXiv:1705.08741), "train longer": the generalization
    gap of large batches is one of too few updates. DeepFD lists batch size in 3 of 52 programs. Adam at 0.001 needs at
    least 125 steps to move a Glorot weight of 64 units by its own size (0.125).
"""

from __future__ import annotations

from autofix.symptom import Diagnosis, Evidence, Symptom
from autofix.symptoms._judging import eased, numbers
from autofix.symptoms._program import total_steps

# Steps an epoch under which a batch is nearly the whole data.
STEPS_PER_EPOCH = 5
# Steps in all within which Adam at 0.001 goes the length of a usual weight.
STEPS = 200
# A batch of the default size or less is not what is wrong.
SMALL_BATCH = 32
# Severity by steps in all.
GRADES = ((20, 0.65), (50, 0.55), (STEPS, 0.4))


def judge(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """Reports a batch size that leaves fewer than five steps an epoch and fewer than 200 in all."""
    rows = evidence.facts.rows[0]
    if rows < 1:
        return ()
    batch = int(evidence.recipe.fit.get("batch_size") or 32)
    per_epoch, steps = total_steps(evidence.recipe, rows)
    if per_epoch >= STEPS_PER_EPOCH or steps >= STEPS or batch <= SMALL_BATCH:
        return ()
    severity = eased(next(grade for limit, grade in GRADES if steps < limit), evidence)
    text = f"Batches of {batch} rows out of {rows:,} make {per_epoch} steps an epoch, {steps} in the whole run."
    values = numbers(batch_size=batch, rows=rows, steps_per_epoch=per_epoch, steps=steps)
    return (Diagnosis(Symptom.BATCH_TOO_LARGE, severity, 1.0, text, numbers=values),)
