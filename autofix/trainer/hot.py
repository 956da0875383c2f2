"""Which settings a compiled program takes as values: changing one of them needs no new trace. No TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autofix.facts import InputFacts
from autofix.frozen import FrozenDict, canonical, thaw
from autofix.recipe import Recipe, layers
from autofix.recipe.views import input_paths
from autofix.trainer.plan import RATE, fixed_rate

PENALTIES = ("L1", "L2", "L1L2")
# Layers whose weights carry the regularizer of the same name. Others (attention keeps copies in layers of its own, a
# depthwise convolution names its kernel otherwise, a user's layer may do anything) are run by programs of their own.
NAMED = frozenset(
    {
        "Dense", "EinsumDense", "Embedding", "Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose", "Conv2DTranspose",
        "Conv3DTranspose", "LSTM", "GRU", "SimpleRNN", "BatchNormalization", "LayerNormalization",
        "GroupNormalization", "PReLU",
    }
)  # fmt: skip
# Inputs with means and spreads inside these are not likely to be scaled, and are spared the two operations it takes.
UNIT_MEAN, UNIT_SPREAD = 0.5, (0.2, 2.0)
# Keras' smallest divisor in `Normalization`.
EPSILON = 1e-7


@dataclass(frozen=True)
class Affine:
    """What is done to an input before the model sees it: (x - shift) * factor, over its last axis.

    Attributes:
        shift: float array [features] or a scalar array [].
        factor: The same shape.
    """

    shift: np.ndarray
    factor: np.ndarray


@dataclass(frozen=True, eq=False)
class Knobs:
    """Values of the settings that need no new trace.

    Attributes:
        rate: Learning rate; None leaves a schedule in charge.
        penalties: Factor on the origin's regularizer, by the path of its setting.
        scales: What is done to the inputs, by name.
    """

    rate: float | None = None
    penalties: Mapping[str, float] = field(default_factory=dict)
    scales: Mapping[str, Affine] = field(default_factory=dict)


class Hot:
    """Tells a recipe's hot settings from those that need a compiled program of their own.

    Args:
        origin: The user's recipe: its regularizers are the ones that can be scaled.
        inputs: What is fed, in the order of the model's inputs; empty where no input may be scaled.
        weighted: Whether programs take sample weights even where a recipe has none.
    """

    def __init__(self, origin: Recipe, inputs: Sequence[InputFacts] = (), *, weighted: bool = False) -> None:
        self.inputs = tuple(facts.name for facts in inputs)
        self.scaled = dict(_scalable(origin, inputs))
        self.weighted = weighted
        self.penalties = {path: value for path, value in _regularizers(origin) if _strength(value)}

    def split(self, recipe: Recipe) -> tuple[Recipe, Knobs]:
        """Returns the recipe of the program that can run `recipe`, and the values it has to be given."""
        base, factors, scales = recipe, {}, {}
        for path, was in self.penalties.items():
            factor = _factor(recipe.get(path), was) if recipe.has(path) else None
            if factor is not None:
                factors[path] = factor
                base = base.set(path, thaw(was)) if factor != 1.0 else base
        for path, (name, shape) in self.scaled.items():
            after = recipe.get(f"{path}/after") if recipe.has(f"{path}/after") else ()
            affine = _affine(after[0], shape) if after else None
            if affine is not None:
                scales[name] = affine
                base = base.set(f"{path}/after", thaw(after[1:]))
        return base, Knobs(fixed_rate(recipe), factors, scales)

    def key(self, base: Recipe) -> str:
        """Returns what tells programs apart: all but values, initializers, epochs, patience and order of rows."""
        compiled = base.compile if fixed_rate(base) is None else base.set(RATE, 0.0).compile
        weighted = self.weighted or base.fit.get("class_weight") is not None
        return canonical([_without_initializers(base.architecture), compiled, base.transforms, weighted])


def _scalable(recipe: Recipe, inputs: Sequence[InputFacts]) -> Iterator[tuple[str, tuple[str, tuple[int, ...]]]]:
    """Yields name and shape of the inputs that may have to be scaled, with the path of the input layer."""
    views = {view.path: view for view in layers(recipe)}
    for path, facts in zip(input_paths(recipe), inputs, strict=False):
        view = views.get(path)
        if view is None or facts.dtype == "object" or _has_unit_size(facts):
            continue
        wanted = tuple((view.config.get("batch_shape") or ())[1:])
        if len(facts.shape) == len(wanted) and "float" in str(view.config.get("dtype")):
            yield path, (facts.name, facts.shape)


def _has_unit_size(facts: InputFacts) -> bool:
    means, deviations = facts.feature_mean or (facts.mean,), facts.feature_std or (facts.std,)
    return max(map(abs, means)) <= UNIT_MEAN and UNIT_SPREAD[0] <= max(deviations) <= UNIT_SPREAD[1]


def _regularizers(recipe: Recipe) -> Iterator[tuple[str, Any]]:
    for view in layers(recipe):
        for key, value in view.config.items() if view.class_name in NAMED else ():
            if key.endswith("_regularizer") and key != "activity_regularizer":
                yield f"{view.path}/{key}", value


def _strength(value: Any) -> dict[str, float]:
    """Returns the coefficients of a built-in regularizer that are not zero; empty for any other."""
    if not isinstance(value, Mapping) or value.get("class_name") not in PENALTIES:
        return {}
    return {key: float(number) for key, number in value["config"].items() if number}


def _factor(value: Any, was: Any) -> float | None:
    """Returns by how much a regularizer is another's multiple; None where it is another kind."""
    if value is None:
        return 0.0
    if not isinstance(value, Mapping) or value.get("class_name") != was.get("class_name"):
        return None
    new, old = _strength(value), _strength(was)
    if not new:
        return 0.0
    ratios = [new.get(key, 0.0) / number for key, number in old.items()]
    return ratios[0] if new.keys() == old.keys() and np.allclose(ratios, ratios[0], rtol=1e-6) else None


def _affine(layer: Mapping[str, Any], shape: tuple[int, ...]) -> Affine | None:
    """Returns a scaling layer's arithmetic if it is the same for all but the last axis; None for any other layer."""
    config = layer["config"]
    width = shape[-1:]
    if layer["class_name"] == "Rescaling":
        scale, offset = config["scale"], config["offset"]
        if not isinstance(scale, int | float) or not isinstance(offset, int | float) or scale == 0:
            return None
        return Affine(np.full(width, -offset / scale), np.full(width, float(scale)))
    if layer["class_name"] != "Normalization" or config.get("invert") or config.get("mean") is None:
        return None
    mean, variance = np.asarray(thaw(config["mean"]), float), np.asarray(thaw(config["variance"]), float)
    axis = config["axis"]
    axes = tuple(axis) if isinstance(axis, tuple | list) else (axis,)
    if mean.size > 1 and (axes not in ((-1,), (len(shape),)) or mean.size != shape[-1]):
        return None
    mean, variance = mean.reshape(-1), variance.reshape(-1)
    shift = np.broadcast_to(mean if width else mean[0], width)
    deviation = np.sqrt(np.broadcast_to(variance if width else variance[0], width))
    return Affine(np.array(shift), 1.0 / np.maximum(deviation, EPSILON))


def _without_initializers(node: Any) -> Any:
    if isinstance(node, FrozenDict | dict):
        return {key: _without_initializers(value) for key, value in node.items() if not key.endswith("_initializer")}
    if isinstance(node, tuple | list):
        return [_without_initializers(item) for item in node]
    return node
