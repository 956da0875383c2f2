"""Between the user's labels and class indices, whatever the encoding."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from autofix.facts import Encoding, TargetFacts, TaskKind

Array = npt.NDArray[Any]

TOLERANCE = 1e-6  # relative: float32 labels such as 7/255 must find their class after a round trip through float64


def to_index(y: Array, target: TargetFacts) -> npt.NDArray[np.intp]:
    """Returns the class index of every label.

    Args:
        y: Targets as the user wrote them, array [n, ...].
        target: What is known about them; `BINARY` or `MULTICLASS`.

    Returns:
        Integer array [n * positions]; -1 for a label that names no class.
    """
    if target.encoding is Encoding.ONE_HOT:
        return np.asarray(np.argmax(y, axis=-1)).reshape(-1)
    flat = np.asarray(y).reshape(-1)
    if target.classes and isinstance(target.classes[0], str):
        lookup = {label: place for place, label in enumerate(target.classes)}
        return np.fromiter((lookup.get(str(label), -1) for label in flat.tolist()), dtype=np.intp, count=len(flat))
    values = flat.astype(np.float64)
    classes = np.asarray(target.classes, dtype=np.float64)
    place = np.clip(np.searchsorted(classes, values), 0, len(classes) - 1)
    left = np.maximum(place - 1, 0)
    place = np.where(np.abs(classes[left] - values) < np.abs(classes[place] - values), left, place)
    known = np.abs(classes[place] - values) <= TOLERANCE * np.maximum(np.abs(values), TOLERANCE)
    return np.where(known, place, -1)


def from_index(index: Array, target: TargetFacts) -> Array:
    """Returns the user's labels for class indices.

    Args:
        index: Integer array [m] of class indices.
        target: What is known about the targets; `BINARY` or `MULTICLASS`.

    Returns:
        Array [m] of labels: strings as objects, numbers in the target's own dtype (one-hot: column numbers).
    """
    if target.classes and isinstance(target.classes[0], str):
        return np.asarray(target.classes, dtype=object)[index]
    dtype = np.dtype(np.int64) if target.encoding is Encoding.ONE_HOT else np.dtype(target.dtype)
    if dtype.kind in "OUS":
        dtype = np.asarray(target.classes).dtype
    return np.asarray(target.classes).astype(dtype)[index]


def positions(target: TargetFacts) -> int:
    """Returns how many labels one example carries: 1, or the number of time steps or pixels."""
    if target.kind is TaskKind.REGRESSION:
        return 1
    shape = target.shape[:-1] if target.encoding in (Encoding.ONE_HOT, Encoding.MULTI_HOT) else target.shape
    return int(np.prod(shape, dtype=np.int64))
