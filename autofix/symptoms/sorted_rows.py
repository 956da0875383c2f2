"""SORTED_ROWS: rows sorted by what is to be predicted, fed in that order.

What it sees:
    Training rows that come class by class (or with growing or falling targets), and `shuffle=False` in `fit`, so that a
    batch holds one class alone.

Why it stalls a run:
    Each batch pulls everything towards its one class; what the next one teaches, the one after undoes. What came last
    is predicted.

Likely causes:
    The file is sorted by class, or was read one folder a class, and `shuffle=False` keeps it so.
    A dataset is batched without `shuffle`, or with a buffer smaller than a class.

What treats it:
    Shuffling: `shuffle=True`, Keras' default.

References:
    Bengio 2012 (arXiv:1206.5533), section 2.1: batches must be drawn at random. Measured on digits (two hidden layers,
    15 epochs): accuracy 0.955 shuffled and 0.533 sorted with SGD at 0.1; 0.964 and 0.947 with Adam, which evens it out.
"""

from __future__ import annotations

from autofix.symptom import Diagnosis, Evidence, Symptom
from autofix.symptoms._judging import eased, numbers

SEVERITY = 0.65


def judge(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """Reports sorted rows that nothing shuffles; one batch of all rows has no order."""
    facts, fit = evidence.facts, evidence.recipe.fit
    batch = int(fit.get("batch_size") or 32)
    if not facts.sorted_labels or fit.get("shuffle", True) is not False or batch >= facts.rows[0]:
        return ()
    kinds = " and ".join(sorted({"class" if target.classes else "target" for target in facts.targets}))
    text = f"The {facts.rows[0]:,} training rows are sorted by {kinds}, and `shuffle=False` feeds them in that order."
    values = numbers(rows=facts.rows[0], batch_size=batch)
    return (Diagnosis(Symptom.SORTED_ROWS, eased(SEVERITY, evidence), 1.0, text, numbers=values),)
