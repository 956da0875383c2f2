"""REGULARIZATION_DOMINATES: most of the loss is penalty.

What it sees:
    The share of regularization losses in the last loss.

Why it stalls a run:
    The optimizer shrinks weights instead of fitting data; the loss falls handsomely while it does.

What treats it:
    Smaller coefficients.

References:
    TheDeepChecker: the penalty overwhelms the loss or doubles. At the end of a good fit the data part is near zero and
    any penalty outweighs it, so a run that has learned only gets a note.
"""

from __future__ import annotations

from autofix.symptom import Diagnosis, Evidence, Symptom
from autofix.symptoms._judging import eased, losses, numbers, standing

# Share of the loss from which the penalty leads.
SHARE = 0.5
# 0.5 at half of the loss, 0.75 when it is all of it.
LOWEST, SLOPE = 0.5, 0.5
NOTED = 0.25


def judge(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """Reports a loss of which more than half is penalty."""
    trace = evidence.trace
    if trace is None or not SHARE < trace.penalty <= 1.0:
        return ()
    where = standing(evidence)
    severity = LOWEST + SLOPE * (trace.penalty - SHARE)
    severity = NOTED if where is not None and where.learned else eased(severity, evidence)
    loss = losses(trace)
    text = f"{trace.penalty:.0%} of the last loss is penalty on weights"
    text += f" ({trace.penalty * float(loss[-1]):.3g} of {float(loss[-1]):.3g})." if len(loss) else "."
    values = numbers(penalty=float(trace.penalty), last=float(loss[-1]) if len(loss) else None)
    return (Diagnosis(Symptom.REGULARIZATION_DOMINATES, severity, 0.9, text, numbers=values),)
