"""Names that Keras gives: which were counted up by it, and how two recipes compare whose counts differ."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from autofix.frozen import thaw
from autofix.recipe import Recipe


def snake(name: str) -> str:
    """Returns the name that Keras makes of a class: `global_average_pooling2d` for `GlobalAveragePooling2D`."""
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def is_counted(class_name: str, name: Any) -> bool:
    """Returns whether `name` is one that Keras counts up by itself: `dense`, `dense_7`."""
    return not isinstance(name, str) or re.fullmatch(rf"{re.escape(snake(class_name))}(_\d+)?", name) is not None


def count_of(name: str) -> int:
    """Returns the number at the end of a name, 0 where there is none."""
    found = re.search(r"_(\d+)$", name)
    return int(found.group(1)) if found else 0


def numbered(recipe: Recipe) -> dict[str, Any]:
    """Returns a recipe as data with every layer named by its place, so that two can be compared.

    Keras counts the layers of a process, so that a program that is run alone names its layers otherwise than after
    another one. What a model was last built with and an optimizer's own name are left out for the same reason; settings
    of the loss by output name follow the new names.
    """
    document = recipe.to_dict()
    names: dict[str, str] = {}
    model = document["architecture"]
    model.pop("build_config", None)
    if "layers" in model.get("config", {}):
        _collect(model, names, "")
        document["architecture"] = _renamed(model, names)
        document["architecture"]["config"]["name"] = "model"
        _drop(document["architecture"])
    elif is_counted(str(model.get("class_name")), model.get("config", {}).get("name")):
        model["config"].pop("name", None)
    outputs = {old: new for old, new in names.items() if "/" not in old}
    for key, value in document["compile"].items():
        if isinstance(value, dict) and "class_name" not in value:
            document["compile"][key] = {outputs.get(name, name): item for name, item in value.items()}
    _nameless(document["compile"].get("optimizer"))
    labels = thaw(document["transforms"].get("labels"))
    if labels:
        document["transforms"]["labels"] = list(labels.values())
    return document


def _nameless(optimizer: Any) -> None:
    if isinstance(optimizer, dict) and isinstance(optimizer.get("config"), dict):
        optimizer["config"].pop("name", None)
        _nameless(optimizer["config"].get("inner_optimizer"))


def _collect(model: Mapping[str, Any], names: dict[str, str], prefix: str) -> None:
    for place, layer in enumerate(model["config"]["layers"]):
        name = str(layer["config"].get("name"))
        names[prefix + name] = f"layer_{place}"
        if isinstance(layer["config"], Mapping) and "layers" in layer["config"]:
            _collect(layer, names, f"{prefix}{name}/")


def _renamed(value: Any, names: Mapping[str, str], prefix: str = "") -> Any:
    if isinstance(value, list):
        if len(value) == 3 and isinstance(value[0], str) and isinstance(value[1], int):
            return [names.get(prefix + value[0], value[0]), *value[1:]]
        return [_renamed(item, names, prefix) for item in value]
    if not isinstance(value, dict):
        return value
    if "layers" in value and isinstance(value["layers"], list):
        inner = {key: _renamed(item, names, prefix) for key, item in value.items() if key != "layers"}
        return {**inner, "layers": [_layer(item, names, prefix) for item in value["layers"]]}
    return {key: _renamed(item, names, prefix) for key, item in value.items()}


def _layer(entry: dict[str, Any], names: Mapping[str, str], prefix: str) -> dict[str, Any]:
    old = str(entry["config"].get("name"))
    new = names.get(prefix + old, old)
    inside = f"{prefix}{old}/" if "layers" in entry["config"] else prefix
    config = {**_renamed(entry["config"], names, inside), "name": new}
    rest = {key: _renamed(item, names, prefix) for key, item in entry.items() if key != "config"}
    return {**rest, "config": config, **({"name": new} if "name" in entry else {})}


def _drop(node: Any) -> None:
    """Takes out what says nothing about the program: recorded shapes, and the numbers of layers inside wrappers."""
    if isinstance(node, dict):
        for key in ("build_config", "build_input_shape"):
            node.pop(key, None)
        if node.get("class_name") == "__keras_tensor__":
            node["config"].pop("shape", None)
            node["config"].pop("dtype", None)
        inner = node.get("config")
        for key in ("layer", "backward_layer"):
            wrapped = inner.get(key) if isinstance(inner, dict) else None
            if isinstance(wrapped, dict) and isinstance(wrapped.get("config"), dict):
                wrapped["config"]["name"] = snake(str(wrapped.get("class_name")))
        if "training" in node and node["training"] is False:
            del node["training"]
        for value in node.values():
            _drop(value)
    elif isinstance(node, list):
        for value in node:
            _drop(value)
