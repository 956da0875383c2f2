"""LATE_PLATEAU: the loss fell, then came to rest short of what the data allows.

What it sees:
    Whether the losses, and the validation scores where there are some, still move in the later half of the run beyond
    their noise; and whether the score is clearly below that of the reference learners, on training rows as well.

Why it stalls a run:
    Something was learned and something holds the rest back: a learning rate too large to settle or decayed too soon, a
    network too small, layers that died on the way, a penalty in balance with the loss.

Likely causes:
    The learning rate is too large to settle, or a schedule let it decay too soon.
    The network is too small for what is left to learn.
    Layers died or saturated on the way.
    A penalty is in balance with the loss.

What treats it:
    What treats the causes found beside it; without one: the learning rate, the optimizer, more units.

References:
    SageMaker's LossNotDecreasing, DeepDiagnosis' loss constant for 5 epochs and Keras' `ReduceLROnPlateau` see a flat
    loss and cannot tell whether it may rest: with a reference learner that scores higher, it may not. PLATEAU is the
    one from the start, CONVERGED the one that is as it should be.
"""

from __future__ import annotations

from autofix.symptom import Diagnosis, Evidence, Symptom
from autofix.symptoms._judging import numbers, standing
from autofix.symptoms._resting import rest_of

SEVERITY = 0.65
# Loss at rest, as a share of the first, under which the training rows are fitted: what is missing is no training.
FITTED = 0.02


def judge(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """Reports a loss at rest under a score that is short of what reference learners reach."""
    trace, where = evidence.trace, standing(evidence)
    if trace is None or where is None or not where.short or where.at_chance:
        return ()
    rest = rest_of(trace, where)
    if rest is None or rest.end <= FITTED * abs(rest.start):
        return ()
    if trace.train_score is not None and trace.train_score >= where.reach - where.noise:
        return ()
    text = (
        f"The loss fell from {rest.start:.4g} to {rest.end:.4g} and has rested there since about step {rest.since:,}; "
        f"the score of {where.score:.3f} is short of {where.reach:.3f}, which a reference learner reaches."
    )
    values = numbers(start=rest.start, end=rest.end, since=rest.since, score=where.score, reach=where.reach)
    return (Diagnosis(Symptom.LATE_PLATEAU, SEVERITY, 0.8, text, None, rest.since, values),)
