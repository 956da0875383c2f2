"""The layers of a live model that have no layers inside, under the paths that a recipe gives them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras


@dataclass(frozen=True, eq=False)
class Leaf:
    """One layer.

    Attributes:
        path: Its path, as in `Recipe`.
        layer: The live layer.
        kernel: Its main weight; None if it has none.
    """

    path: str
    layer: Any
    kernel: Any | None


def leaves(model: keras.Model) -> tuple[Leaf, ...]:
    """Returns the layers of a model in order, nested models opened; composite layers count as one."""
    return tuple(Leaf(path, layer, _kernel(layer)) for path, layer in _walk(model, ""))


def _walk(model: keras.Model, prefix: str) -> Iterator[tuple[str, Any]]:
    for layer in model.layers:
        path = f"{prefix}layers/{layer.name}"
        if isinstance(layer, keras.Model):
            yield from _walk(layer, path + "/")
        else:
            yield path, layer


def _kernel(layer: Any) -> Any | None:
    weights = [w for w in layer.weights if len(w.shape) >= 2]
    named = [w for w in weights if w.path.rsplit("/", 1)[-1] in ("kernel", "embeddings")]
    return (named or weights or [None])[0]
