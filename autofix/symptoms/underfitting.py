"""UNDERFITTING: the model does not even reach on its own training rows what others reach on new ones.

What it sees:
    The score on training rows against what a linear model or a forest reaches on the validation part.

Why it stalls a run:
    The model cannot hold the relation, or the run did not find it; validation tricks will not help.

Likely causes:
    The run did not get there: learning rate, scaling or vanishing gradients.
    Too few epochs.
    Dropout or penalties are too strong.
    Too few units or layers, or no activation between them.

What treats it:
    Whatever stalls the optimization first; longer training, less regularization, more units last.

References:
    Goodfellow et al. 2016, "Deep Learning", section 5.2. A score on training rows is optimistic, so falling short of a
    validation score by a tenth of what there is to learn is beyond doubt.
"""

from __future__ import annotations

import math

from autofix.symptom import Diagnosis, Evidence, Symptom
from autofix.symptoms import late_plateau, still_improving
from autofix.symptoms._judging import NOTE, losses, numbers, standing

# Shortfall as a share of what the reference learner found, and in standard errors.
SHORT, ERRORS = 0.1, 2.0
# 0.55 just below the reference, 0.85 at chance.
LOWEST, SLOPE, HIGHEST = 0.55, 0.3, 0.85
# How sure it is that the model is what falls short; less while the run still improves, for it may only need its time,
# and where it came to rest too soon, which says more.
CERTAINTY, EXPLAINED = 0.9, 0.5


def judge(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """Reports a training score well below what is known to be possible."""
    trace, where = evidence.trace, standing(evidence)
    if trace is None or where is None or not where.known or where.learned:
        return ()
    if trace.train_score is None or not math.isfinite(trace.train_score):
        return ()
    if len(losses(trace)) < trace.steps or any(not item.finite for item in trace.predictions):
        return ()
    room = where.reach - where.chance
    short = where.reach - trace.train_score
    if short <= max(SHORT * room, ERRORS * where.noise):
        return ()
    severity = min(HIGHEST, LOWEST + SLOPE * min(1.0, short / room))
    text = (
        f"It scores {trace.train_score:.3f} on its own training rows; a linear model or a forest reaches "
        f"{where.reach:.3f} on rows it has not seen."
    )
    values = numbers(train=float(trace.train_score), signal=where.reach, chance=where.chance, short=short)
    rules = (still_improving.judge, late_plateau.judge)
    explained = any(item.severity > NOTE for rule in rules for item in rule(evidence))
    certainty = EXPLAINED if explained else CERTAINTY
    return (Diagnosis(Symptom.UNDERFITTING, severity, certainty, text, numbers=values),)
