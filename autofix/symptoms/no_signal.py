"""NO_SIGNAL: reference learners find nothing either.

What it sees:
    The score that a linear model or a forest reached on the validation part, against the best constant prediction.

Why it stalls a run:
    Where inputs say nothing about targets there is nothing to learn. A reference learner that fails is better proof for
    tables than for images or sequences, so this only points to it; whether it holds is decided after the search.

Likely causes:
    Rows of x and y do not belong together: one of them was shuffled or joined wrongly.
    The features do not hold what decides the target.
    The labels are wrong or random.
    There are too few rows to tell.

What treats it:
    Looking at the labels and their order against the inputs, other features, more data. No setting does.

References:
    Zhang et al. 2017 (arXiv:1611.03530): networks fit random labels, so a falling training loss is no evidence.
"""

from __future__ import annotations

from autofix.symptom import Diagnosis, Evidence, Symptom
from autofix.symptoms._judging import PERFECT, numbers, standing

# Standard errors by which a score must beat chance, and the least share of the way to perfect.
ERRORS, SHARE = 2.0, 0.02
SEVERITY, CERTAINTY = 0.3, 0.6
# Once a network has found nothing either. Calibration: with shuffled targets every run stays within the margin of
# chance; below 0.7, since it says nothing against the program.
AGREED, AGREED_CERTAINTY = 0.6, 0.9


def judge(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """Reports a measured signal within noise of chance."""
    facts = evidence.facts
    if facts.signal is None:
        return ()
    margin = max(ERRORS * facts.noise, SHARE * (PERFECT - facts.chance))
    if not facts.signal - facts.chance <= margin:
        return ()
    text = (
        f"It points to data without a relation: the best of a linear model and a forest scores {facts.signal:.3f}, "
        f"a constant prediction {facts.chance:.3f}, with a standard error of {facts.noise:.3f}."
    )
    values = numbers(signal=float(facts.signal), chance=float(facts.chance), noise=float(facts.noise))
    where = standing(evidence)
    if where is not None and where.score - where.chance <= margin:
        text = f"{text[:-1]}; this run scores {where.score:.3f}."
        return (Diagnosis(Symptom.NO_SIGNAL, AGREED, AGREED_CERTAINTY, text, numbers=values),)
    return (Diagnosis(Symptom.NO_SIGNAL, SEVERITY, CERTAINTY, text, numbers=values),)
