"""WEIGHTS_UNCHANGED: the run ends with the weights it began with.

What it sees:
    The change of every kernel over the whole run, relative to its start; then, to tell why, the number of trainable
    weights, the layers whose gradient is None, the kernels' gradient norms, and the learning rate. A single layer
    counts when it has no gradient while the others learn.

Why it stalls a run:
    No change, no learning: everything is frozen, the gradient is zero, or the rate is below what floats resolve.

Likely causes:
    All layers are frozen.
    The learning rate is below what a step can be seen of.
    The loss does not depend on the weights: another tensor, a rounding, an argmax.
    Every unit is dead, or the loss is clipped where it has no slope.

What treats it:
    By cause: unfreezing; connecting the layer to the loss; another initialization, activation or loss for a zero
    gradient; a range test for a rate that floats swallow.

References:
    SageMaker's UnchangedTensor: equal over 3 saves with rtol 1e-5; TheDeepChecker: dead weights below 1e-5. The healthy
    runs of the gallery change every kernel by 0.09 or more, SGD stopped after 39 steps by 0.01; Adam at 1e-10, which is
    rounding, by 2e-8.
"""

from __future__ import annotations

import math

import numpy as np

from autofix.manual.rules import causes_led_by
from autofix.symptom import Diagnosis, Evidence, Symptom
from autofix.symptoms._judging import eased, finite_part, numbers
from autofix.symptoms._program import present, weighted
from autofix.trace import Trace

# Relative change of a kernel over the run.
UNCHANGED = 1e-6
# Global norm under which a gradient is zero for 32-bit weights.
ZERO_GRADIENT = 1e-10
SEVERITY = 0.95
# The likely cause that a measured one is.
CAUSES = {
    "frozen": "All layers are frozen",
    "zero gradient": "Every unit is dead",
    "disconnected": "The loss does not depend",
    "learning rate": "The learning rate is below",
}
# What Keras 3 says when it refuses a step in which every gradient is None (`BaseOptimizer`).
REFUSED = "No gradients provided for any variable"
# A layer without a gradient beside others that learn: it may be left out on purpose, or has died.
LEFT_OUT, DIED = 0.6, 0.7


def judge(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """Reports a run that changed nothing, and why it could not."""
    trace = evidence.trace
    if trace is not None and REFUSED in (trace.error or ""):
        return (_refused(),)
    if trace is None or not trace.steps:
        return ()
    changes = [value for value in trace.weight_change.values() if not math.isnan(value)]
    moved = max(changes, default=None)
    if moved is not None and moved >= UNCHANGED:
        return _single_layers(evidence, trace)
    frozen = trace.trainable == 0 and (moved is not None or _all_frozen(evidence))
    if moved is None and not frozen:
        return ()
    norm = _gradient(trace)
    text = f"No kernel changed by more than {moved or 0.0:.1g} of its norm in {trace.steps:,} steps"
    if frozen:
        cause, text = "frozen", text + ": no weight is trainable."
    elif trace.disconnected and len(trace.disconnected) >= len(trace.weight_change):
        cause, text = "disconnected", text + ": the loss does not depend on them, every gradient is None."
    elif norm is not None and norm <= ZERO_GRADIENT:
        cause, text = "zero gradient", text + f": the kernels' gradients are zero (norm {norm:.1g})."
    elif norm is not None:
        cause = "learning rate"
        text += f": the gradient is there (norm {norm:.2g}), but steps at a learning rate of {trace.learning_rate:g}"
        text += " are below what floats resolve."
    else:
        cause, text = "unknown", text + "."
    values = numbers(change=moved, gradient_norm=norm, cause=cause, learning_rate=float(trace.learning_rate))
    severity = eased(SEVERITY, evidence)
    causes = causes_led_by("WEIGHTS_UNCHANGED", CAUSES[cause]) if cause in CAUSES else ()
    return (Diagnosis(Symptom.WEIGHTS_UNCHANGED, severity, 1.0, text, None, 0, values, causes),)


def _refused() -> Diagnosis:
    """Returns the finding of a run that ended with its first step because no gradient was there."""
    text = "The first step was refused, since every gradient is None: the loss does not depend on any weight."
    causes = causes_led_by("WEIGHTS_UNCHANGED", CAUSES["disconnected"])
    values = numbers(change=0.0, cause="disconnected")
    return Diagnosis(Symptom.WEIGHTS_UNCHANGED, 1.0, 1.0, text, None, 0, values, causes)


def _single_layers(evidence: Evidence, trace: Trace) -> tuple[Diagnosis, ...]:
    """Reports layers that got no gradient at all while others moved."""
    found = []
    for path, change in trace.weight_change.items():
        norms = finite_part(trace.gradient_norms.get(path, ()))
        if not change < UNCHANGED or not len(norms) or norms.any():
            continue
        if path in trace.disconnected:
            cause, severity, text = "disconnected", LEFT_OUT, "The loss does not depend on it: its gradient is None."
        else:
            cause, severity = "zero gradient", DIED
            text = f"Its gradient was exactly zero at each of {len(norms)} looks, while other layers learned."
        values = numbers(change=float(change), gradient_norm=0.0, cause=cause)
        found.append(
            Diagnosis(Symptom.WEIGHTS_UNCHANGED, eased(severity, evidence), 0.9, text, path, 0, numbers=values)
        )
    return tuple(found)


def _gradient(trace: Trace) -> float | None:
    """Returns the typical gradient norm of the kernel that gets most; biases may learn all the same."""
    series = [finite_part(values) for values in trace.gradient_norms.values()] or [finite_part(trace.gradient_norm)]
    return max((float(np.median(values)) for values in series if len(values)), default=None)


def _all_frozen(evidence: Evidence) -> bool:
    kernels = [view for view in present(evidence.recipe) if weighted(view)]
    return bool(kernels) and all(view.config.get("trainable") is False for view in kernels)
