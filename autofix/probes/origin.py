"""Where a NaN or an infinity came from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autofix.trace import LayerReading


def origin_of(inputs: Sequence[Any], targets: Sequence[Any], readings: Sequence[LayerReading]) -> str:
    """Names the first place, in the order of computation, that is not finite.

    Args:
        inputs: Input arrays of the batch.
        targets: Target arrays of the batch.
        readings: Layer readings on that batch with the weights it was trained with.

    Returns:
        "input", "target", "layer:<path>" or, where the forward pass is finite, "loss".
    """
    if any(_broken(array) for array in inputs):
        return "input"
    if any(_broken(array) for array in targets):
        return "target"
    for reading in readings:
        if not reading.finite:
            return f"layer:{reading.layer}"
    return "loss"


def _broken(array: Any) -> bool:
    values = np.asarray(array)
    return values.dtype.kind == "f" and not bool(np.isfinite(values).all())
