"""Weights of each layer: their size and spread, and how far they are from where they began."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from autofix.look import Kernel, Look
from autofix.probe import Probe, Tier
from autofix.trace import WeightReading

# Entries that are squared at once: 2 MB in 64 bits.
CHUNK = 2**18


@final
@dataclass(frozen=True)
class Weights(Probe[Mapping[str, WeightReading]]):
    """Statistics of each trainable kernel, and its drift: norm of (now - at the start) over norm at the start."""

    name: ClassVar[str] = "weights"
    tier: ClassVar[Tier] = Tier.LIGHT
    what: ClassVar[str] = "the weights and how far they moved"
    needs: ClassVar[tuple[str, ...]] = ("kernels",)

    def measure(self, look: Look) -> Mapping[str, WeightReading]:
        start = look.start or {}
        kernels = (look.kernels or {}).items()
        return {path: _reading(kernel, start.get(path)) for path, kernel in kernels if kernel.trainable}


def norm_of(kernel: Kernel) -> float:
    """Returns the Euclidean norm of a kernel, estimated where only some of its entries are at hand."""
    share = kernel.size / kernel.entries.size if kernel.entries.size else 1.0
    return euclidean(kernel.entries.astype("float64")) * math.sqrt(share)


def euclidean(values: np.ndarray) -> float:
    """Returns the Euclidean norm of an array [n], in 64 bits and without a copy of all of it."""
    # NumPy's own goes through BLAS, whose threads wait for TensorFlow's: 50 to 100 ms after a step for 0.1 ms of work.
    parts = (values[begin : begin + CHUNK] for begin in range(0, len(values), CHUNK))
    return math.sqrt(sum(float(np.square(part, dtype="float64").sum()) for part in parts))


def moved(before: Kernel, now: Kernel) -> float:
    """Returns the norm of the change of a kernel over its norm before."""
    wide = before.entries.astype("float64")
    return euclidean(now.entries - wide) / (euclidean(wide) or 1.0)


def _reading(kernel: Kernel, start: Kernel | None) -> WeightReading:
    wide = kernel.entries.astype("float64")
    finite = bool(np.isfinite(wide).all())
    if not wide.size:
        return WeightReading(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, finite)
    return WeightReading(
        norm=norm_of(kernel),
        mean=float(wide.mean()),
        std=float(wide.std()),
        minimum=float(wide.min()),
        maximum=float(wide.max()),
        drift=0.0 if start is None else moved(start, kernel),
        finite=finite,
    )
