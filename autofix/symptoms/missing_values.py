"""MISSING_VALUES: NaN or infinity in inputs or targets.

What it sees:
    The fraction of values that are not finite, per input and target.

Why it stalls a run:
    One NaN in a batch makes the loss NaN, the gradient NaN and, one step later, every weight NaN; nothing recovers.

Likely causes:
    Gaps in the table were read as NaN.
    A logarithm of zero or a division by zero made an infinity.
    Rows were joined that have no partner.

What treats it:
    Imputing inside the model; dropping the rows where the target is missing.

References:
    UMLAUT (Schoop et al. 2021) checks the inputs for NaN first. With 2 % of the values missing at random, a batch of 32
    rows by 10 features is free of them with probability 0.98**320 = 0.0016, hence severity 1.
"""

from __future__ import annotations

from autofix.symptom import Diagnosis, Evidence, Symptom
from autofix.symptoms._judging import numbers


def judge(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """Reports every input and target with values that are not finite."""
    found = []
    for item in evidence.facts.inputs:
        if item.missing > 0:
            text = (
                f"Input {item.name!r}: {item.missing:.2%} of the values are NaN or infinite, "
                f"in {item.missing_features} of its features."
            )
            values = numbers(input=item.name, missing=item.missing, features=item.missing_features)
            found.append(Diagnosis(Symptom.MISSING_VALUES, 1.0, 1.0, text, numbers=values))
    for target in evidence.facts.targets:
        if target.missing > 0:
            text = f"Target {target.name!r}: {target.missing:.2%} of the values are NaN or infinite."
            values = numbers(target=target.name, missing=target.missing)
            found.append(Diagnosis(Symptom.MISSING_VALUES, 1.0, 1.0, text, numbers=values))
    return tuple(found)
