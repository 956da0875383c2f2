"""LAST_BATCH: the last batch of every epoch holds one or two rows.

What it sees:
    The rows that the batch size leaves over, and the batch normalizations that take their statistics from them.

Why it stalls a run:
    The loss is a mean over the batch, so one row moves the weights as far as a full batch does, and in no particular
    direction; it does so right before the epoch is judged. A batch normalization also puts that batch's variance into
    its moving averages, with a weight of 1 - momentum.

Likely causes:
    The number of rows leaves a rest of one or two over the batch size.

What treats it:
    Another batch size; leaving the rest out (`drop_remainder=True` of `tf.data`).

References:
    `drop_last` of PyTorch's loaders exists for it. Measured on digits with 1,249 rows in batches of 32 (39 full ones
    and a row): no loss of accuracy without normalization or with Keras' momentum of 0.99, 0.91 instead of 0.96 with a
    momentum of 0.5. So it is a note.
"""

from __future__ import annotations

from autofix.symptom import Diagnosis, Evidence, Symptom
from autofix.symptoms._judging import eased, numbers
from autofix.symptoms._normalizing import epoch_rows, normalizations

# Rows that make no batch, and the batch size from which it is a rest rather than the habit.
FEW, BATCH = 2, 8
# Values per channel under which a variance is mostly accident, and the part of a batch that is a rest.
VALUES, PART = 8, 16
# Momentum from which one batch is a hundredth or less of the average.
STEADY = 0.95
PLAIN, NORMALIZED, UNSTEADY = 0.2, 0.3, 0.45


def judge(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """Reports a rest of one or two rows, or one that is tiny for the normalizations that see it."""
    facts = evidence.facts
    rows = epoch_rows(facts.epoch_rows, facts.rows[0])
    batch = int(evidence.recipe.fit.get("batch_size") or 32)
    last = rows % batch if batch > 0 else 0
    if rows <= batch or batch < BATCH or last == 0:
        return ()
    touched = [item for item in normalizations(evidence.recipe) if last * item.positions < VALUES]
    if last > FEW and (not touched or last * PART > batch):
        return ()
    steps = -(-rows // batch)
    severity = PLAIN
    text = f"{rows:,} rows in batches of {batch} leave {last} for the last of {steps:,} steps an epoch"
    if touched:
        momentum = min(item.momentum for item in touched)
        severity = NORMALIZED if momentum >= STEADY else UNSTEADY
        text += f", which the batch normalization takes into averages of momentum {momentum:g}"
    values = numbers(rows=rows, batch_size=batch, last_batch=last, steps_per_epoch=steps)
    return (Diagnosis(Symptom.LAST_BATCH, eased(severity, evidence), 1.0, text + ".", numbers=values),)
