"""Structural edits of a serialized architecture: layers put behind others, layers left out. No TensorFlow."""

from __future__ import annotations

from typing import Any

History = tuple[str, int, int]


def operate(entry: dict[str, Any]) -> dict[str, Any]:
    """Returns a serialized model with every `after` and `skip` of its layers carried out.

    Args:
        entry: A mutable serialized model; it is changed.

    Returns:
        The same object, ready for `keras.saving.deserialize_keras_object`.
    """
    config = entry.get("config")
    if not isinstance(config, dict) or "layers" not in config:
        return entry
    for item in config["layers"]:
        operate(item)
    if "output_layers" in config:
        _operate_functional(config)
    else:
        config["layers"] = [
            piece
            for item in config["layers"]
            for piece in ([] if item.pop("skip", False) else [item]) + list(item.pop("after", []))
        ]
    return entry


def without_build_parts(node: Any) -> Any:
    """Drops the recorded build shapes: a changed layer must be built from what it is fed with, not from a record."""
    if isinstance(node, dict):
        return {key: without_build_parts(value) for key, value in node.items() if key != "build_config"}
    if isinstance(node, list | tuple):
        return [without_build_parts(item) for item in node]
    return node


def _operate_functional(config: dict[str, Any]) -> None:
    out: list[dict[str, Any]] = []
    for item in config["layers"]:
        extra = item.pop("after", [])
        out.append(item)
        source: History = (item["config"]["name"], 0, 0)
        if item.pop("skip", False):
            source = _only_input(item)
            out.pop()
            _rewire(config, (item["config"]["name"], 0, 0), source, but=())
        for new in extra:
            name = new["config"]["name"]
            _rewire(config, source, (name, 0, 0), but=(name,))
            out.append({**new, "name": name, "inbound_nodes": [{"args": [_tensor(source)], "kwargs": {}}]})
            source = (name, 0, 0)
    config["layers"] = out


def _only_input(item: dict[str, Any]) -> History:
    found: list[History] = []

    def visit(value: Any) -> None:
        if isinstance(value, dict):
            if value.get("class_name") == "__keras_tensor__":
                name, node, tensor = value["config"]["keras_history"]
                found.append((name, node, tensor))
            else:
                for inner in value.values():
                    visit(inner)
        elif isinstance(value, list):
            for inner in value:
                visit(inner)

    visit(item["inbound_nodes"])
    return found[0]


def _tensor(source: History) -> dict[str, Any]:
    return {
        "class_name": "__keras_tensor__",
        "config": {"shape": [None], "dtype": "float32", "keras_history": list(source)},
    }


def _rewire(config: dict[str, Any], old: History, new: History, *, but: tuple[str, ...]) -> None:
    def visit(value: Any) -> Any:
        if isinstance(value, dict):
            if value.get("class_name") == "__keras_tensor__" and tuple(value["config"]["keras_history"]) == old:
                return {**value, "config": {**value["config"], "keras_history": list(new)}}
            return {key: visit(inner) for key, inner in value.items()}
        if isinstance(value, list):
            if len(value) == 3 and value == list(old):
                return list(new)
            return [visit(inner) for inner in value]
        return value

    for item in config["layers"]:
        if item["config"]["name"] not in but:
            item["inbound_nodes"] = visit(item["inbound_nodes"])
    config["output_layers"] = visit(config["output_layers"])
