"""TINY_BATCH_NORMALIZATION: a batch normalization that sees one value per channel, or very few.

What it sees:
    Rows in a batch times the positions of a channel, for every batch normalization that is not frozen; and the same for
    the last batch of an epoch, which may hold a single row.

Why it stalls a run:
    One value minus its own mean is 0, whatever it was: nothing passes while training. Two values become -1 and 1. What
    the moving averages then hold is not what the layers behind were trained on.

Likely causes:
    A batch size of one or a few, for want of memory or by mistake.
    The last batch of an epoch holds a single row.
    Rows are fed one by one in a loop.

What treats it:
    A larger batch; layer or group normalization instead.

References:
    Ioffe and Szegedy 2015 (arXiv:1502.03167); Wu and He 2018 (arXiv:1803.08494). Measured on digits (two normalized
    layers, 3 epochs), accuracy with and without normalization: 0.10 and 0.96 at batch size 1, 0.85 and 0.96 at 2, 0.91
    and 0.96 at 3, 0.93 and 0.96 at 4, 0.94 and 0.95 at 8.
"""

from __future__ import annotations

from autofix.symptom import Diagnosis, Evidence, Symptom
from autofix.symptoms._judging import eased, numbers
from autofix.symptoms._normalizing import epoch_rows, normalizations

# Severity by values per channel (see above).
GRADES = ((1, 0.9), (2, 0.55), (3, 0.4), (4, 0.3))
# A last batch of one value per channel: a step an epoch, and a share of the moving averages.
LAST = 0.35


def judge(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """Reports each normalization over at most four values, in every batch or in the last."""
    facts = evidence.facts
    rows = epoch_rows(facts.epoch_rows, facts.rows[0])
    if rows < 1:
        return ()
    batch = min(int(evidence.recipe.fit.get("batch_size") or 32), rows)
    last = rows % batch
    found = []
    for item in normalizations(evidence.recipe):
        values = batch * item.positions
        severity = next((grade for most, grade in GRADES if values <= most), None)
        count = f"{values} value{'s' if values > 1 else ''}"
        text = f"In batches of {batch}, each channel is normalized over {count}."
        if severity is None and last * item.positions == 1:
            severity, values = LAST, 1
            text = f"The last of {rows:,} rows are a batch of one, of which each channel is normalized over 1 value."
        if severity is not None:
            measured = numbers(batch_size=batch, values=values, last_batch=last)
            found.append(
                Diagnosis(
                    Symptom.TINY_BATCH_NORMALIZATION, eased(severity, evidence), 1.0, text, item.path, numbers=measured
                )
            )
    return tuple(found)
