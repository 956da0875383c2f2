"""What the preflight rules read from a recipe: shapes, fan-ins, the way from an input, the optimizer. No TensorFlow."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autofix.frozen import EMPTY
from autofix.recipe import LayerView, Recipe, layers
from autofix.recipe.views import RECURRENT, input_paths

Shape = tuple[int | None, ...]

# Layers that put inputs on a common scale or turn them into something that has none.
SCALERS = frozenset({"Normalization", "BatchNormalization", "LayerNormalization", "UnitNormalization"})
ENCODERS = frozenset(
    {
        "Embedding", "Hashing", "IntegerLookup", "StringLookup", "TextVectorization", "CategoryEncoding",
        "Discretization", "HashedCrossing", "FeatureSpace",
    }
)  # fmt: skip
# Layers that hand on their inputs at the scale in which they came.
CARRIERS = frozenset(
    {
        "InputLayer", "Reshape", "Flatten", "Permute", "RepeatVector", "Masking", "Identity", "Dropout",
        "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "GaussianNoise", "GaussianDropout", "AlphaDropout",
        "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D", "Cropping1D", "Cropping2D", "Cropping3D", "UpSampling1D",
        "UpSampling2D", "UpSampling3D", "Resizing", "CenterCrop", "RandomFlip", "RandomRotation", "RandomZoom",
        "RandomCrop", "RandomTranslation", "RandomBrightness", "RandomContrast", "Concatenate", "MaxPooling1D",
        "MaxPooling2D", "MaxPooling3D", "AveragePooling1D", "AveragePooling2D", "AveragePooling3D", "Activation",
    }
)  # fmt: skip
SAME_SHAPE = (
    SCALERS
    | {
        "Activation", "Softmax", "ReLU", "LeakyReLU", "ELU", "PReLU", "Dropout", "SpatialDropout1D", "SpatialDropout2D",
        "SpatialDropout3D", "GaussianNoise", "GaussianDropout", "AlphaDropout", "Identity", "Masking", "Rescaling",
        "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "GroupNormalization", "RandomFlip",
        "RandomRotation", "RandomZoom", "RandomContrast", "RandomBrightness", "RandomTranslation",
    }
)  # fmt: skip
KERNELS = ("kernel_initializer", "embeddings_initializer", "depthwise_initializer")
DEFAULT_RATES: Mapping[str, float] = {"sgd": 0.01}
DEFAULT_RATE = 0.001


def whole(view: LayerView) -> LayerView:
    """Returns the layer that a wrapper (`Bidirectional`, `TimeDistributed`) repeats, other layers as they are."""
    inner = view.config.get("layer")
    if isinstance(inner, Mapping) and isinstance(inner.get("config"), Mapping):
        return LayerView(view.path, str(inner.get("class_name", "")), inner["config"], view.feeds_on, view.skipped)
    return view


def weighted(view: LayerView) -> bool:
    """Whether the layer has a kernel of its own, as far as its configuration tells."""
    return any(key in whole(view).config for key in KERNELS)


def present(recipe: Recipe) -> tuple[LayerView, ...]:
    """Returns the layers that the recipe does not leave out; empty for a subclassed model."""
    return tuple(view for view in layers(recipe) if not view.skipped) if recipe.is_graph else ()


def consumers_of(recipe: Recipe) -> dict[str, tuple[str, ...]]:
    """Returns the paths of the layers that take each layer's output; what a skipped layer took goes on to its own."""
    views = layers(recipe) if recipe.is_graph else ()
    direct: dict[str, list[str]] = {}
    for view in views:
        for source in dict.fromkeys(view.feeds_on):
            direct.setdefault(source, []).append(view.path)
    skipped = {view.path for view in views if view.skipped}

    def reached(path: str, depth: int) -> list[str]:
        names = direct.get(path, [])
        if depth > len(views):
            return []
        return [end for name in names for end in (reached(name, depth + 1) if name in skipped else [name])]

    return {path: tuple(reached(path, 0)) for path in direct}


def shapes(recipe: Recipe) -> dict[str, Shape | None]:
    """Returns the output shape of every layer by path, without the batch axis; None where it cannot be told."""
    found: dict[str, Shape | None] = {}
    if not recipe.is_graph:
        return found
    for view in layers(recipe):
        sources = [_source(found, path) for path in view.feeds_on]
        found[view.path] = sources[0] if view.skipped and sources else _shape(view, sources)
    return found


def incoming(view: LayerView, found: Mapping[str, Shape | None]) -> Shape | None:
    """Returns the shape that a layer is fed with, given the result of `shapes`."""
    return _source(found, view.feeds_on[0]) if view.feeds_on else None


def fans(view: LayerView, shape: Shape | None) -> tuple[int, int] | None:
    """Returns fan-in and fan-out of a layer's kernel; None where they cannot be told."""
    inner = whole(view)
    width = inner.width
    if not shape or shape[-1] is None or width is None:
        return None
    if inner.class_name == "Dense" or inner.class_name in RECURRENT:
        return shape[-1], width
    if inner.class_name in ("Conv1D", "Conv2D", "Conv3D"):
        field = _product(_integers(inner.config.get("kernel_size", ())))
        groups = inner.config.get("groups", 1) or 1
        return max(1, field * shape[-1] // groups), field * width
    return None


@dataclass(frozen=True)
class Route:
    """How one input enters the model.

    Attributes:
        entries: Layers that first compute with it, each with factor and offset applied before.
    """

    entries: tuple[tuple[LayerView, float, float], ...]


def routes(recipe: Recipe) -> tuple[Route, ...]:
    """Returns one route per model input; empty for a subclassed model.

    Layers put behind others by the recipe itself (`after`) count.
    """
    views = layers(recipe) if recipe.is_graph else ()
    consumers: dict[str, list[LayerView]] = {}
    for view in views:
        for source in view.feeds_on:
            consumers.setdefault(source, []).append(view)
    nested = [view for view in views if view.class_name == "InputLayer" and not view.feeds_on and "/" in view.path[7:]]
    by_path = {view.path: view for view in views}
    return tuple(
        Route(tuple(_enter(by_path[path], consumers, nested, 1.0, 0.0, frozenset())))
        for path in input_paths(recipe)
        if path in by_path
    )


def optimizer(recipe: Recipe) -> tuple[str, Mapping[str, Any]]:
    """Returns the lower-case name of the optimizer and its settings; a loss-scale wrapper is opened."""
    value = recipe.compile.get("optimizer")
    for _ in range(3):
        if not isinstance(value, Mapping):
            break
        config = value.get("config")
        inner = config.get("inner_optimizer") if isinstance(config, Mapping) else None
        if not isinstance(inner, Mapping):
            return str(value.get("class_name", "")).lower(), config if isinstance(config, Mapping) else EMPTY
        value = inner
    return (value.lower() if isinstance(value, str) else ""), EMPTY


def learning_rate(recipe: Recipe) -> float | None:
    """Returns the highest learning rate that the optimizer is set to; None where it cannot be told."""
    name, config = optimizer(recipe)
    value = config.get("learning_rate")
    if value is None:
        return DEFAULT_RATES.get(name, DEFAULT_RATE) if name else None
    if isinstance(value, Mapping):
        settings = value.get("config")
        settings = settings if isinstance(settings, Mapping) else EMPTY
        rates = [settings.get(key) for key in ("initial_learning_rate", "warmup_target")]
        values = settings.get("values")
        rates += list(values) if isinstance(values, Sequence) and not isinstance(values, str) else []
        known = [float(rate) for rate in rates if isinstance(rate, int | float)]
        return max(known) if known else None
    return float(value) if isinstance(value, int | float) else None


def total_steps(recipe: Recipe, rows: int) -> tuple[int, int]:
    """Returns training steps in an epoch and in all epochs."""
    batch = recipe.fit.get("batch_size") or 32
    epochs = recipe.fit.get("epochs") or 1
    per_epoch = max(1, math.ceil(rows / max(1, int(batch))))
    return per_epoch, per_epoch * max(1, int(epochs))


def class_names(entries: Any) -> tuple[str, ...]:
    """Returns the class names of serialized layers."""
    return tuple(str(item.get("class_name", "")) for item in entries or () if isinstance(item, Mapping))


def _enter(
    view: LayerView, consumers: Mapping[str, list[LayerView]], nested: list[LayerView], factor: float, offset: float,
    seen: frozenset[str],
) -> Iterator[tuple[LayerView, float, float]]:  # fmt: skip
    if view.path in seen:
        return
    for item in view.after:
        if isinstance(item, Mapping):
            config = item.get("config", EMPTY)
            extra = LayerView(f"{view.path}/after", str(item.get("class_name", "")), config, (view.path,))
            if extra.class_name not in CARRIERS:
                scaling = _rescaling(extra)
                if scaling is None:
                    yield extra, factor, offset
                    return
                factor, offset = factor * scaling[0], offset * scaling[0] + scaling[1]
    following = consumers.get(view.path, [])
    # A nested model is not a layer of its own here: what nobody takes goes into it.
    if not following and view not in nested:
        following = nested
    for child in following:
        scaling = None if child.skipped else _rescaling(child)
        if child.skipped or child.class_name in CARRIERS:
            yield from _enter(child, consumers, nested, factor, offset, seen | {view.path})
        elif scaling is not None:
            scale, shift = scaling
            yield from _enter(child, consumers, nested, factor * scale, offset * scale + shift, seen | {view.path})
        else:
            yield child, factor, offset


def _rescaling(view: LayerView) -> tuple[float, float] | None:
    if view.class_name != "Rescaling":
        return None
    scale, offset = view.config.get("scale", 1.0), view.config.get("offset", 0.0)
    if isinstance(scale, int | float) and isinstance(offset, int | float):
        return float(scale), float(offset)
    return None


def _source(found: Mapping[str, Shape | None], path: str) -> Shape | None:
    if path in found:
        return found[path]
    inside = [shape for name, shape in found.items() if name.startswith(path + "/")]
    return inside[-1] if inside else None


def _shape(view: LayerView, sources: list[Shape | None]) -> Shape | None:
    name, config = view.class_name, view.config
    if name == "InputLayer":
        batch = config.get("batch_shape")
        return tuple(batch[1:]) if isinstance(batch, Sequence) and not isinstance(batch, str) else None
    shape = sources[0] if sources else None
    if shape is None:
        return None
    if name == "Concatenate":
        last = [item[-1] if item else None for item in sources]
        whole_last = None if None in last else sum(item for item in last if item is not None)
        return (*shape[:-1], whole_last) if config.get("axis", -1) == -1 else None
    if name in SAME_SHAPE:
        return shape
    return _moved(view, shape)


def _moved(view: LayerView, shape: Shape) -> Shape | None:
    name, config = view.class_name, view.config
    if name == "Dense" and shape:
        return (*shape[:-1], view.width)
    if name == "Embedding":
        return (*shape, config.get("output_dim"))
    if name == "Flatten":
        return (None if None in shape else _product(shape),)
    if name == "Reshape":
        target = tuple(config.get("target_shape", ()))
        return None if -1 in target else target
    if name == "RepeatVector":
        return (config.get("n"), *shape)
    if name.startswith("Global") and "Pooling" in name:
        return (shape[-1],) if shape else None
    if name in RECURRENT:
        return (*shape[:-1], view.width) if config.get("return_sequences") else (view.width,)
    if name == "Bidirectional":
        inner = whole(view)
        doubled = config.get("merge_mode") == "concat" and inner.width is not None
        width = 2 * inner.width if doubled and inner.width is not None else inner.width
        return (*shape[:-1], width) if inner.config.get("return_sequences") else (width,)
    windowed = name in ("Conv1D", "Conv2D", "Conv3D") or name.startswith(("MaxPooling", "AveragePooling"))
    return _strided(view, shape) if windowed else None


def _strided(view: LayerView, shape: Shape) -> Shape | None:
    config = view.config
    convolves = view.class_name.startswith("Conv")
    window = _integers(config.get("kernel_size" if convolves else "pool_size", ()))
    strides = _integers(config.get("strides")) or ((1,) * len(window) if convolves else window)
    dilation = _integers(config.get("dilation_rate")) or (1,) * len(window)
    if len(window) != len(shape) - 1 or not len(window) == len(strides) == len(dilation):
        return None
    if config.get("data_format") == "channels_first" or min(strides, default=1) < 1:
        return None
    out: list[int | None] = []
    for size, width, stride, step in zip(shape[:-1], window, strides, dilation, strict=True):
        if size is None:
            out.append(None)
        elif config.get("padding") in ("same", "causal"):
            out.append(math.ceil(size / stride))
        else:
            out.append(max(0, (size - (width - 1) * step - 1) // stride + 1))
    return (*out, view.width if convolves else shape[-1])


def _integers(value: Any) -> tuple[int, ...]:
    if isinstance(value, int):
        return (value,)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(int(item) for item in value if isinstance(item, int))
    return ()


def _product(values: Sequence[int | None]) -> int:
    return math.prod(value for value in values if value is not None)
