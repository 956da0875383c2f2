"""Keeps garbage collection short where the process holds a million objects that stay."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def short_pauses() -> Iterator[None]:
    """Leaves what is there already out of garbage collection while the block runs.

    TensorFlow, Keras and scikit-learn alone make a full collection take 0.2 s, and a small repair, of two seconds, pays
    for two of them. Where somebody else has frozen objects, these are theirs, and nothing is done.
    """
    if gc.get_freeze_count():
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
