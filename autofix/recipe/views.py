"""What a strategy sees of an architecture: its layers in order and its heads. No TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from autofix.frozen import EMPTY, FrozenDict
from autofix.recipe.document import Recipe

# Layers that hold a weight matrix and whose width is the width of what they put out.
WIDTH_KEY = {"Dense": "units", "EinsumDense": "", "Conv1D": "filters", "Conv2D": "filters", "Conv3D": "filters"}
RECURRENT = frozenset({"LSTM", "GRU", "SimpleRNN"})
# Layers that reshape or squash what a head puts out without weights of their own.
TRAILING = frozenset(
    {
        "Activation", "Softmax", "ReLU", "LeakyReLU", "ELU", "Dropout", "Reshape", "Flatten", "Rescaling", "Identity",
        "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D",
        "GaussianDropout", "GaussianNoise", "AlphaDropout", "BatchNormalization", "LayerNormalization",
    }
)  # fmt: skip


@dataclass(frozen=True)
class LayerView:
    """One layer of a recipe.

    Attributes:
        path: Where it is: ``layers/dense`` or ``layers/encoder/layers/dense``.
        class_name: Its Keras class.
        config: Its configuration.
        feeds_on: Paths of the layers whose outputs it takes.
        skipped: Whether the recipe leaves it out.
        after: Configurations of the layers that the recipe puts behind it.
    """

    path: str
    class_name: str
    config: FrozenDict
    feeds_on: tuple[str, ...] = ()
    skipped: bool = False
    after: tuple[Any, ...] = ()

    @property
    def name(self) -> str:
        """The layer's own name."""
        return self.path.rsplit("/", 1)[-1]

    @property
    def width(self) -> int | None:
        """Units or filters; None for a layer that has neither."""
        key = WIDTH_KEY.get(self.class_name) or "units"
        value = self.config.get(key)
        return value if isinstance(value, int) else None

    @property
    def width_path(self) -> str:
        """Path of the number of units or filters."""
        return f"{self.path}/{WIDTH_KEY.get(self.class_name) or 'units'}"

    @property
    def activation(self) -> str | None:
        """Snake-case name of its activation; None for a layer without one."""
        return activation_name(self)


@dataclass(frozen=True)
class Head:
    """What produces one output of the model.

    Attributes:
        layer: The last layer with weights of its own.
        trailing: Layers behind it, in order, skipped ones left out.
        activation: The activation that the outputs finally pass: "linear" when there is none.
        activation_path: Path of the value that decides it; None when it is a layer such as `Softmax`.
    """

    layer: LayerView
    trailing: tuple[LayerView, ...]
    activation: str
    activation_path: str | None

    @property
    def width(self) -> int | None:
        """Units of the output."""
        return self.layer.width


def activation_name(layer: LayerView) -> str | None:
    """Returns the snake-case name of the activation that `layer` applies, None if it applies none."""
    by_class = {"Softmax": "softmax", "ReLU": "relu", "LeakyReLU": "leaky_relu", "ELU": "elu", "PReLU": "prelu"}
    if layer.class_name in by_class:
        return by_class[layer.class_name]
    value = layer.config.get("activation")
    if value is None:
        return "linear" if "activation" in layer.config else None
    if isinstance(value, Mapping):
        inner = value.get("config")
        name = inner if isinstance(inner, str) else value.get("class_name", "custom")
        return by_class.get(name, str(name))
    return str(value)


def layers(recipe: Recipe) -> tuple[LayerView, ...]:
    """Returns every layer in graph order, nested models opened; empty for a subclassed model."""
    return tuple(_walk(recipe.architecture, ""))


def heads(recipe: Recipe) -> tuple[Head | None, ...]:
    """Returns one head per model output; None where the output's layer cannot be told."""
    if not recipe.is_graph:
        return ()
    by_path = {layer.path: layer for layer in layers(recipe)}
    return tuple(_head(by_path, path) for path in output_paths(recipe.architecture, ""))


def output_paths(entry: Mapping[str, Any], prefix: str) -> tuple[str, ...]:
    """Returns the paths of the layers that the outputs of a model come from, nested models opened."""
    config = entry["config"]
    if "output_layers" in config:
        names = [item[0] for item in _histories(config["output_layers"])]
    else:
        names = [config["layers"][-1]["config"]["name"]]
    inner = {item["config"].get("name"): item for item in config["layers"]}
    found: list[str] = []
    for name in names:
        path = f"{prefix}layers/{name}"
        nested = inner[name]
        found += output_paths(nested, path + "/") if "layers" in nested["config"] else [path]
    return tuple(found)


def input_paths(recipe: Recipe) -> tuple[str, ...]:
    """Returns the paths of the input layers in the model's own order; empty for a subclassed model."""
    if not recipe.is_graph:
        return ()
    config = recipe.architecture["config"]
    if "input_layers" in config:
        return tuple(f"layers/{item[0]}" for item in _histories(config["input_layers"]))
    first = config["layers"][0]
    return (f"layers/{first['config']['name']}",) if first["class_name"] == "InputLayer" else ()


def _walk(entry: Mapping[str, Any], prefix: str, outer: tuple[str, ...] = ()) -> Iterator[LayerView]:
    """Yields the layers of a model; `outer` are the layers that a nested model is called on."""
    config = entry.get("config", EMPTY)
    outputs: dict[str, tuple[str, ...]] = {}
    doors = [item[0] for item in _histories(config["input_layers"])] if "input_layers" in config else []
    previous = outer
    for item in config.get("layers", ()):
        path = f"{prefix}layers/{item['config'].get('name')}"
        nodes = item.get("inbound_nodes")
        if nodes is None:
            feeds_on = previous
        elif item["config"].get("name") in doors:
            door = doors.index(item["config"]["name"])
            feeds_on = (outer[door],) if len(outer) == len(doors) else outer
        else:
            feeds_on = tuple(
                found
                for name, tensor in _inbound(nodes)
                for found in _source(outputs, f"{prefix}layers/{name}", tensor)
            )
        inner = item.get("config", EMPTY)
        skipped = bool(item.get("skip", False))
        if isinstance(inner, Mapping) and "layers" in inner:
            outputs[path] = output_paths(item, path + "/")
            yield from _walk(item, path + "/", feeds_on)
            previous = outputs[path]
        else:
            yield LayerView(path, item["class_name"], inner, feeds_on, skipped, tuple(item.get("after", ())))
            previous = (path,)


def _source(outputs: Mapping[str, tuple[str, ...]], path: str, tensor: int) -> tuple[str, ...]:
    """The layer behind one tensor: `path` itself, or the layer inside a nested model that puts it out."""
    inside = outputs.get(path)
    if inside is None:
        return (path,)
    return (inside[tensor],) if tensor < len(inside) else inside


def _inbound(nodes: Any) -> tuple[tuple[str, int], ...]:
    names: list[tuple[str, int]] = []

    def visit(value: Any) -> None:
        if isinstance(value, Mapping):
            if value.get("class_name") == "__keras_tensor__":
                name, _, tensor = value["config"]["keras_history"]
                names.append((name, tensor))
            else:
                for item in value.values():
                    visit(item)
        elif isinstance(value, list | tuple):
            for item in value:
                visit(item)

    visit(nodes)
    return tuple(names)


def _histories(value: Any) -> list[Any]:
    """Flattens Keras' `[name, node, tensor]` triples, which come bare, in lists or in dicts, as Keras itself does."""
    if isinstance(value, Mapping):
        return [item for key in sorted(value) for item in _histories(value[key])]
    if len(value) == 3 and isinstance(value[0], str) and isinstance(value[1], int):
        return [value]
    return [item for inner in value for item in _histories(inner)]


def _head(by_path: Mapping[str, LayerView], path: str) -> Head | None:
    trailing: list[LayerView] = []
    layer = by_path.get(path)
    while layer is not None and (layer.class_name in TRAILING or layer.skipped):
        if not layer.skipped:
            trailing.insert(0, layer)
        layer = by_path.get(layer.feeds_on[0]) if layer.feeds_on else None
    if layer is None or (layer.width is None and layer.class_name not in RECURRENT):
        return None
    activation, where = layer.activation or "linear", f"{layer.path}/activation"
    holder: str | None = where
    for view in trailing:
        name = view.activation
        if name not in (None, "linear"):
            activation = str(name)
            holder = f"{view.path}/activation" if view.class_name == "Activation" else None
    return Head(layer, tuple(trailing), activation, holder)
