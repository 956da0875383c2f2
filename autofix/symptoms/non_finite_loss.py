"""NON_FINITE_LOSS: the loss became NaN or infinite.

What it sees:
    The first step whose loss was not finite and what the probes found there; predictions, weights and layer outputs
    that are not finite.

Why it stalls a run:
    A NaN passes through the gradient into every weight, and stays.

Likely causes:
    Inputs or targets hold NaN or infinities.
    The learning rate is too high: the weights overflow.
    The gradients explode through a recurrence or a deep stack.
    The loss takes the logarithm of 0 or of a negative number: raw outputs read as probabilities.
    Inputs or targets are so large that their squares overflow.

What treats it:
    By origin: imputing inputs and targets; scaling; a stable loss on logits; clipping or a lower
    rate for what exploded.

References:
    SageMaker Debugger and DeepDiagnosis stop at the first NaN; DeepLocalize names the layer. AutoTrainer calls any loss
    above 1,000 NaN, which every unscaled regression reaches: here only what is not finite counts.
"""

from __future__ import annotations

import math

from autofix.manual.rules import causes_led_by
from autofix.symptom import Diagnosis, Evidence, Symptom
from autofix.symptoms._judging import numbers
from autofix.trace import Trace

# A single infinite loss that the run got over is serious, not final.
LASTING, PASSING = 1.0, 0.7
ORIGINS = {
    "input": "in the inputs",
    "target": "in the targets",
    "loss": "in the loss itself, all layers being finite",
    "gradient": "in the gradient, the loss being finite",
}

# The likely cause by where it came from: the data, or steps that are too long for it.
OF_DATA, OF_STEPS = "Inputs or targets hold", "The learning rate"


def judge(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """Reports the first step that was not finite and where it came from."""
    trace = evidence.trace
    if trace is None:
        return ()
    step = trace.non_finite_step
    if step is None:
        step = next((index for index, value in enumerate(trace.loss) if not math.isfinite(value)), None)
    broken = [index for index, item in enumerate(trace.predictions) if not item.finite]
    if step is None and not broken:
        return _weights(trace)
    if step is None:
        text = "The model's predictions hold NaN or infinite values."
        return (Diagnosis(Symptom.NON_FINITE_LOSS, LASTING, 1.0, text, numbers=numbers(outputs=broken)),)
    last_finite = bool(trace.loss) and math.isfinite(trace.loss[-1]) and not broken and step < len(trace.loss) - 1
    before = [value for value in trace.loss[:step] if math.isfinite(value)]
    text = f"It was first so at step {step:,} of {trace.steps:,}"
    if before:
        text += f", after {before[-1]:.4g}"
    origin, layer = trace.non_finite_origin, None
    if origin and origin.startswith("layer:"):
        layer = origin.removeprefix("layer:")
        text += f"; it came out of {layer}"
    elif origin:
        text += f"; it began {ORIGINS.get(origin, origin)}"
    values = numbers(step=step, origin=origin, loss_before=before[-1] if before else None)
    severity = PASSING if last_finite else LASTING
    cause = OF_DATA if origin in ("input", "target") else OF_STEPS
    causes = causes_led_by("NON_FINITE_LOSS", cause) if origin else ()
    return (Diagnosis(Symptom.NON_FINITE_LOSS, severity, 1.0, text + ".", layer, step, values, causes),)


def _weights(trace: Trace) -> tuple[Diagnosis, ...]:
    """Looks for NaN that a finite loss hides: the maximum of NaN and 0, as compiled ReLUs take it, is 0."""
    changed = [path for path, value in trace.weight_change.items() if not math.isfinite(value)]
    outputs = [item.layer for item in trace.last if not item.finite]
    if not changed and not outputs:
        return ()
    layer = (changed or outputs)[0]
    what = "weights" if changed else "outputs"
    text = f"The loss stays finite, but the {what} of {layer} are NaN or infinite at the end."
    return (Diagnosis(Symptom.NON_FINITE_LOSS, LASTING, 0.9, text, layer, None, numbers(layers=changed or outputs)),)
