"""EXPLODING_GRADIENT: gradients that grow by orders of magnitude.

What it sees:
    The global gradient norm over the run against its start, and the first layer's norm against the last layer's at the
    start.

Why it stalls a run:
    One step of a thousand times the usual length throws the weights out of the region that was learned, or to NaN.

Likely causes:
    Initial weights are too large for the depth or for the length of the sequences.
    A recurrence has nothing that bounds its state.
    The learning rate is too high.
    Inputs or targets are unscaled.

What treats it:
    Clipping at the 90th percentile of the norm, a lower rate, orthogonal or smaller initial weights, gates instead of a
    plain recurrence.

References:
    Pascanu et al. 2013 (arXiv:1211.5063). SageMaker: NaN only; DEFault and AutoTrainer: first/last ratio above 70;
    TheDeepChecker: growth of 2. Over the healthy and mended runs of the gallery the norm grows 1 to 20-fold, 120-fold
    in an LSTM that leaves its first plateau, and first/last ratios lie between 0.1 and 9. Unscaled features multiply
    that ratio by their size, hence bounds of 1,000.
"""

from __future__ import annotations

import math

import numpy as np

from autofix.symptom import Diagnosis, Evidence, Symptom
from autofix.symptoms import unscaled_inputs, unscaled_targets
from autofix.symptoms._judging import NOTE, eased, finite_part, numbers
from autofix.trace import Trace

# Norm over the median of its start.
GROWTH = 1e3
# Growth that counts when the loss became NaN or infinite afterwards.
GROWTH_BEFORE_NAN = 30.0
# First layer's norm over the last layer's at the start.
DEPTH_RATIO = 1e3
# Standard deviation of a layer's outputs that no loss survives: its square overflows soon.
OUTPUTS = 1e6
# Norm of a first gradient after which a loss that became NaN needs no further growth to be explained. Calibration:
# healthy runs start at 0.1 to 8, nets and recurrences that overflow in their second step at 1e7 to 1e9.
HUGE = 1e4
# How sure it is that the model is what explodes; less where inputs or targets of that size explain it.
CERTAINTY, EXPLAINED = 0.9, 0.5
# Without growth this is no explosion, whatever it is divided by.
LEAST = 1.0


def judge(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """Reports a norm that left its start behind, or one that backpropagation multiplies on its way down."""
    trace = evidence.trace
    if trace is None:
        return ()
    norms = finite_part(trace.gradient_norm)
    overflowed = len(norms) < len(trace.gradient_norm)
    if trace.non_finite_origin in ("input", "target") or any(item.missing > 0 for item in evidence.facts.inputs):
        # NaN that came with the data says nothing about the model.
        return ()
    if not len(norms):
        return _from_the_start(trace)
    start = float(np.median(norms[: max(1, len(norms) // 5)]))
    peak_at = int(np.argmax(norms))
    peak = float(norms[peak_at])
    growth = peak / max(start, 1e-12)
    broke = overflowed or trace.non_finite_step is not None or any(not math.isfinite(value) for value in trace.loss)
    step = trace.probe_steps[peak_at] if peak_at < len(trace.probe_steps) else None
    if peak >= LEAST and growth >= (GROWTH_BEFORE_NAN if broke else GROWTH):
        severity = 0.9 if broke else eased(0.8, evidence)
        text = f"The gradient norm grew from {start:.3g} to {peak:.3g}"
        text += f" at step {step:,}." if step is not None else "."
        values = numbers(start=start, peak=peak, growth=growth, typical=float(np.median(norms)))
        return (Diagnosis(Symptom.EXPLODING_GRADIENT, severity, _certainty(evidence), text, None, step, values),)
    if overflowed and math.isinf(trace.gradient_norm[len(norms)]):
        at = trace.probe_steps[len(norms)] if len(norms) < len(trace.probe_steps) else None
        text = f"The gradient norm grew from {start:.3g} beyond what floats hold"
        text += f" at step {at:,}." if at is not None else "."
        values = numbers(start=start, peak=peak)
        return (Diagnosis(Symptom.EXPLODING_GRADIENT, 0.9, _certainty(evidence), text, None, at, values),)
    if broke and start >= HUGE:
        text = f"The gradient norm was {start:.3g} from the start, and soon after nothing was finite any more."
        values = numbers(start=start, peak=peak, growth=growth)
        return (Diagnosis(Symptom.EXPLODING_GRADIENT, 0.9, _certainty(evidence), text, None, 0, values),)
    return _through_depth(evidence)


def _certainty(evidence: Evidence) -> float:
    """Returns how sure it is that the model explodes, not the data: squares of a thousand are a million at once."""
    scales = (*unscaled_inputs.judge(evidence), *unscaled_targets.judge(evidence))
    return EXPLAINED if any(item.severity > NOTE for item in scales) else CERTAINTY


def _from_the_start(trace: Trace) -> tuple[Diagnosis, ...]:
    """Judges a run whose first gradient already overflowed, by the outputs that the layers had before it."""
    widest = max((item for item in trace.first if item.finite), key=lambda item: item.std, default=None)
    if not trace.gradient_norm or widest is None or widest.std < OUTPUTS:
        return ()
    text = (
        f"The first gradient is already infinite or NaN; before it {widest.layer} puts out values of {widest.std:.2g}."
    )
    return (Diagnosis(Symptom.EXPLODING_GRADIENT, 0.9, 0.9, text, widest.layer, 0, numbers(outputs=widest.std)),)


def _through_depth(evidence: Evidence) -> tuple[Diagnosis, ...]:
    trace = evidence.trace
    series = list(trace.gradient_norms.items()) if trace is not None else []
    if len(series) < 3:
        return ()
    (first, low), (_, high) = series[0], series[-1]
    early, late = (float(np.median(part[: max(1, len(part) // 5)])) if len(part) else 0.0 for part in
                   (finite_part(low), finite_part(high)))  # fmt: skip
    if not (late > 0 and early >= LEAST and early / late >= DEPTH_RATIO):
        return ()
    text = f"The first layer's gradient norm is {early:.3g}, {early / late:.3g} times the last layer's ({late:.3g})."
    values = numbers(first=early, last=late, ratio=early / late)
    severity = eased(0.6, evidence)
    return (Diagnosis(Symptom.EXPLODING_GRADIENT, severity, 0.7, text, first, 0, values),)
