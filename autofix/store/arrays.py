"""Weights in an ``.npz`` file: no pickles, and types that NumPy has no word for as their bits."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np


def write(path: Path, arrays: Sequence[np.ndarray]) -> None:
    """Writes arrays in their order.

    Raises:
        OSError: If the file cannot be written.
    """
    named = {}
    for index, array in enumerate(arrays):
        own = array.dtype.kind == "V"  # bfloat16 and its like
        bits = np.ascontiguousarray(array).view(f"u{array.dtype.itemsize}").reshape(array.shape) if own else array
        named[f"{index}:{array.dtype.name}" if own else str(index)] = bits
    with path.open("wb") as file:
        np.savez(file, **named)  # type: ignore[arg-type]


def read(path: Path) -> tuple[np.ndarray, ...]:
    """Reads what `write` wrote.

    Raises:
        FileNotFoundError: If there is no such file.
        OSError, ValueError: If it cannot be read, or is something else.
    """
    found: dict[int, np.ndarray] = {}
    try:
        with np.load(path, allow_pickle=False) as archive:
            for name in archive.files:
                index, _, kind = name.partition(":")
                array = archive[name]
                found[int(index)] = array.view(_own_dtype(kind)) if kind else array
    except (EOFError, zipfile.BadZipFile, zipfile.LargeZipFile, KeyError, AttributeError, TypeError) as error:
        raise ValueError(f"these are no weights: {error}") from error
    return tuple(found[index] for index in range(len(found)))


def _own_dtype(name: str) -> np.dtype:
    import ml_dtypes

    own: np.dtype = np.dtype(getattr(ml_dtypes, name))
    return own
