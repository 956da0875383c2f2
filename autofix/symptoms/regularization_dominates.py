"""REGULARIZATION_DOMINATES: most of the loss is penalty.

What it sees:
    The share of regularization losses in the last loss; and kernels with a penalty that shrank to a fraction of their
    norm, after which the penalty is small again.

Why it stalls a run:
    The optimizer shrinks weights instead of fitting data; the loss falls handsomely while it does.

Likely causes:
    The coefficient of L1 or L2 is too large; common ones lie between 1e-5 and 1e-3.
    Every layer has a penalty, and they add up.
    The penalty was set for a loss that is summed, not averaged, over rows.

What treats it:
    Smaller coefficients.

References:
    TheDeepChecker: the penalty overwhelms the loss or doubles. At the end of a good fit the data part is near zero and
    any penalty outweighs it, so a run that has learned only gets a note.
"""

from __future__ import annotations

import math

import numpy as np

from autofix.symptom import Diagnosis, Evidence, Symptom
from autofix.symptoms._judging import eased, learned, losses, numbers, standing
from autofix.symptoms._program import present, whole
from autofix.symptoms.strong_regularization import coefficients
from autofix.trace import Trace

# Share of the loss from which the penalty leads.
SHARE = 0.5
# 0.5 at half of the loss, 0.75 when it is all of it.
LOWEST, SLOPE = 0.5, 0.5
NOTED = 0.25
# Norm left of a penalized kernel: fits without a strong penalty keep 0.8 to 6 times their initial norm.
SHRUNK = 0.2
REGULARIZERS = ("kernel_regularizer", "recurrent_regularizer")


def judge(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """Reports a loss of which more than half is penalty."""
    trace = evidence.trace
    if trace is None:
        return ()
    if not SHARE < trace.penalty <= 1.0:
        return _shrunk(evidence, trace)
    where = standing(evidence)
    severity = LOWEST + SLOPE * (trace.penalty - SHARE)
    severity = NOTED if where is not None and where.learned else eased(severity, evidence)
    loss = losses(trace)
    text = f"{trace.penalty:.0%} of the last loss is penalty on weights"
    text += f" ({trace.penalty * float(loss[-1]):.3g} of {float(loss[-1]):.3g})." if len(loss) else "."
    values = numbers(penalty=float(trace.penalty), last=float(loss[-1]) if len(loss) else None)
    return (Diagnosis(Symptom.REGULARIZATION_DOMINATES, severity, 0.9, text, numbers=values),)


def _shrunk(evidence: Evidence, trace: Trace) -> tuple[Diagnosis, ...]:
    """Judges a run in which the penalty has won already: it is small because the kernels are."""
    penalized = {
        view.path
        for view in present(evidence.recipe)
        if any(max(coefficients(whole(view).config.get(key))) > 0 for key in REGULARIZERS)
    }
    before = {item.layer: item.weight_norm for item in trace.first}
    left = [
        item.weight_norm / before[item.layer]
        for item in trace.last
        if item.layer in penalized and before.get(item.layer, 0.0) > 0 and math.isfinite(item.weight_norm)
    ]
    if not left or learned(evidence) or float(np.median(left)) >= SHRUNK:
        return ()
    text = f"The penalized kernels shrank to {float(np.median(left)):.1%} of their norm (median of {len(left)})."
    values = numbers(left=float(np.median(left)), kernels=len(left), penalty=float(trace.penalty))
    return (Diagnosis(Symptom.REGULARIZATION_DOMINATES, 0.8, 0.9, text, numbers=values),)
