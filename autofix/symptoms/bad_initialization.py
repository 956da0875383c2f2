"""BAD_INITIALIZATION: initial weights that are all alike, or far from the scale of their layer.

What it sees:
    The initializers in the configuration: constants for kernels; normal and uniform ones whose standard deviation is
    more than three times off what He or Glorot would use for the layer's fans; large constant biases; recurrent
    kernels that grow their state.

Why it stalls a run:
    Equal weights get equal gradients, so a layer of equal units stays one unit. A scale that is off by a factor f is
    off by f**depth at the end of a stack: signals and gradients vanish or saturate. A bias of -5 keeps a ReLU off for
    every input.

Likely causes:
    An initializer was set by hand, with one scale for layers of every width.
    Kernels were set to a constant, such as zeros.
    Biases were given a value that belongs to another activation.
    Recurrent kernels are not orthogonal and grow their state.

What treats it:
    He or LeCun initialization for the ReLU family, Glorot for bounded activations, zero biases, orthogonal recurrence.

References:
    Glorot and Bengio 2010; He et al. 2015 (arXiv:1502.01852); Saxe et al. 2014. NeuraLint flags constant kernels and
    non-zero biases; TheDeepChecker tests the variance with an F-test. Three times is the widest gap between He and
    Glorot for common shapes (fan-out up to 8 times fan-in) and leaves Keras' `random_normal` alone in ordinary layers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from autofix.manual.rules import causes_led_by
from autofix.recipe import LayerView, heads
from autofix.recipe.views import RECURRENT
from autofix.symptom import Diagnosis, Evidence, Symptom
from autofix.symptoms._judging import clip, eased, numbers
from autofix.symptoms._program import fans, incoming, present, shapes, whole

# How far a standard deviation may be outside [Glorot, He].
FACTOR = 3.0
# 0.35 at the factor 3, 0.2 a decade: RandomNormal(stddev=1) on 64 inputs (off by 6) gets 0.4, +-1e-4 (by 1,000) 0.85.
LOWEST, PER_DECADE, HIGHEST = 0.35, 0.2, 0.85
# More layers with the same fault multiply.
DEPTH, PER_LAYER = 3, 0.1
# Unit pre-activations: a bias of 1 shifts a third of the inputs over the edge, one of 3 all but a thousandth.
BIAS, BIAS_KILLS = 1.0, 3.0
# Above an orthogonal matrix the state grows by this factor a step: 1.5**30 is 200,000.
GAIN = 1.5
CONSTANT = frozenset({"Zeros", "Ones", "Constant", "zeros", "ones", "constant"})
RELU = frozenset({"relu", "relu6", "leaky_relu"})


def judge(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """Reports each layer whose initial weights cannot work, the same fault in many layers with more weight."""
    recipe = evidence.recipe
    views = present(recipe)
    found_shapes = shapes(recipe)
    outputs = {head.layer.path for head in heads(recipe) if head is not None} if recipe.is_graph else set()
    constant, scale, bias = [], [], []
    for view in views:
        inner = whole(view)
        kernel = _initializer(inner.config.get("kernel_initializer"))
        is_head = view.path in outputs
        if kernel is not None and kernel[0] in CONSTANT and not (is_head and _harmless(kernel)):
            constant.append(_constant(view, inner, kernel))
        elif kernel is not None:
            scale += _scale(view, kernel, fans(view, incoming(view, found_shapes)))
        scale += _recurrent(view, inner)
        if not is_head:
            bias += _bias(view, inner)
    if len(scale) >= DEPTH:
        scale = [_raised(item) for item in scale]
    groups = ((constant, "Kernels were set"), (scale, "An initializer was set"), (bias, "Biases were given"))
    return tuple(
        replace(item, severity=eased(item.severity, evidence), causes=causes_led_by("BAD_INITIALIZATION", cause))
        for group, cause in groups
        for item in group
    )


def _initializer(value: Any) -> tuple[str, Mapping[str, Any]] | None:
    if isinstance(value, str):
        return value, {}
    if isinstance(value, Mapping) and isinstance(value.get("config"), Mapping):
        return str(value.get("class_name", "")), value["config"]
    return None


def _harmless(kernel: tuple[str, Mapping[str, Any]]) -> bool:
    """Whether a constant head kernel still learns: its inputs differ, so its gradients do too."""
    name, config = kernel
    return name.lower() == "zeros" or (name == "Constant" and abs(_float(config.get("value"), 0.0)) <= 1.0)


def _constant(view: LayerView, inner: LayerView, kernel: tuple[str, Mapping[str, Any]]) -> Diagnosis:
    name, config = kernel
    value = {"zeros": 0.0, "ones": 1.0}.get(name.lower(), _float(config.get("value"), 0.0))
    units = inner.width or 0
    text = f"Every kernel entry of {view.name} starts at {value:g}, so its {units or ''} units stay copies of one."
    severity = 0.5 if units == 1 else 0.9
    return Diagnosis(
        Symptom.BAD_INITIALIZATION, severity, 0.9, text.replace("  ", " "), view.path,
        numbers=numbers(value=float(value), units=units),
    )  # fmt: skip


def _std(kernel: tuple[str, Mapping[str, Any]], fan: tuple[int, int] | None) -> float | None:
    name, config = kernel[0].lower().replace("_", ""), kernel[1]
    if name in ("randomnormal", "normal", "truncatednormal"):
        std = _float(config.get("stddev"), 0.05)
        return std * 0.88 if name == "truncatednormal" else std
    if name in ("randomuniform", "uniform"):
        return abs(_float(config.get("maxval"), 0.05) - _float(config.get("minval"), -0.05)) / math.sqrt(12)
    if name == "variancescaling" and fan is not None and min(fan) > 0:
        mode = config.get("mode", "fan_in")
        count = {"fan_in": fan[0], "fan_out": fan[1]}.get(str(mode), sum(fan) / 2)
        return math.sqrt(max(0.0, _float(config.get("scale"), 1.0)) / count)
    return None


def _scale(view: LayerView, kernel: tuple[str, Mapping[str, Any]], fan: tuple[int, int] | None) -> list[Diagnosis]:
    std = _std(kernel, fan)
    if std is None or not math.isfinite(std):
        return []
    if fan is None or min(fan) < 1:
        if std < 1.0:
            return []
        text = f"The kernel of {view.name} starts with a standard deviation of {std:.3g}, too much for most fan-ins."
        return [Diagnosis(Symptom.BAD_INITIALIZATION, LOWEST, 0.6, text, view.path, numbers=numbers(std=std))]
    he, glorot = math.sqrt(2 / fan[0]), math.sqrt(2 / sum(fan))
    low, high = min(he, glorot), max(he, glorot)
    off = max(std / high, low / std if std > 0 else math.inf)
    if off <= FACTOR:
        return []
    severity = clip(LOWEST + PER_DECADE * math.log10(min(off, 1e9) / FACTOR), LOWEST, HIGHEST)
    side = "large" if std > high else "small"
    text = (
        f"The kernel of {view.name} starts with a standard deviation of {std:.3g}, {min(off, 1e9):.3g} times too "
        f"{side} for {fan[0]} inputs and {fan[1]} outputs (Glorot {glorot:.3g}, He {he:.3g})."
    )
    values = numbers(std=std, glorot=glorot, he=he, fan_in=fan[0], fan_out=fan[1])
    return [Diagnosis(Symptom.BAD_INITIALIZATION, severity, 0.9, text, view.path, numbers=values)]


def _recurrent(view: LayerView, inner: LayerView) -> list[Diagnosis]:
    units = inner.width
    kernel = _initializer(inner.config.get("recurrent_initializer"))
    if inner.class_name not in RECURRENT or kernel is None or not units:
        return []
    if kernel[0].lower() == "orthogonal":
        radius = _float(kernel[1].get("gain"), 1.0)
    else:
        # A square matrix of independent entries has its eigenvalues within std * sqrt(n) (circular law).
        std = _std(kernel, (units, units))
        radius = std * math.sqrt(units) if std is not None else 1.0
    if not radius > GAIN:
        return []
    # Gates and tanh bound the state of LSTM and GRU; a ReLU recurrence has nothing that holds it.
    unbounded = inner.class_name == "SimpleRNN" and inner.config.get("activation") not in ("tanh", "sigmoid")
    severity = 0.75 if unbounded else LOWEST
    text = f"The recurrent kernel of {view.name} starts with a spectral radius of about {radius:.3g}; its state grows."
    values = numbers(radius=radius, units=units)
    return [Diagnosis(Symptom.BAD_INITIALIZATION, severity, 0.8, text, view.path, numbers=values)]


def _bias(view: LayerView, inner: LayerView) -> list[Diagnosis]:
    start = _initializer(inner.config.get("bias_initializer"))
    if start is None or inner.config.get("use_bias") is False or inner.class_name in RECURRENT:
        return []
    name, config = start[0].lower(), start[1]
    if name == "constant":
        value = _float(config.get("value"), 0.0)
    elif name in ("randomnormal", "random_normal"):
        value = _float(config.get("mean"), 0.0)
        value += math.copysign(_float(config.get("stddev"), 0.05), value)
    elif name in ("randomuniform", "random_uniform"):
        value = max((_float(config.get(key), 0.0) for key in ("minval", "maxval")), key=abs)
    else:
        value = 1.0 if name == "ones" else 0.0
    relu = inner.activation in RELU
    if abs(value) < BIAS or (value == 1.0 and relu):
        return []
    kills = relu and value <= -BIAS_KILLS
    bounded = inner.activation in ("tanh", "sigmoid", "softsign", "hard_sigmoid") and abs(value) >= BIAS_KILLS
    severity = 0.75 if kills else 0.6 if bounded else 0.4
    tail = ", which keeps its units off for nearly every input" if kills else ""
    text = f"The biases of {view.name} start at {value:g}{tail}."
    return [Diagnosis(Symptom.BAD_INITIALIZATION, severity, 0.8, text, view.path, numbers=numbers(bias=float(value)))]


def _raised(item: Diagnosis) -> Diagnosis:
    return replace(item, severity=clip(item.severity + PER_LAYER, LOWEST, HIGHEST))


def _float(value: Any, otherwise: float) -> float:
    return float(value) if isinstance(value, int | float) else otherwise
