"""Edits on what `Model.get_config()` gives: hidden activations, the output activation, kernel initializers.

Nothing here imports Keras. Layers that the author froze are left as they are: what they hold was learned elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Config = dict[str, Any]

# "As the author has it", wherever a name is asked for.
KEEP = "keep"

# Layers that are an activation and nothing else, with the name of that activation.
ACTIVATION_LAYERS = {
    "Activation": None,
    "ELU": "elu",
    "LeakyReLU": "leaky_relu",
    "ReLU": "relu",
    "Softmax": "softmax",
}
# Layers behind the head that only change its shape.
RESHAPING = ("Flatten", "Reshape")
# Where a wrapper keeps the layers it wraps.
WRAPPED = ("layer", "backward_layer", "cell")
# Settings that the initializers of the search space have by default.
USUAL_SETTINGS = {"gain": 1.0}


def layers_of(config: Config) -> Iterator[Config]:
    """Give every layer of a model's config, those inside nested models and wrappers too."""
    for layer in config.get("layers", ()):
        inner = layer["config"]
        if "layers" in inner:
            yield from layers_of(inner)
            continue
        yield layer
        for key in WRAPPED:
            if isinstance(inner.get(key), dict) and "class_name" in inner[key]:
                yield inner[key]


def activation(layer: Config) -> str | None:
    """The activation of a layer: its name, KEEP for one without a name, None where the layer has none."""
    if layer["class_name"] in ACTIVATION_LAYERS:
        return ACTIVATION_LAYERS[layer["class_name"]] or _name(layer["config"]["activation"])
    if "activation" not in layer["config"]:
        return None
    return _name(layer["config"]["activation"])


def _name(value: Any) -> str:
    if value is None:
        return "linear"
    return value if isinstance(value, str) else KEEP


def set_activation(layer: Config, name: str) -> None:
    """Give a layer another activation."""
    if layer["class_name"] in ACTIVATION_LAYERS:
        layer["class_name"] = "Activation"
        kept = {key: value for key, value in layer["config"].items() if key in ("name", "trainable", "dtype")}
        layer["config"] = kept | {"activation": name}
    else:
        layer["config"]["activation"] = name


def head(config: Config) -> list[Config]:
    """The layers that make the output activation: the last one with weights and what follows it; output first."""
    chain: list[Config] = []
    for layer in _backwards(config):
        if layer["class_name"] in RESHAPING:
            continue
        chain.append(layer)
        if layer["class_name"] not in ACTIVATION_LAYERS:
            break
    return [layer for layer in chain if activation(layer) is not None]


def _backwards(config: Config) -> Iterator[Config]:
    layers = config["layers"]
    if "output_layers" not in config:
        for layer in reversed(layers):
            yield from _backwards(layer["config"]) if "layers" in layer["config"] else (layer,)
        return
    by_name = {layer["config"].get("name", layer.get("name")): layer for layer in layers}
    name: str | None = _history(config["output_layers"])
    while name is not None and name in by_name:
        layer = by_name[name]
        yield from _backwards(layer["config"]) if "layers" in layer["config"] else (layer,)
        name = _history(layer.get("inbound_nodes"))


def _history(node: Any) -> str | None:
    """The first layer named in a serialized connection: `["name", 0, 0]`, or a `keras_history` further inside."""
    if isinstance(node, (list, tuple)):
        if len(node) == 3 and isinstance(node[0], str):
            return node[0]
        return next((found for item in node if (found := _history(item))), None)
    if isinstance(node, dict):
        if "keras_history" in node:
            return str(node["keras_history"][0])
        return next((found for item in node.values() if (found := _history(item))), None)
    return None


def output_activation(config: Config) -> str:
    """The output activation: "linear" where there is none, KEEP where there are several or it has no name."""
    names = [name for layer in head(config) if (name := activation(layer)) != "linear"]
    if not names:
        return "linear"
    return str(names[0]) if len(names) == 1 else KEEP


def set_output_activation(config: Config, name: str) -> None:
    """Make `name` the one activation of the output."""
    for place, layer in enumerate(head(config)):
        set_activation(layer, name if place == 0 else "linear")


def _hidden(config: Config) -> list[Config]:
    """Layers whose activation a user would vary: not the head, not frozen, not a linear layer before an activation."""
    outer = [id(layer) for layer in head(config)]
    hidden = [layer for layer in layers_of(config) if id(layer) not in outer and activation(layer) is not None]
    hidden = [layer for layer in hidden if layer["config"].get("trainable", True)]
    if any(layer["class_name"] in ACTIVATION_LAYERS for layer in hidden):
        hidden = [layer for layer in hidden if activation(layer) != "linear"]
    return hidden


def hidden_activation(config: Config) -> str:
    """The one activation of all hidden layers, KEEP where they differ or there are none."""
    return _only({str(activation(layer)) for layer in _hidden(config)})


def has_hidden(config: Config) -> bool:
    """Whether there is a hidden activation to vary."""
    return bool(_hidden(config))


def set_hidden_activation(config: Config, name: str) -> None:
    """Give all hidden layers one activation."""
    for layer in _hidden(config):
        set_activation(layer, name)


def _initialized(config: Config) -> list[Config]:
    found = [layer["config"] for layer in layers_of(config) if "kernel_initializer" in layer["config"]]
    return [inner for inner in found if inner.get("trainable", True)]


def kernel_initializer(config: Config) -> str:
    """The one initializer of all kernels, KEEP where they differ or it has settings of its own."""
    return _only({_initializer(inner["kernel_initializer"]) for inner in _initialized(config)})


def _initializer(value: Any) -> str:
    if isinstance(value, str):
        return value
    if not isinstance(value, dict):
        return KEEP
    if any(setting not in (None, USUAL_SETTINGS.get(key)) for key, setting in value["config"].items()):
        return KEEP
    words = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in value["class_name"])
    return words.lstrip("_")


def set_kernel_initializer(config: Config, name: str) -> None:
    """Start all kernels from one initializer."""
    for inner in _initialized(config):
        inner["kernel_initializer"] = name


def _only(names: set[str]) -> str:
    return next(iter(names)) if len(names) == 1 else KEEP
