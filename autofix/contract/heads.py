"""What produces each output: the last layer with a width, all behind it, and what that lets through."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from autofix.frozen import EMPTY, FrozenDict, thaw
from autofix.recipe import LayerView, Recipe, layers
from autofix.recipe.views import RECURRENT, TRAILING, activation_name, output_paths

Bounds = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]


INFINITE = math.inf
RANGES: Mapping[str, tuple[float, float]] = {
    "linear": (-INFINITE, INFINITE), "sigmoid": (0.0, 1.0), "hard_sigmoid": (0.0, 1.0), "sparse_sigmoid": (0.0, 1.0),
    "softmax": (0.0, 1.0), "sparsemax": (0.0, 1.0), "tanh": (-1.0, 1.0), "hard_tanh": (-1.0, 1.0),
    "softsign": (-1.0, 1.0), "relu": (0.0, INFINITE), "relu6": (0.0, 6.0), "softplus": (0.0, INFINITE),
    "squareplus": (0.0, INFINITE), "sparse_plus": (0.0, INFINITE), "exponential": (0.0, INFINITE),
    "elu": (-1.0, INFINITE), "celu": (-1.0, INFINITE), "selu": (-1.7581, INFINITE), "gelu": (-0.17, INFINITE),
    "silu": (-0.2785, INFINITE), "swish": (-0.2785, INFINITE), "mish": (-0.3089, INFINITE),
    "hard_silu": (-0.375, INFINITE), "hard_swish": (-0.375, INFINITE), "leaky_relu": (-INFINITE, INFINITE),
    "prelu": (-INFINITE, INFINITE), "log_sigmoid": (-INFINITE, 0.0), "log_softmax": (-INFINITE, 0.0),
    "tanh_shrink": (-INFINITE, INFINITE), "hard_shrink": (-INFINITE, INFINITE), "soft_shrink": (-INFINITE, INFINITE),
}  # fmt: skip
SIGMOIDS = ("sigmoid", "hard_sigmoid", "sparse_sigmoid")
SOFTMAXES = ("softmax", "sparsemax")
MARGINS = ("tanh", "linear", "hard_tanh", "softsign", "leaky_relu", "prelu")
LOGITS = ("linear", "leaky_relu", "prelu", "log_softmax", "tanh_shrink", "hard_shrink", "soft_shrink")
# A log of these never meets a negative number: cross-entropy without logits still learns.
POSITIVE = ("softplus", "squareplus", "exponential")
NOISE = frozenset({"Dropout", "GaussianDropout", "GaussianNoise", "AlphaDropout"})
CENTRED = frozenset({"BatchNormalization", "LayerNormalization"})
POOLED = frozenset(
    {"GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D", "Flatten"}
)


@dataclass(frozen=True)
class Step:
    """One layer behind the last one with weights.

    Attributes:
        class_name: Its Keras class.
        config: Its configuration.
        path: Where it is; None for a layer that the recipe put there.
    """

    class_name: str
    config: FrozenDict
    path: str | None

    @property
    def activation(self) -> str:
        """Snake-case name of what it applies, "linear" for nothing."""
        return activation_name(LayerView(self.path or "", self.class_name, self.config)) or "linear"


@dataclass(frozen=True)
class Tail:
    """What produces one output: the last layer with a width of its own and all that follows it.

    Attributes:
        core: The layer; the wrapped one where it is wrapped in `TimeDistributed`.
        host: Path of the layer that holds it.
        end: Path of the last layer of the user's graph.
        steps: What follows the core, layers that the recipe puts behind included, skipped ones left out.
        editable: Whether the core's settings can be changed where they are written.
        feeds: Path of the layer that feeds the core; None where it cannot be told.
    """

    core: LayerView
    host: str
    end: str
    steps: tuple[Step, ...]
    editable: bool
    feeds: str | None

    @property
    def is_recurrent(self) -> bool:
        """Whether the core's activation is part of a recurrence."""
        return self.core.class_name in RECURRENT

    @property
    def width(self) -> int | None:
        """Units of the output; None where layers behind the core change the last axis."""
        if any(step.class_name in ("Reshape", "Flatten") for step in self.steps):
            return None
        if self.core.config.get("data_format") == "channels_first":
            return None
        return self.core.width

    @property
    def activations(self) -> tuple[tuple[str, Step | None], ...]:
        """The activations on the way, in order, with the layer that applies them (None for the core itself)."""
        own = [("linear" if self.core.activation is None else self.core.activation, None)]
        every = [*own, *((step.activation, step) for step in self.steps)]
        return tuple((name, step) for name, step in every if name != "linear")

    @property
    def activation(self) -> str | None:
        """What the outputs finally pass; None for an activation that is not Keras' own or is rescaled."""
        name = self.core.activation or "linear"
        for step in self.steps:
            if step.class_name in CENTRED:
                name = "linear"
            elif step.class_name == "Rescaling" and name != "linear":
                name = "rescaled"
            elif step.activation != "linear":
                name = step.activation
        return name if name in RANGES else None

    @property
    def bounds(self) -> Bounds:
        """Smallest and largest value that each column can take."""
        low, high = _bounds_of(self.core.activation or "linear")
        for step in self.steps:
            if step.class_name in CENTRED:
                low, high = _bounds_of("linear")
            elif step.class_name == "Rescaling":
                scale, offset = _numbers(step.config.get("scale", 1.0)), _numbers(step.config.get("offset", 0.0))
                first, second = low * scale + offset, high * scale + offset
                low, high = np.minimum(first, second), np.maximum(first, second)
            elif step.activation in ("relu", "relu6"):
                top = 6.0 if step.activation == "relu6" else INFINITE
                low, high = np.clip(low, 0.0, top), np.clip(high, 0.0, top)
            elif step.activation != "linear":
                low, high = _bounds_of(step.activation)
        return low, high

    @property
    def squashed_twice(self) -> tuple[str, str] | None:
        """Two activations in a row of which the second undoes the first's work; None where there are no two."""
        names = [name for name, _ in self.activations]
        for first, second in itertools.pairwise(names):
            if second in (*SIGMOIDS, *SOFTMAXES) and first in (*SIGMOIDS, *SOFTMAXES, "relu", "relu6"):
                return first, second
        return None

    @property
    def noise(self) -> tuple[Step, ...]:
        """Layers that disturb the outputs themselves while training."""
        return tuple(step for step in self.steps if step.class_name in NOISE)


def tails(recipe: Recipe, outputs: int) -> tuple[Tail | None, ...]:
    """Returns what produces every output; None where it cannot be told.

    Args:
        recipe: The program.
        outputs: Number of outputs of the model.
    """
    if not recipe.is_graph:
        return (None,) * outputs
    views = {view.path: view for view in layers(recipe)}
    ends = output_paths(recipe.architecture, "")
    return tuple(_tail(recipe, views, end) for end in ends) if len(ends) == outputs else (None,) * outputs


def _tail(recipe: Recipe, views: Mapping[str, LayerView], end: str) -> Tail | None:
    steps: list[Step] = []
    view = views.get(end)
    while view is not None:
        extra = [Step(item["class_name"], item.get("config", EMPTY), None) for item in view.after]
        weighty = [place for place, step in enumerate(extra) if "units" in step.config or "filters" in step.config]
        if weighty:
            core = extra[weighty[-1]]
            inner = LayerView(f"{view.path}/after", core.class_name, core.config)
            return Tail(inner, view.path, end, (*extra[weighty[-1] + 1 :], *steps), editable=False, feeds=view.path)
        steps = [*extra, *steps]
        if not view.skipped:
            core_view = _unwrapped(view)
            if core_view.width is not None or core_view.class_name in RECURRENT:
                feeds = view.feeds_on[0] if len(set(view.feeds_on)) == 1 else None
                return Tail(core_view, view.path, end, tuple(steps), editable=True, feeds=feeds)
            if view.class_name not in TRAILING:
                return None
            steps.insert(0, Step(view.class_name, view.config, view.path))
        view = _before(recipe, views, view)
    return None


def _unwrapped(view: LayerView) -> LayerView:
    inner = view.config.get("layer")
    if view.class_name != "TimeDistributed" or not isinstance(inner, Mapping):
        return view
    return LayerView(f"{view.path}/layer", str(inner["class_name"]), inner.get("config", EMPTY), view.feeds_on)


def _before(recipe: Recipe, views: Mapping[str, LayerView], view: LayerView) -> LayerView | None:
    sources = set(view.feeds_on)
    if len(sources) != 1:
        return None
    path = sources.pop()
    if path in views:
        return views[path]
    nested = recipe.get(path) if recipe.has(path) else None
    if not isinstance(nested, Mapping) or "layers" not in nested.get("config", EMPTY):
        return None
    inner = output_paths(nested, path + "/")
    return views.get(inner[0]) if len(inner) == 1 else None


def _numbers(value: Any) -> npt.NDArray[np.float64]:
    return np.atleast_1d(np.asarray(thaw(value), dtype=np.float64))


def _bounds_of(activation: str) -> Bounds:
    low, high = RANGES.get(activation, RANGES["linear"])
    return np.array([low]), np.array([high])
