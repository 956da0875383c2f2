"""The layers of a live model that have no layers inside, under the paths that a recipe gives them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from autofix.look import Kernel

# Entries of a kernel that are kept to tell how far it moved: the norm of a change is then known to 1 %. Of all kernels
# together half a million are, 2 MB, and of each of very many some hundred, which tell it to 6 %.
ENTRIES, ALL_ENTRIES, FEWEST_ENTRIES = 2**14, 2**19, 2**8
# Entries of a kernel up to which it is copied whole to take some of them.
COPIED = 2**20


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


def activations_of(layers: Sequence[Leaf]) -> dict[str, str]:
    """Returns the snake-case activation of each live layer that has one of Keras' own, by path.

    A recipe says so as well, and of more layers, but not of a model that is no graph of them.
    """
    known = ((leaf.path, getattr(getattr(leaf.layer, "activation", None), "__name__", None)) for leaf in layers)
    return {path: name for path, name in known if name is not None}


def homeless(model: keras.Model, layers: Sequence[Leaf]) -> list[str]:
    """Returns a sentence on trainable weights that belong to no layer, which probes of layers do not see, if any."""
    owned = {id(weight) for leaf in layers for weight in leaf.layer.weights}
    count = sum(id(weight) not in owned for weight in model.trainable_weights)
    return [f"gradients and updates of {count} weights that belong to no layer"] if count else []


def kernels_of(layers: Sequence[Leaf]) -> Mapping[str, Kernel]:
    """Returns evenly spread entries of every kernel by layer path, always the same ones."""
    owners = [leaf for leaf in layers if leaf.kernel is not None]
    most = min(ENTRIES, max(FEWEST_ENTRIES, ALL_ENTRIES // max(1, len(owners))))
    return {leaf.path: _sampled(leaf.kernel, most) for leaf in owners}


def _sampled(kernel: Any, most: int) -> Kernel:
    size = math.prod(kernel.shape)
    # An array of a variable is a copy of all of it, which is the quicker way while it is a small one.
    flat = tf.reshape(tf.convert_to_tensor(kernel.value), [-1]) if size > COPIED else as_array(kernel.value).reshape(-1)
    entries = flat[:: max(1, -(-size // most))]
    return Kernel(np.array(as_array(entries), "float32"), size, bool(kernel.trainable))


def as_array(value: Any) -> np.ndarray:
    """Returns a tensor as an array; half-precision floats in 32 bits, which NumPy can count with."""
    if isinstance(value, np.ndarray):
        return value
    value = value if hasattr(value, "dtype") and hasattr(value.dtype, "is_floating") else tf.convert_to_tensor(value)
    if value.dtype.is_floating and value.dtype.size < 4:
        value = tf.cast(value, "float32")
    return np.asarray(value)


def outputs_of(layers: Sequence[Leaf], forward: Callable[[], Any]) -> dict[str, np.ndarray]:
    """Runs a model eagerly and returns what each of its layers puts out, by path, where it is a single tensor.

    Args:
        layers: Layers of a model of our own: their `call` is replaced meanwhile.
        forward: Calls the model.
    """
    seen: dict[str, np.ndarray] = {}
    with _listening(layers, seen):
        forward()
    return {leaf.path: seen[leaf.path] for leaf in layers if leaf.path in seen}


@contextmanager
def _listening(layers: Sequence[Leaf], seen: dict[str, np.ndarray]) -> Iterator[None]:
    """Notes each layer's output while the block runs; the layers get their `call` back."""
    originals = []
    for leaf in layers:
        original = leaf.layer.call
        originals.append((leaf.layer, original))
        leaf.layer.call = _noting(original, leaf.path, seen)
    try:
        yield
    finally:
        for layer, original in originals:
            layer.call = original


def _noting(call: Callable[..., Any], path: str, seen: dict[str, np.ndarray]) -> Callable[..., Any]:
    def noted(*args: Any, **kwargs: Any) -> Any:
        output = call(*args, **kwargs)
        if hasattr(output, "shape"):
            seen[path] = as_array(output)
        return output

    return noted
