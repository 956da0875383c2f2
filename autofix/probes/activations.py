"""Outputs of every layer on a reference batch: dead units, saturation, spread."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from autofix.trace import LayerReading

# Bounds of the activations that have them.
BOUNDS: Mapping[str, tuple[float, float]] = {
    "sigmoid": (0.0, 1.0),
    "hard_sigmoid": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "hard_tanh": (-1.0, 1.0),
    "softsign": (-1.0, 1.0),
}
# An output this close to a bound, in parts of the range, has next to no gradient left (sigmoid' < 0.01).
NEAR = 0.01


def read_activations(
    leaves: Sequence[Any], forward: Callable[[], Any], step: int, *, activations: Mapping[str, str]
) -> tuple[LayerReading, ...]:
    """Calls the model once and reads what each layer puts out.

    Args:
        leaves: Layers with `path`, `layer` and `kernel`.
        forward: Runs the model on the reference batch, eagerly.
        step: Training steps done so far.
        activations: Snake-case activation by layer path.

    Returns:
        One reading per layer that was called and put out a single float tensor.
    """
    seen: dict[str, Any] = {}
    with _listening(leaves, seen):
        forward()
    readings = []
    for leaf in leaves:
        output = seen.get(leaf.path)
        if output is not None and output.dtype.kind == "f" and output.ndim >= 2:
            readings.append(_reading(leaf, output, step, activations.get(leaf.path, "linear")))
    return tuple(readings)


@contextmanager
def _listening(leaves: Sequence[Any], seen: dict[str, Any]) -> Iterator[None]:
    """Notes each layer's output while the block runs; the layers are our own copies and get their `call` back."""
    originals = []
    for leaf in leaves:
        original = leaf.layer.call
        originals.append((leaf.layer, original))
        leaf.layer.call = _noting(original, leaf.path, seen)
    try:
        yield
    finally:
        for layer, original in originals:
            layer.call = original


def _noting(call: Callable[..., Any], path: str, seen: dict[str, Any]) -> Callable[..., Any]:
    def noted(*args: Any, **kwargs: Any) -> Any:
        output = call(*args, **kwargs)
        if hasattr(output, "shape"):
            seen[path] = np.asarray(output)
        return output

    return noted


def _reading(leaf: Any, output: np.ndarray, step: int, activation: str) -> LayerReading:
    flat = output.astype("float64").reshape(-1, output.shape[-1])
    finite = bool(np.isfinite(flat).all())
    flat = np.nan_to_num(flat, nan=0.0, posinf=0.0, neginf=0.0)
    saturated = 0.0
    if activation in BOUNDS:
        low, high = BOUNDS[activation]
        edge = NEAR * (high - low)
        saturated = float(np.mean((flat < low + edge) | (flat > high - edge)))
    dead = float(np.mean(np.all(flat <= 0.0, axis=0))) if activation in ("relu", "relu6") else 0.0
    kernel = None if leaf.kernel is None else np.asarray(leaf.kernel, "float64")
    return LayerReading(
        layer=leaf.path,
        step=step,
        activation=activation,
        mean=float(flat.mean()),
        std=float(flat.std()),
        spread=float(flat.std(axis=0).mean()),
        dead=dead,
        saturated=saturated,
        weight_norm=0.0 if kernel is None else float(np.linalg.norm(kernel)),
        weight_std=0.0 if kernel is None else float(kernel.std()),
        finite=finite,
    )
