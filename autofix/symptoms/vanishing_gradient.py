"""VANISHING_GRADIENT: the first layers get next to no gradient.

What it sees:
    The median gradient norm of the first layer's kernel against the last layer's, and how far the first layer's kernel
    moved against how far the last one did.

Why it stalls a run:
    The layers that meet the inputs stay random, so what reaches the head hardly depends on the inputs. Adaptive
    optimizers hide the ratio by dividing by it, hence the second look at the movement and the score.

Likely causes:
    A deep stack of sigmoids or tanhs.
    Initial weights are too small.
    Units are saturated or dead.
    A long recurrence without gates.

What treats it:
    ReLU family with He initialization, batch normalization, skip connections, an adaptive optimizer.

References:
    Glorot and Bengio 2010. AutoTrainer: first/last ratio below 1e-3 and first norm below 1e-4; SageMaker: mean below
    1e-7; DEFault: below 1e-4. Each sigmoid layer multiplies by at most 0.25: five of them are a factor 1e-3.
"""

from __future__ import annotations

import numpy as np

from autofix.symptom import Diagnosis, Evidence, Symptom
from autofix.symptoms._judging import eased, finite_part, learned, numbers, standing
from autofix.trace import Trace

# First layer's norm over the last layer's.
RATIO = 1e-3
# Update over weight below which a layer does not learn (DeepDiagnosis: 1e-5).
UPDATE = 1e-5
# Movement of the first kernel over that of the last: below a hundredth it stayed where it was.
MOVEMENT = 0.01
# Severity when it had vanished at first only. Calibration: Adam gets ten sigmoid layers going after a fifth of a run,
# which then ends a sixth short of what the same net with ReLU reaches.
AT_FIRST = 0.6
# Layers from which depth can be the cause.
LAYERS = 3


def judge(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """Reports a first layer whose gradient is a thousandth of the last one's and that does not learn."""
    trace = evidence.trace
    if trace is None or len(trace.gradient_norms) < LAYERS:
        return ()
    medians = {path: _median(values) for path, values in trace.gradient_norms.items()}
    first, last = next(iter(medians)), list(medians)[-1]
    low, high = medians[first], medians[last]
    if high <= 0 or low / high >= RATIO:
        return _at_first(evidence, first, last)
    still = _still(trace, first, last)
    where = standing(evidence)
    stalled = where is not None and not where.learned
    if not still and (where is None or not stalled):
        return ()
    severity = 0.85 if still and not learned(evidence) else eased(0.75, evidence)
    text = (
        f"The first layer's gradient norm is {low:.2g}, {low / high:.2g} times the last layer's ({high:.2g}), "
        f"over {len(medians)} layers"
    )
    update = trace.update_ratio.get(first)
    text += f"; a step changes its kernel by {update:.2g} of its norm." if update is not None else "."
    dead = any(item.dead >= 0.98 for item in trace.last)
    values = numbers(first=low, last=high, ratio=low / high, layers=len(medians), update_ratio=update)
    return (Diagnosis(Symptom.VANISHING_GRADIENT, severity, 0.6 if dead else 0.9, text, first, 0, values),)


def _at_first(evidence: Evidence, first: str, last: str) -> tuple[Diagnosis, ...]:
    """Judges a gradient that had vanished and came back: what it cost is missing at the end."""
    trace, where = evidence.trace, standing(evidence)
    if trace is None or where is None or not where.short:
        return ()
    early = max(1, len(trace.probe_steps) // 10)
    low, high = (_median(trace.gradient_norms[path][:early]) for path in (first, last))
    if high <= 0 or low / high >= RATIO:
        return ()
    text = (
        f"At first the gradient norm of the first layer was {low:.2g}, {low / high:.2g} times that of the last "
        f"({high:.2g}), over {len(trace.gradient_norms)} layers; it has come back since, but the score is short."
    )
    values = numbers(first=low, last=high, ratio=low / high, layers=len(trace.gradient_norms))
    return (Diagnosis(Symptom.VANISHING_GRADIENT, AT_FIRST, 0.9, text, first, 0, values),)


def _median(values: tuple[float, ...]) -> float:
    part = finite_part(values)
    return float(np.median(part)) if len(part) else 0.0


def _still(trace: Trace, first: str, last: str) -> bool:
    update = trace.update_ratio.get(first)
    if update is not None and update < UPDATE:
        return True
    moved, most = trace.weight_change.get(first), trace.weight_change.get(last)
    return moved is not None and most is not None and most > 0 and moved < MOVEMENT * most
