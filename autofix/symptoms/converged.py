"""CONVERGED: the run came to rest where it can be.

What it sees:
    The same loss at rest as LATE_PLATEAU, under a score that is what the data is known to allow.

Why it stalls a run:
    It does not. More epochs would change nothing: the flat end of the curve is the goal.

Likely causes:
    The run is done.

What treats it:
    Nothing has to. A better score takes other data or another kind of model.

References:
    Prechelt 1998, "Early stopping, but when?": a run is over when the validation error no longer falls.
"""

from __future__ import annotations

from autofix.symptom import Diagnosis, Evidence, Symptom
from autofix.symptoms._judging import numbers, standing
from autofix.symptoms._resting import rest_of

SEVERITY = 0.1


def judge(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """Notes a loss at rest under a score that was measured to be about all there is."""
    trace, where = evidence.trace, standing(evidence)
    if trace is None or where is None or not (where.known and where.learned):
        return ()
    rest = rest_of(trace, where)
    if rest is None:
        return ()
    text = (
        f"The loss fell from {rest.start:.4g} to {rest.end:.4g} and has rested there since about step {rest.since:,}, "
        f"with a score of {where.score:.3f}; reference learners reach {where.reach:.3f}."
    )
    values = numbers(start=rest.start, end=rest.end, since=rest.since, score=where.score, reach=where.reach)
    return (Diagnosis(Symptom.CONVERGED, SEVERITY, 0.8, text, None, rest.since, values),)
