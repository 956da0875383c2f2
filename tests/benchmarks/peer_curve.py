"""From a contender's curve to the figures of the table. Pure arithmetic: nothing here trains or imports TensorFlow."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from tests.quality.summary import LEAST_RATE, Row

from .timing import DRAWS, LEVEL

# Times at which everyone is compared, in failing runs.
MULTIPLES = (1.0, 3.0, 10.0)
# Below this a failing run says more about the machine than about the program.
LEAST_UNIT_SECONDS = 0.5


@dataclass(frozen=True)
class Point:
    """From `seconds` on, this is the best there is.

    Attributes:
        seconds: Time since the start.
        validation: Score by which it was chosen; None for autofix, which proves its choice by itself.
        test: Score on the test rows.
    """

    seconds: float
    validation: float | None
    test: float


def unit_seconds(baseline: dict[str, Any]) -> tuple[float, str]:
    """The unit of time of a case and what it is: the failing run, or the reference run where that one crashes."""
    if baseline.get("faulty_error"):
        return max(LEAST_UNIT_SECONDS, float(baseline["reference_seconds"])), "reference run"
    return max(LEAST_UNIT_SECONDS, float(baseline["faulty_seconds"])), "failing run"


@dataclass(frozen=True)
class Measured:
    """One contender on one case at one seed.

    Attributes:
        case: Name of the case.
        digest: Hash of its script.
        seed: The seed.
        contender: Name of the contender.
        unit: Seconds of one multiple.
        unit_of: What ran for that long.
        faulty: Score of the author's program.
        reference: Score of the one mended by hand.
        curve: The best there was, as it came.
        seconds: Time used.
        trials: Trainings begun.
        crashes: Trainings that ended in an error.
        messages: What the first of those said.
        status: What autofix said.
        error: Why the row could not be measured; None for a measured row.
    """

    case: str
    digest: str
    seed: int
    contender: str
    unit: float = math.nan
    unit_of: str = ""
    faulty: float = math.nan
    reference: float = math.nan
    curve: tuple[Point, ...] = ()
    seconds: float = math.nan
    trials: int = 0
    crashes: int = 0
    messages: tuple[str, ...] = ()
    status: str = ""
    error: str | None = None

    @property
    def key(self) -> str:
        """What makes two rows the same measurement."""
        return f"{self.digest}:{self.seed}:{self.contender}"

    def _rate(self, test: float) -> float | None:
        return Row("broken", self.case, self.seed, faulty=self.faulty, reference=self.reference, repaired=test).rate

    @property
    def counts(self) -> bool:
        """Whether the reference is better than the failing run, so that a rate means something."""
        return bool(self.error) or self._rate(self.faulty) is not None

    def rate_at(self, multiple: float) -> float:
        """Improvement rate of what is in hand after so many units: the faulty run before the first candidate."""
        reached = [point for point in self.curve if point.seconds <= multiple * self.unit]
        return (self._rate(reached[-1].test) or 0.0) if reached and not self.error else 0.0

    def repaired_at(self, multiple: float) -> bool:
        """Whether what is in hand by then is a repair."""
        return self.rate_at(multiple) >= LEAST_RATE

    @property
    def multiples(self) -> float:
        """Units until a repair was in hand that was not given up again; infinite without one."""
        since = math.inf
        for point in self.curve if not self.error else ():
            if (self._rate(point.test) or 0.0) < LEAST_RATE:
                since = math.inf
            elif math.isinf(since):
                since = point.seconds / self.unit
        return since if since <= MULTIPLES[-1] else math.inf

    def to_dict(self) -> dict[str, Any]:
        """The row as plain data that strict JSON can hold."""
        data = {key: None if value != value else value for key, value in vars(self).items()}
        repaired = {f"{multiple:g}x": self.repaired_at(multiple) for multiple in MULTIPLES}
        rates = {f"{multiple:g}x": self.rate_at(multiple) for multiple in MULTIPLES}
        curve = [[point.seconds, point.validation, point.test] for point in self.curve]
        multiples = None if math.isinf(self.multiples) else self.multiples
        return data | {"curve": curve, "rate": rates, "repaired": repaired, "multiples": multiples}

    @classmethod
    def of_dict(cls, data: dict[str, Any]) -> Measured:
        """Read a row back."""
        known = {key: value for key, value in data.items() if key in cls.__dataclass_fields__ and value is not None}
        curve = tuple(Point(*point) for point in data["curve"])
        return cls(**known | {"curve": curve, "messages": tuple(data.get("messages", ()))})


@dataclass(frozen=True)
class Standing:
    """One contender over all its rows."""

    contender: str
    rows: tuple[Measured, ...]

    @classmethod
    def of(cls, contender: str, rows: Sequence[Measured]) -> Standing:
        """Take this contender's rows, without those that have no rate."""
        return cls(contender, tuple(row for row in rows if row.contender == contender and row.counts))

    def repaired(self, multiple: float) -> int:
        """How many rows are repaired by then."""
        return sum(row.repaired_at(multiple) for row in self.rows)

    def share(self, multiple: float) -> float:
        """Share of the rows that are repaired by then."""
        return self.repaired(multiple) / len(self.rows)

    def interval(self, multiple: float) -> tuple[float, float]:
        """The 95 % percentile interval of the share over rows drawn again (Efron 1979)."""
        hits = np.array([row.repaired_at(multiple) for row in self.rows], dtype="float64")
        picks = np.random.default_rng(0).integers(len(hits), size=(DRAWS, len(hits)))
        tail = (1.0 - LEVEL) / 2.0
        low, high = np.quantile(hits[picks].mean(axis=1), [tail, 1.0 - tail])
        return float(low), float(high)

    @property
    def median(self) -> float:
        """Median time to a repair in units; a row without one counts as infinite."""
        return median(row.multiples for row in self.rows)

    def to_dict(self) -> dict[str, Any]:
        """The figures of the table."""
        return {
            "contender": self.contender,
            "repaired": {f"{at:g}x": (self.share(at), *self.interval(at)) for at in MULTIPLES},
            "median": self.median,
            "rows": len(self.rows),
            "errors": sum(bool(row.error) for row in self.rows),
        }
