"""What a row says and what all rows together must reach."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import median
from typing import Any

CLAIMS = frozenset({"repaired", "improved"})
# The bars of the project's first issue, at budget 10x and three seeds.
LEAST_MEDIAN_RATE = 1.0
LEAST_RATE = 0.9
LEAST_SHARE = 0.9
# Below this distance the reference is no better than the faulty run and a rate says nothing.
LEAST_GAP = 0.02


@dataclass(frozen=True)
class Row:
    """One case at one seed. Scores are on the held-back part, times in seconds."""

    kind: str
    case: str
    seed: int
    faulty: float | None = None
    faulty_seconds: float | None = None
    faulty_error: str | None = None
    reference: float | None = None
    reference_seconds: float | None = None
    repaired: float | None = None
    budget: float | None = None
    repair_seconds: float | None = None
    status: str = ""
    changes: tuple[str, ...] = ()
    error: str | None = None
    log: str = ""

    def with_repair(self, budget: float, measured: Mapping[str, Any]) -> "Row":
        """Add what the repair gave; where nothing was changed the author is left with the run as it was."""
        error = measured.get("error")
        score = measured.get("repaired_score")
        return replace(
            self,
            budget=budget,
            repaired=self.faulty if score is None else score,
            repair_seconds=measured.get("repair_seconds"),
            status="error" if error else measured["status"],
            changes=tuple(measured.get("changes", ())),
            error=error,
            log=measured.get("log", ""),
        )

    @property
    def rate(self) -> float | None:
        """Improvement rate: 0 is the faulty run, 1 the reference; None where they do not differ."""
        if self.faulty is None or self.reference is None or self.repaired is None:
            return None
        gap = self.reference - self.faulty
        return (self.repaired - self.faulty) / gap if gap >= LEAST_GAP else None

    @property
    def time_ratio(self) -> float | None:
        """Seconds of the repair over seconds of the faulty run."""
        if self.repair_seconds is None or not self.faulty_seconds:
            return None
        return self.repair_seconds / self.faulty_seconds

    @property
    def changed(self) -> bool:
        """Whether the repair touched the run."""
        return self.status != "healthy" and bool(self.changes)

    @property
    def claimed(self) -> bool:
        """Whether the repair says that it helped."""
        return self.status in CLAIMS

    def to_dict(self) -> dict[str, Any]:
        """The row with its rate and ratio, as plain data."""
        return asdict(self) | {"rate": self.rate, "time_ratio": self.time_ratio}


@dataclass(frozen=True)
class Summary:
    """All rows together, against the bars."""

    rows: tuple[Row, ...]

    @classmethod
    def of(cls, rows: Sequence[Row]) -> "Summary":
        """Sum up the rows in the order of kind, case and seed."""
        return cls(tuple(sorted(rows, key=lambda row: (row.kind, row.case, row.seed))))

    def kind(self, kind: str) -> tuple[Row, ...]:
        """The rows of one kind."""
        return tuple(row for row in self.rows if row.kind == kind)

    @property
    def errors(self) -> tuple[Row, ...]:
        """Rows whose measurement or repair ended in an error."""
        return tuple(row for row in self.rows if row.error)

    @property
    def rates(self) -> tuple[float, ...]:
        """Improvement rates of the broken rows; a row that ended in an error counts as not repaired."""
        return tuple(row.rate or 0.0 for row in self.kind("broken") if row.rate is not None or row.error)

    @property
    def without_gap(self) -> tuple[Row, ...]:
        """Broken rows whose reference is no better than the faulty run: the case is at fault."""
        return tuple(row for row in self.kind("broken") if row.repaired is not None and row.rate is None)

    @property
    def median_rate(self) -> float | None:
        """Median improvement rate."""
        return median(self.rates) if self.rates else None

    @property
    def share(self) -> float | None:
        """Share of the broken rows that reach nine tenths of the way to the reference."""
        return sum(rate >= LEAST_RATE for rate in self.rates) / len(self.rates) if self.rates else None

    @property
    def changed(self) -> tuple[Row, ...]:
        """Healthy rows that were touched."""
        return tuple(row for row in self.kind("healthy") if row.changed)

    @property
    def claimed(self) -> tuple[Row, ...]:
        """Hopeless rows said to be repaired."""
        return tuple(row for row in self.kind("hopeless") if row.claimed)

    @property
    def time_ratio(self) -> float | None:
        """Median of the repair's time over the faulty run's, over the broken rows."""
        ratios = [row.time_ratio for row in self.kind("broken") if row.time_ratio is not None]
        return median(ratios) if ratios else None

    @property
    def passed(self) -> bool:
        """Whether every bar that these rows can tell about holds."""
        if not self.rows or self.errors or self.without_gap or self.changed or self.claimed:
            return False
        if self.median_rate is None or self.share is None:
            return not self.kind("broken")
        return self.median_rate >= LEAST_MEDIAN_RATE and self.share >= LEAST_SHARE

    def to_dict(self) -> dict[str, Any]:
        """Summary and rows as plain data."""
        return {
            "passed": self.passed,
            "median_rate": self.median_rate,
            "share": self.share,
            "healthy_changed": [f"{row.case}:{row.seed}" for row in self.changed],
            "hopeless_claimed": [f"{row.case}:{row.seed}" for row in self.claimed],
            "errors": [f"{row.case}:{row.seed}" for row in self.errors],
            "time_ratio": self.time_ratio,
            "rows": [row.to_dict() for row in self.rows],
        }
