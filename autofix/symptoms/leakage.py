"""LEAKAGE: the score says less than it seems to, because something gives the answers away.

What it sees:
    The column of a table that predicts unseen targets nearly perfectly by itself, where the yardstick gets far less out
    of all the others together; and the share of validation rows whose inputs are those of a training row.

Why it stalls a run:
    It does not: it makes a run look better than it is, and what was learned is gone where the column is. A note to
    think about, never a reason for a repair.

Likely causes:
    A column holds the answer in another form: a code, a sum, a date after the fact.
    A column is the position in a file that is sorted by the answer.
    Copies of a row stand on both sides of the division.

What treats it:
    Leaving the column out, or dividing the rows so that copies stay together.

References:
    Kaufman et al., TKDD 2012, "Leakage in data mining". Kapoor and Narayanan, Patterns 2023. deepchecks' single-feature
    predictive power and train-test duplicates. On iris, wine and breast cancer all other columns together still go 0.92
    of the way and more, so what goes 0.85 at most is not merely less handy.
"""

from __future__ import annotations

from autofix.facts import TaskKind
from autofix.symptom import Diagnosis, Evidence, Symptom
from autofix.symptoms._judging import numbers

SEVERITY = 0.3
# Share of validation rows that are copies from which it is no accident of sampling.
COPIES = 0.05
# Different values among those looked at from which an input is no set of flags, whose rows repeat by themselves.
DISTINCT = 100


def judge(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """Reports a column that tells all, and validation rows that were trained on."""
    facts = evidence.facts
    found = []
    told = facts.giveaway
    if told is not None:
        text = (
            f"Column {told.feature} of input {told.input!r} alone scores {told.alone:.3f} on unseen rows, all the "
            f"others together {told.without:.3f}: make sure that it is known by the time a prediction is wanted."
        )
        values = numbers(feature=told.feature, alone=told.alone, without=told.without, input=told.input)
        found.append(Diagnosis(Symptom.LEAKAGE, SEVERITY, 0.6, text, numbers=values))
    varied = any(item.distinct >= DISTINCT and not item.integral for item in facts.inputs)
    if facts.repeats >= COPIES and varied:
        text = f"The inputs of {facts.repeats:.0%} of the validation rows are those of a training row."
        kinds = {target.kind for target in facts.targets}
        certainty = 0.8 if TaskKind.REGRESSION not in kinds else 0.7
        found.append(Diagnosis(Symptom.LEAKAGE, SEVERITY, certainty, text, numbers=numbers(repeats=facts.repeats)))
    return tuple(found)
