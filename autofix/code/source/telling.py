"""What a value of a script is in the words of a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import libcst as cst

from autofix.code.source.values import (
    UNKNOWN,
    Function,
    Items,
    Made,
    Plain,
    Public,
    Seen,
    Table,
    canonical,
    keras_class,
)


def described(seen: Seen) -> Any:
    """Returns a value as a recipe would write it; `UNKNOWN` where a part of it cannot be told."""
    value = seen.value
    if isinstance(value, Plain):
        return value.value
    if isinstance(value, Items):
        parts = [described(item) for item in value.items]
        return UNKNOWN if any(part is UNKNOWN for part in parts) else tuple(parts)
    if isinstance(value, Table):
        found = {key: described(item) for key, item in value.items.items()}
        return UNKNOWN if any(part is UNKNOWN for part in found.values()) else found
    if isinstance(value, Made):
        config = {key: described(item) for key, item in value.call.values.items()}
        if value.call.is_open or any(part is UNKNOWN for part in config.values()):
            return UNKNOWN
        module = f"keras.{value.group.replace('/', '.')}"
        return {"module": module, "class_name": value.name, "config": config, "registered_name": None}
    if isinstance(value, Public):
        return _function(value.path)
    if isinstance(value, Function) and isinstance(value.node, cst.FunctionDef):
        return value.node.name.value
    return UNKNOWN


def _function(path: str) -> Any:
    """Activations and losses that are passed as functions go by their names."""
    parts = canonical(path).split(".")
    known = parts[0] in ("keras", "tensorflow") and len(parts) > 1
    if not known:
        return UNKNOWN
    if keras_class(path) and parts[-1][:1].isupper():
        return UNKNOWN
    return parts[-1]


def settings(seen: Seen) -> Mapping[Any, Seen]:
    """Returns the parts of a value by their keys: arguments of an object, items of a dict or list."""
    value = seen.value
    if isinstance(value, Made):
        return value.call.values
    if isinstance(value, Table):
        return value.items
    if isinstance(value, Items):
        return dict(enumerate(value.items))
    return {}
