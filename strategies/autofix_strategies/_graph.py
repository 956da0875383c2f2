"""What several strategies ask of an architecture: which layers are hidden, what lies ahead, how wide they are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autofix.frozen import EMPTY
from autofix.recipe import LayerView, Recipe, layers
from autofix.recipe.views import output_paths

DENSE = frozenset({"Dense", "EinsumDense"})
CONVOLUTIONS = frozenset(
    {
        "Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose",
        "SeparableConv1D", "SeparableConv2D", "DepthwiseConv1D", "DepthwiseConv2D",
    }
)  # fmt: skip
RECURRENT = frozenset({"SimpleRNN", "LSTM", "GRU", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"})
FEED_FORWARD = DENSE | CONVOLUTIONS
KERNELS = FEED_FORWARD | RECURRENT
# Layers that hold others under these keys of their configuration.
WRAPPERS: Mapping[str, tuple[str, ...]] = {
    "Bidirectional": ("layer", "backward_layer"),
    "TimeDistributed": ("layer",),
}
# Any layer with one of these has weights that decide what it puts out, known to us or not.
WEIGHT_KEYS = ("kernel_initializer", "depthwise_initializer", "embeddings_initializer", "units", "filters")
# Layers whose output has the last axis of their (first) input.
KEEP_LAST_AXIS = frozenset(
    {
        "Activation", "ReLU", "LeakyReLU", "ELU", "PReLU", "Softmax", "Dropout", "SpatialDropout1D", "SpatialDropout2D",
        "SpatialDropout3D", "AlphaDropout", "GaussianDropout", "GaussianNoise", "BatchNormalization", "Normalization",
        "LayerNormalization", "GroupNormalization", "UnitNormalization", "RMSNormalization", "Rescaling", "Identity",
        "ActivityRegularization", "Masking", "Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract",
        "MaxPooling1D", "MaxPooling2D", "MaxPooling3D", "AveragePooling1D", "AveragePooling2D", "AveragePooling3D",
        "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D", "GlobalMaxPooling1D",
        "GlobalMaxPooling2D", "GlobalMaxPooling3D", "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D",
        "UpSampling1D", "UpSampling2D", "UpSampling3D", "Cropping1D", "Cropping2D", "Cropping3D", "RepeatVector",
        "RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Graph:
    """The layers of a recipe and how they hang together; empty for a subclassed model.

    Attributes:
        views: Every layer that takes part, in graph order, nested models opened.
        by_path: The same by path, layers left out included.
        consumers: Paths of the layers that take a layer's output, by its path.
        heads: Paths of the layers from which an output comes with no other weights in between.
    """

    views: tuple[LayerView, ...]
    by_path: Mapping[str, LayerView]
    consumers: Mapping[str, tuple[str, ...]]
    heads: frozenset[str]

    @classmethod
    def of(cls, recipe: Recipe) -> Graph:
        """Reads the layers of a recipe."""
        views = layers(recipe)
        by_path = {view.path: view for view in views}
        consumers: dict[str, list[str]] = {}
        for view in views:
            for source in dict.fromkeys(view.feeds_on):
                consumers.setdefault(source, []).append(view.path)
        ends = output_paths(recipe.architecture, "") if views else ()
        return cls(
            views=tuple(view for view in views if not view.skipped),
            by_path=by_path,
            consumers={path: tuple(found) for path, found in consumers.items()},
            heads=frozenset(_heads(by_path, ends)),
        )

    def hidden(self) -> tuple[LayerView, ...]:
        """Returns the trainable hidden layers that have a kernel, wrapped ones in the place of their wrappers."""
        return tuple(
            part
            for view in self.views
            if view.path not in self.heads and view.config.get("trainable", True)
            for part in parts(view)
            if part.class_name in KERNELS
        )

    def ahead(self, path: str) -> tuple[LayerView, ...]:
        """Returns what the output of a layer runs into, up to and including the next layers with weights."""
        found: dict[str, LayerView] = {}
        open_paths = list(self.consumers.get(owner(path), ()))
        while open_paths:
            view = self.by_path[open_paths.pop(0)]
            if view.path in found:
                continue
            found[view.path] = view
            if view.skipped or not has_weights(view):
                open_paths.extend(self.consumers.get(view.path, ()))
        return tuple(view for view in found.values() if not view.skipped)

    def behind(self, path: str) -> tuple[LayerView, ...]:
        """Returns the nearest layers with weights that a layer's input comes from."""
        found: dict[str, LayerView] = {}
        seen: set[str] = set()
        open_paths = list(self._feeds(owner(path)))
        while open_paths:
            source = open_paths.pop(0)
            view = self.by_path.get(source)
            if view is None or source in seen:
                continue
            seen.add(source)
            if has_weights(view) and not view.skipped:
                found[source] = view
            else:
                open_paths.extend(view.feeds_on)
        return tuple(found.values())

    def is_gate(self, path: str) -> bool:
        """Returns whether a layer's output weighs another one's: multiplied with it before the next weights."""
        return any(
            view.class_name in ("Multiply", "Dot", "Matmul", "Einsum") and len(set(view.feeds_on)) > 1
            for view in self.ahead(path)
        )

    def activation(self, path: str) -> str:
        """Returns the activation that a layer's output passes before the next weights: its own or a layer's."""
        own = self._part(path).activation or "linear"
        if own != "linear":
            return own
        for view in self.ahead(path):
            if has_weights(view):
                break
            if view.activation not in (None, "linear"):
                return str(view.activation)
        return "linear"

    def fan_in(self, path: str) -> int | None:
        """Returns how many inputs each unit of a layer adds up; None where the graph does not tell."""
        view = self._part(path)
        feeds = self._feeds(owner(path))
        channels = self._last_axis(feeds[0]) if feeds else None
        kernel = view.config.get("kernel_size")
        field = math.prod(kernel) if isinstance(kernel, tuple) else kernel if isinstance(kernel, int) else 1
        if view.class_name.startswith("Depthwise"):
            return field
        return None if channels is None else channels * field

    def _part(self, path: str) -> LayerView:
        return next(part for part in parts(self.by_path[owner(path)]) if part.path == path)

    def _feeds(self, path: str) -> tuple[str, ...]:
        view = self.by_path.get(path)
        return view.feeds_on if view is not None else ()

    def _last_axis(self, path: str) -> int | None:
        view = self.by_path.get(path)
        if view is None:
            return None
        if view.class_name == "InputLayer":
            return _last_size(_shape(view))
        if view.class_name == "Embedding":
            size = view.config.get("output_dim")
            return size if isinstance(size, int) else None
        if has_weights(view):
            inner = parts(view)[0]
            merged = view.class_name == "Bidirectional" and view.config.get("merge_mode") == "concat"
            return None if inner.width is None else inner.width * (2 if merged else 1)
        if view.class_name == "Reshape":
            return _last_size(view.config.get("target_shape", ()))
        if view.class_name == "Flatten":
            return self._flat(view)
        if view.class_name == "Concatenate" and view.config.get("axis", -1) == -1:
            sizes = [self._last_axis(source) for source in view.feeds_on]
            return None if None in sizes else sum(size for size in sizes if size is not None)
        if (view.class_name in KEEP_LAST_AXIS or view.skipped) and view.feeds_on:
            return self._last_axis(view.feeds_on[0])
        return None

    def _flat(self, view: LayerView) -> int | None:
        source = self.by_path.get(view.feeds_on[0]) if view.feeds_on else None
        while source is not None and source.class_name in ("Rescaling", "Normalization") and source.feeds_on:
            source = self.by_path.get(source.feeds_on[0])
        if source is None or source.class_name != "InputLayer":
            return None
        shape = _shape(source)[1:]
        return None if any(size is None for size in shape) else math.prod(shape)


def parts(view: LayerView) -> tuple[LayerView, ...]:
    """Returns the layers inside a wrapper such as `Bidirectional`, or the layer itself."""
    inner = ((key, view.config.get(key)) for key in WRAPPERS.get(view.class_name, ()))
    found = tuple(
        LayerView(f"{view.path}/{key}", value["class_name"], value["config"], view.feeds_on)
        for key, value in inner
        if isinstance(value, Mapping) and isinstance(value.get("config"), Mapping)
    )
    return found or (view,)


def owner(path: str) -> str:
    """Returns the path of the layer itself for one inside a wrapper."""
    head, _, last = path.rpartition("/")
    is_part = last in ("layer", "backward_layer") and not head.endswith("layers")
    return head if is_part else path


def has_weights(view: LayerView) -> bool:
    """Returns whether a layer has weights that decide what it puts out (normalization does not count)."""
    return any(part.class_name in KERNELS or any(key in part.config for key in WEIGHT_KEYS) for part in parts(view))


def is_shared(view: LayerView) -> bool:
    """Returns whether a layer is called more than once or on several tensors, so that nothing can be put behind it."""
    return len(view.feeds_on) > 1


def _heads(by_path: Mapping[str, LayerView], ends: tuple[str, ...]) -> set[str]:
    found: set[str] = set()
    open_paths = list(ends)
    while open_paths:
        view = by_path.get(open_paths.pop())
        if view is None or view.path in found:
            continue
        found.add(view.path)
        if view.skipped or not has_weights(view):
            open_paths.extend(view.feeds_on)
    return found


def _shape(view: LayerView) -> tuple[Any, ...]:
    shape = view.config.get("batch_shape") or view.config.get("batch_input_shape") or ()
    return shape if isinstance(shape, tuple) else ()


def _last_size(shape: Any) -> int | None:
    last = shape[-1] if shape else None
    return last if isinstance(last, int) and last > 0 else None


def settings(value: Any) -> tuple[str, Mapping[str, Any]]:
    """Returns class name and settings of a serialized Keras object or of its short name; `("", {})` for None."""
    if isinstance(value, Mapping):
        config = value.get("config", EMPTY)
        return str(value.get("class_name", "")), config if isinstance(config, Mapping) else EMPTY
    return (str(value), EMPTY) if value is not None else ("", EMPTY)
