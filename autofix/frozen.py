"""Deeply immutable plain data: what recipes, changes and results are made of."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np


class FrozenDict(Mapping[str, Any]):
    """A mapping that cannot be written to; equal to any mapping with the same items.

    Args:
        items: A mapping of strings to plain values; values are frozen on the way in.
    """

    __slots__ = ("_items",)
    _items: dict[str, Any]

    def __init__(self, items: Mapping[str, Any] | None = None) -> None:
        object.__setattr__(self, "_items", {str(key): freeze(value) for key, value in (items or {}).items()})

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a FrozenDict cannot be changed; build a new one")

    def __getitem__(self, key: str) -> Any:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(canonical(self))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mapping):
            return NotImplemented
        try:
            return canonical(self) == canonical(other)
        except TypeError:  # what JSON has no word for equals nothing here
            return False

    def __repr__(self) -> str:
        return repr(self._items)

    def __reduce__(self) -> tuple[type[FrozenDict], tuple[dict[str, Any]]]:
        return FrozenDict, (thaw(self),)


def freeze(value: Any) -> Any:
    """Returns `value` with mappings as `FrozenDict`, sequences as tuples and NumPy scalars as Python ones.

    Args:
        value: JSON-like data; NumPy arrays and scalars are accepted.

    Raises:
        TypeError: If `value` holds something that JSON has no word for.
    """
    if isinstance(value, np.floating):
        return float(value)
    if isinstance(value, np.generic):
        return freeze(value.item())
    if value is None or isinstance(value, str | bool | int | float | FrozenDict):
        return value
    if isinstance(value, Mapping):
        return FrozenDict(value)
    if isinstance(value, list | tuple):
        return tuple(freeze(item) for item in value)
    if isinstance(value, np.ndarray):
        return freeze(value.tolist())
    raise TypeError(f"only plain data can be frozen. Received: {value!r} of type {type(value).__name__}")


def thaw(value: Any) -> Any:
    """Returns a mutable deep copy of frozen data: dicts and lists, ready for JSON, YAML or Keras."""
    if isinstance(value, Mapping):
        return {key: thaw(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [thaw(item) for item in value]
    return value


def canonical(value: Any) -> str:
    """Returns one text per value, whatever the order of its keys: the ground for equality and fingerprints."""
    return json.dumps(thaw(value), sort_keys=True, separators=(",", ":"))


NOTHING: Final = object()


def part(value: Any, tail: str) -> Any:
    """Returns what is inside a serialized Keras object, `NOTHING` if it is not there.

    Args:
        value: The object: plain values, some of them with their settings under the key ``config``.
        tail: Where to look: ``/inner/key``, with ``config`` left out as in the paths of a recipe; ``""`` for all.
    """
    for key in tail.split("/")[1:]:
        holder = _holder(value, key)
        if holder is None:
            return NOTHING
        value = holder[key]
    return value


def with_part(value: Any, tail: str, new: Any) -> Any:
    """Returns a copy of a serialized Keras object with `new` at `tail`, as it is where there is nothing to replace."""
    copy = thaw(value)
    above, _, key = tail.rpartition("/")
    holder = _holder(part(copy, above), key)
    if holder is not None:
        holder[key] = thaw(new)
    return freeze(copy) if tail else freeze(new)


def _holder(value: Any, key: str) -> Any:
    """The mapping that holds `key`: the object itself or its settings."""
    config = value.get("config") if isinstance(value, Mapping) else None
    return next((node for node in (value, config) if isinstance(node, Mapping) and key in node), None)


EMPTY: Final = FrozenDict()
