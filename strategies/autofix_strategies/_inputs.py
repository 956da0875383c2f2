"""What the strategies for inputs share: where an input goes, and the layers that change it on its way in."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from autofix.facts import InputFacts
from autofix.frozen import EMPTY, thaw
from autofix.recipe import LayerView, Recipe, layers
from autofix.recipe.views import input_paths, output_paths
from autofix.strategy import Case
from autofix_strategies._edits import keras_layer, unused_name
from autofix_strategies._graph import has_weights

SCALERS = frozenset(
    {
        "Normalization",
        "Rescaling",
        "BatchNormalization",
        "LayerNormalization",
        "GroupNormalization",
        "UnitNormalization",
    }
)
ENCODERS = frozenset(
    {
        "Embedding", "Hashing", "IntegerLookup", "StringLookup", "TextVectorization", "CategoryEncoding",
        "Discretization", "HashedCrossing", "FeatureSpace",
    }
)  # fmt: skip
# A column of zeros and ones with mean m has a variance of m (1 - m): rare flags are small, not badly scaled.
FLAG_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Entry:
    """One input of the model and where it goes.

    Attributes:
        path: Path of its input layer.
        layer: The input layer.
        facts: What is fed into it.
        first: The layers that take it, layers left out and mere carriers (reshape, dropout, ...) passed over.
        reached: Class names of all layers up to and including the next ones with weights.
        after: Class names of the layers that the recipe puts right behind the input, nested ones opened.
    """

    path: str
    layer: LayerView
    facts: InputFacts
    first: tuple[LayerView, ...]
    reached: frozenset[str]
    after: tuple[str, ...]

    @property
    def is_encoded(self) -> bool:
        """Whether the input is looked up rather than computed with."""
        return bool(self.reached & ENCODERS) or "string" in str(self.layer.config.get("dtype"))

    @property
    def is_masked(self) -> bool:
        """Whether a value of the input means "nothing here"."""
        return "Masking" in self.reached

    @property
    def is_scaled(self) -> bool:
        """Whether a layer behind the input standardizes it, or one that the recipe put there scales it."""
        return bool(self.reached & (SCALERS - {"Rescaling"})) or any(name in SCALERS for name in self.after)

    @property
    def rescaled(self) -> tuple[LayerView, float, float] | None:
        """The `Rescaling` layer that alone takes the input, with its scale and offset; None where there is none."""
        if not self.first or any(view.class_name != "Rescaling" for view in self.first):
            return None
        view = self.first[0]
        scale, offset = view.config.get("scale"), view.config.get("offset", 0.0)
        if len(self.first) > 1 or not isinstance(scale, int | float) or not isinstance(offset, int | float):
            return view, math.nan, math.nan
        return view, float(scale), float(offset)

    @property
    def meets_frozen(self) -> bool:
        """Whether the first layer with weights is frozen, and so expects the scale it was trained on."""
        return any(has_weights(view) and not view.config.get("trainable", True) for view in self.first)


def entries(case: Case) -> Iterator[Entry]:
    """Yields every input whose layer is known, in the model's order."""
    recipe = case.recipe
    paths = input_paths(recipe)
    if len(paths) != len(case.facts.inputs):
        return
    views = {view.path: view for view in layers(recipe)}
    consumers = _consumers(recipe, views)
    for path, facts in zip(paths, case.facts.inputs, strict=True):
        view = views.get(path)
        if view is None or view.class_name != "InputLayer" or view.config.get("sparse") or view.config.get("ragged"):
            continue
        first, reached = _follow(path, views, consumers)
        yield Entry(path, view, facts, first, reached, tuple(_names(view.after)))


def statistics(facts: InputFacts) -> tuple[Any, Any]:
    """Returns mean and variance per feature as lists, or over everything where there are too many features.

    Features that never vary, and flags (0 and 1) that are rare, get a variance of 1: dividing by next to nothing would
    make them the largest inputs of all.
    """
    if not facts.feature_mean:
        return (facts.mean, facts.std**2) if facts.std > 0 and math.isfinite(facts.std) else (0.0, 1.0)
    means, variances = [], []
    for mean, std in zip(facts.feature_mean, facts.feature_std, strict=True):
        sound = math.isfinite(mean) and math.isfinite(std)
        rare = is_flag(mean, std) and std < 0.1
        means.append(_short(mean) if sound and not rare else 0.0)
        variances.append(_short(std * std) if sound and std * std > 1e-12 * max(1.0, mean * mean) and not rare else 1.0)
    return means, variances


def shifted(facts: InputFacts, scale: float, offset: float) -> InputFacts:
    """Returns the facts of an input behind a `Rescaling` layer."""
    low, high = sorted((facts.minimum * scale + offset, facts.maximum * scale + offset))
    return replace(
        facts,
        minimum=low,
        maximum=high,
        mean=facts.mean * scale + offset,
        std=facts.std * abs(scale),
        feature_mean=tuple(mean * scale + offset for mean in facts.feature_mean),
        feature_std=tuple(std * abs(scale) for std in facts.feature_std),
        integral=facts.integral and float(scale).is_integer() and float(offset).is_integer(),
    )


def is_flag(mean: float, std: float) -> bool:
    """Returns whether a feature has the mean and spread of a column of zeros and ones."""
    return 0 <= mean <= 1 and abs(std * std - mean * (1 - mean)) <= FLAG_TOLERANCE


def normalization(name: str, facts: InputFacts) -> dict[str, Any]:
    """Returns a `Normalization` layer that standardizes the input, its numbers written into its configuration."""
    mean, variance = statistics(facts)
    axis = [-1] if isinstance(mean, list) else None
    return keras_layer("Normalization", {"name": name, "axis": axis, "mean": mean, "variance": variance})


def nested(recipe: Recipe, entry: Entry, name: str, steps: list[dict[str, Any]]) -> dict[str, Any]:
    """Returns a nested model that applies layers and Keras operations one after the other.

    Operations such as `NanToNum` are no layers: only a functional model can hold them.
    """
    taken = {view.name for view in layers(recipe)}
    outer = unused_name(taken, name)
    shape = list(thaw(entry.layer.config.get("batch_shape")) or [None, *entry.facts.shape])
    dtype = thaw(entry.layer.config.get("dtype")) or "float32"
    source = unused_name(taken, f"{outer}_from")
    first = {"batch_shape": shape, "dtype": dtype, "sparse": False, "ragged": False, "name": source}
    inside = [{**keras_layer("InputLayer", first), "name": source, "inbound_nodes": []}]
    for step in steps:
        own = unused_name(taken, f"{outer}_{step['config']['name']}")
        tensor = {"shape": shape, "dtype": dtype, "keras_history": [source, 0, 0]}
        node = {"args": [{"class_name": "__keras_tensor__", "config": tensor}], "kwargs": {}}
        config = {**step["config"], "name": own}
        inside.append({**step, "config": config, "name": own, "inbound_nodes": [node]})
        source = own
    config = {
        "name": outer,
        "trainable": True,
        "layers": inside,
        "input_layers": [inside[0]["name"], 0, 0],
        "output_layers": [source, 0, 0],
    }
    return {
        "module": "keras.src.models.functional",
        "class_name": "Functional",
        "config": config,
        "registered_name": "Functional",
    }


def operation(class_name: str, config: dict[str, Any]) -> dict[str, Any]:
    """Returns a Keras operation in serialized form, for `nested`."""
    return {"module": "keras.src.ops.numpy", "class_name": class_name, "config": config, "registered_name": class_name}


def _short(value: float) -> float:
    return float(f"{value:.6g}")


def _names(entries_after: Any) -> Iterator[str]:
    for item in entries_after:
        yield str(item.get("class_name", ""))
        yield from _names(item.get("config", EMPTY).get("layers", ()))


def _consumers(recipe: Recipe, views: Mapping[str, LayerView]) -> dict[str, list[str]]:
    """Which layers take a layer's output; the input layers of a nested model stand for the model."""
    found: dict[str, list[str]] = {}
    for view in views.values():
        for source in dict.fromkeys(view.feeds_on):
            for real in _real(recipe, views, source):
                found.setdefault(real, []).append(view.path)
    for path in {path for view in views.values() for path in _models_around(view.path)}:
        node = recipe.get(path)
        nodes = node.get("inbound_nodes")
        sources = _history_names(nodes) if nodes is not None else ()
        prefix = path.rsplit("layers/", 1)[0]
        inner = [view.path for view in views.values() if view.path.rsplit("layers/", 1)[0] == f"{path}/"]
        starts = [name for name in inner if views[name].class_name == "InputLayer"] or inner[:1]
        feeding = [f"{prefix}layers/{name}" for name in sources] or _sequential_before(recipe, path)
        for source in feeding:
            for real in _real(recipe, views, source):
                found.setdefault(real, []).extend(starts)
    return found


def _models_around(path: str) -> Iterator[str]:
    parts = path.split("/layers/")
    for end in range(1, len(parts)):
        yield "/layers/".join(parts[:end])


def _real(recipe: Recipe, views: Mapping[str, LayerView], path: str) -> tuple[str, ...]:
    """Returns the layers that a nested model's output comes from, or the layer itself."""
    if path in views or not recipe.has(path):
        return (path,)
    node = recipe.get(path)
    return output_paths(node, path + "/") if "layers" in node.get("config", EMPTY) else (path,)


def _sequential_before(recipe: Recipe, path: str) -> list[str]:
    prefix, name = path.rsplit("layers/", 1)
    siblings = recipe.get(prefix.rstrip("/"))["config"]["layers"] if prefix else recipe.architecture["config"]["layers"]
    names = [item["config"].get("name") for item in siblings]
    place = names.index(name) if name in names else 0
    return [f"{prefix}layers/{names[place - 1]}"] if place else []


def _history_names(value: Any) -> tuple[str, ...]:
    found: list[str] = []

    def visit(item: Any) -> None:
        if isinstance(item, Mapping):
            if item.get("class_name") == "__keras_tensor__":
                found.append(item["config"]["keras_history"][0])
            else:
                for inner in item.values():
                    visit(inner)
        elif isinstance(item, list | tuple):
            for inner in item:
                visit(inner)

    visit(value)
    return tuple(dict.fromkeys(found))


# Layers that hand on an input at the scale it came in.
CARRIERS = frozenset(
    {
        "InputLayer", "Reshape", "Flatten", "Permute", "RepeatVector", "Masking", "Identity", "Dropout",
        "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "GaussianNoise", "GaussianDropout", "AlphaDropout",
        "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D", "Cropping1D", "Cropping2D", "Cropping3D", "Resizing",
        "CenterCrop", "RandomFlip", "RandomRotation", "RandomZoom", "RandomCrop", "RandomTranslation", "Concatenate",
        "MaxPooling1D", "MaxPooling2D", "AveragePooling1D", "AveragePooling2D",
    }
)  # fmt: skip


def _follow(
    path: str, views: Mapping[str, LayerView], consumers: Mapping[str, list[str]]
) -> tuple[tuple[LayerView, ...], frozenset[str]]:
    first: dict[str, LayerView] = {}
    reached: set[str] = set()
    seen: set[tuple[str, bool]] = set()
    open_paths = [(name, True) for name in consumers.get(path, ())]
    while open_paths:
        name, carried = open_paths.pop(0)
        view = views.get(name)
        if view is None or (name, carried) in seen:
            continue
        seen.add((name, carried))
        passes = view.skipped or view.class_name in CARRIERS
        if not view.skipped:
            reached.add(view.class_name)
        if carried and not passes:
            first[name] = view
        if passes or not has_weights(view):
            open_paths += [(after, carried and passes) for after in consumers.get(name, ())]
    return tuple(first.values()), frozenset(reached)
