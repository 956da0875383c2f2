"""The reference batch as the first layer sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from autofix.look import Look
from autofix.probe import Probe, Tier
from autofix.trace import ArrayReading

# Columns that are looked at for whether they vary: an image has some 100,000.
MOST_COLUMNS = 1024


@final
@dataclass(frozen=True)
class Inputs(Probe[tuple[ArrayReading, ...]]):
    """Range, scale, missing values and constant features of each input, after whatever the pipeline does to it."""

    name: ClassVar[str] = "inputs"
    tier: ClassVar[Tier] = Tier.FULL
    what: ClassVar[str] = "the inputs"
    needs: ClassVar[tuple[str, ...]] = ("inputs",)

    def measure(self, look: Look) -> tuple[ArrayReading, ...]:
        return tuple(map(array_reading, look.inputs or ()))


def array_reading(array: np.ndarray) -> ArrayReading:
    """Returns statistics of an array [n, ...]; of text, only how many columns never vary."""
    columns = np.asarray(array).reshape(len(array), -1)
    few = columns[:, :MOST_COLUMNS]
    constant = float(np.mean(np.all(few == few[:1], axis=0))) if few.size else 0.0
    if columns.dtype.kind not in "biuf":
        return ArrayReading(0.0, 0.0, 0.0, 0.0, 0.0, constant)
    wide = columns.astype("float64")
    good = wide[np.isfinite(wide)]
    missing = 1.0 - good.size / wide.size if wide.size else 0.0
    if not good.size:
        return ArrayReading(0.0, 0.0, 0.0, 0.0, missing, constant)
    return ArrayReading(float(good.min()), float(good.max()), float(good.mean()), float(good.std()), missing, constant)
