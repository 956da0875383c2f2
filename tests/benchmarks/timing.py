"""Timing by turns, and what is said about a handful of noisy measurements."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

# Draws of a bootstrap: its own error in a 95 % limit is then below a tenth of the interval's width.
DRAWS = 2_000
LEVEL = 0.95


@dataclass(frozen=True)
class Spread:
    """Median and quartiles of some repetitions."""

    median: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Sum up measurements; at least one."""
        if not len(values):
            raise ValueError("`values` must hold at least one measurement. Received: none.")
        low, median, high = np.percentile(np.asarray(values, "float64"), [25, 50, 75])
        return cls(float(median), float(low), float(high), len(values))

    @classmethod
    def of_ratio(cls, over: Sequence[float], under: Sequence[float]) -> Self:
        """Sum up the ratios of measurements made in the same round, which shared the noise of the machine."""
        return cls.of([a / b for a, b in zip(over, under, strict=True)])

    def show(self, digits: int = 1, unit: str = "") -> str:
        """The median, the quartiles in brackets where there are several repetitions."""
        shown = f"{self.median:,.{digits}f}{unit}"
        return shown if self.count == 1 else f"{shown} [{self.low:,.{digits}f}-{self.high:,.{digits}f}]"

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain data."""
        return asdict(self)


def interleaved(
    contenders: Mapping[str, Callable[[], float]], repetitions: int, *, warm_up: int = 1
) -> dict[str, list[float]]:
    """Measure all contenders once a round, every other round backwards.

    Args:
        contenders: By name, what measures once and returns the figure.
        repetitions: Rounds.
        warm_up: Rounds before that are thrown away.

    Returns:
        By name, one figure a round, in the order of the rounds.
    """
    found: dict[str, list[float]] = {name: [] for name in contenders}
    # Looking through all objects of TensorFlow for garbage takes 0.3 s, which would be charged to whoever allocates.
    gc.collect()
    gc.freeze()
    try:
        for turn in range(-warm_up, repetitions):
            for name in list(contenders)[:: 1 if turn % 2 == 0 else -1]:
                value = contenders[name]()
                if turn >= 0:
                    found[name].append(value)
    finally:
        gc.unfreeze()
    return found


def bootstrap(groups: Sequence[Sequence[float]], seed: int = 0) -> tuple[float, float]:
    """Return the 95 % percentile interval of the median of all values (Efron 1979).

    Args:
        groups: Measurements on the same compiled programs; two compilations of one program differ by some percent,
            so groups are drawn first and values inside them second.
        seed: Seed of the draws.
    """
    rng = np.random.default_rng(seed)
    samples = [np.asarray(group, "float64") for group in groups]
    medians = []
    for _ in range(DRAWS):
        picked = [samples[i] for i in rng.integers(len(samples), size=len(samples))]
        medians.append(np.median(np.concatenate([rng.choice(sample, len(sample)) for sample in picked])))
    tail = (1.0 - LEVEL) / 2.0
    low, high = np.quantile(medians, [tail, 1.0 - tail])
    return float(low), float(high)
