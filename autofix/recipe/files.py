"""Model files, as Keras writes and reads them."""

from __future__ import annotations

import os

import keras


def open_model(path: str | os.PathLike[str], *, safe_mode: bool) -> keras.Model:
    """Loads a model from a `.keras` or `.h5` file.

    Args:
        path: The file.
        safe_mode: Whether to refuse Lambda layers, whose code is in the file.
    """
    return keras.models.load_model(path, safe_mode=safe_mode)
