"""What a model holds that is not Keras' own: classes and functions by name, and functions without one, as code."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from typing import Any

import keras

from autofix.frozen import thaw

# What Keras calls a function without a name in a configuration: its code is in there, and is run. Also the key of
# `Recipe.objects` that holds the code of those in the live model.
LAMBDA = "__lambda__"
COMPILE_KEYS = ("optimizer", "loss", "loss_weights", "metrics", "weighted_metrics", "run_eagerly")


def custom_objects(model: keras.Model) -> dict[str, Any]:
    """Collects the classes and functions of a model that do not come from Keras, by the names Keras looks for."""
    found: dict[str, Any] = {}

    def note(value: Any) -> None:
        if value is None or isinstance(value, str | bytes | int | float):
            return
        if isinstance(value, Mapping):
            for item in value.values():
                note(item)
        elif isinstance(value, list | tuple | set):
            for item in value:
                note(item)
        elif inspect.isfunction(value):
            _note_named(found, value, value.__name__)
        elif not inspect.ismodule(value):
            _note_named(found, type(value), type(value).__name__)

    for layer in all_layers(model):
        note(layer)
        for key in ("activation", "kernel_initializer", "bias_initializer", "kernel_regularizer", "kernel_constraint"):
            note(getattr(layer, key, None))
    note(getattr(model, "optimizer", None))
    config = getattr(model, "_compile_config", None)
    if config is not None:
        for key in COMPILE_KEYS:
            note(config.config.get(key))
    return found


def _note_named(found: dict[str, Any], value: Any, name: str) -> None:
    module = getattr(value, "__module__", "") or ""
    if module.split(".")[0] in ("keras", "tensorflow", "builtins"):
        return
    found[name] = value
    registered = keras.saving.get_registered_name(value)
    found[registered] = value


def all_layers(model: keras.Model) -> Iterator[Any]:
    """Yields a model and all layers in it, at any depth."""
    yield model
    yield from model._flatten_layers(include_self=False, recursive=True)


def codes(document: Any) -> tuple[str, ...]:
    """Returns the code of every function without a name that a configuration holds, as Keras writes it."""
    found: set[str] = set()
    rest = [thaw(document)]
    while rest:
        node = rest.pop()
        if isinstance(node, dict):
            if node.get("class_name") == LAMBDA:
                found.add(json.dumps(node.get("config"), sort_keys=True, default=str))
            rest.extend(node.values())
        elif isinstance(node, list | tuple):
            rest.extend(node)
    return tuple(sorted(found))
