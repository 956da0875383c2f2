"""Objects on their way to another process: large arrays go as files that every process maps into its memory."""

from __future__ import annotations

import io
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

import numpy as np

# Bytes from which on an array is worth a file.
LARGE = 2**20
# Kinds of arrays that are plain bytes: a file of them runs no code when it is read.
PLAIN = "biufcSU"


def packed(value: Any, folder: Path | None = None) -> bytes:
    """Returns an object as bytes for `multiprocessing.connection`, which unpacks them on the other side.

    The bytes go from one process of ours to another through a socket, never into a file.

    Args:
        value: The object. An array that occurs twice in it does so on the other side too.
        folder: Where large arrays are written to, one `.npy` file each; None to send them too.

    Raises:
        Exception: If it cannot be sent; of any kind, because objects say themselves how they are sent.
    """
    buffer = io.BytesIO()
    _Packer(buffer, folder).dump(value)
    return buffer.getvalue()


def mapped(path: str) -> np.ndarray:
    """Returns the array of a file; its memory is shared with every process that maps it, until this one writes."""
    array: np.ndarray = np.load(path, mmap_mode="c", allow_pickle=False)
    return array


class _Packer(ForkingPickler):
    def __init__(self, buffer: io.BytesIO, folder: Path | None) -> None:
        super().__init__(buffer, 5)
        self._folder = folder
        self._count = 0

    def reducer_override(self, value: Any) -> Any:
        if self._folder is None or not isinstance(value, np.ndarray):
            return NotImplemented
        if value.dtype.kind not in PLAIN or value.nbytes < LARGE:
            return NotImplemented
        self._count += 1
        path = self._folder / f"{self._count}.npy"
        np.save(path, value, allow_pickle=False)
        return mapped, (str(path),)
