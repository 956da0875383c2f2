"""Nested data as users hand it over: an array, or a list or dict of arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any


def leaves(tree: Any) -> Iterator[Any]:
    """Yields the arrays of a tree, dicts in the order of their keys as given."""
    if isinstance(tree, dict):
        for item in tree.values():
            yield from leaves(item)
    elif isinstance(tree, list):
        for item in tree:
            yield from leaves(item)
    else:
        yield tree


def mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    """Returns a tree of the same structure with `function` applied to every array."""
    if isinstance(tree, dict):
        return {key: mapped(function, item) for key, item in tree.items()}
    if isinstance(tree, list):
        return [mapped(function, item) for item in tree]
    return function(tree)


def joined(function: Callable[[Sequence[Any]], Any], trees: Sequence[Any]) -> Any:
    """Returns a tree whose every array is `function` of the arrays at that place in `trees`.

    Raises:
        ValueError: If the trees differ in structure.
    """
    first = trees[0]
    if isinstance(first, dict):
        if any(not isinstance(tree, dict) or tree.keys() != first.keys() for tree in trees):
            raise ValueError(f"one has the keys {list(first)}, another is {described(trees[-1])}")
        return {key: joined(function, [tree[key] for tree in trees]) for key in first}
    if isinstance(first, list):
        if any(not isinstance(tree, list) or len(tree) != len(first) for tree in trees):
            raise ValueError(f"one is a list of {len(first)}, another is {described(trees[-1])}")
        return [joined(function, items) for items in zip(*trees, strict=True)]
    if any(isinstance(tree, dict | list) for tree in trees):
        raise ValueError(f"one is an array, another is {described(trees[-1])}")
    return function(trees)


def described(tree: Any) -> str:
    """Returns the structure of a tree in words, for messages."""
    if isinstance(tree, dict):
        return f"a dict with the keys {list(tree)}"
    if isinstance(tree, list):
        return f"a list of {len(tree)}"
    return f"an array of shape {tuple(getattr(tree, 'shape', ()))}"
