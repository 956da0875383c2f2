"""Drift: what is different about fresh data and about the champion's score, in numbers.

Each feature and the classes are compared by the population stability index, the sum over bins of (fresh share - old
share) * ln(fresh share / old share). Below 0.1 nothing has changed, above 0.25 the population is another one (Siddiqi
2006, "Credit Risk Scorecards", chapter 8). The index of two samples of one population is not 0 but about
(1/n + 1/m) times a chi-square of bins - 1 degrees of freedom (Yurdakul and Naranjo 2020, "Statistical properties of the
population stability index", Journal of Risk Model Validation 14 (3)), so that small data must clear that too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from autofix.retraining.contest import Standing

Array = npt.NDArray[Any]

# Index from which a feature has drifted, unless the pipeline says otherwise.
PSI = 0.25
# Probability that any feature at all is called drifted where nothing has changed; shared out among them (Bonferroni).
FALSE_ALARM = 0.001
# Bins of a number, as many rows in each: the ten that the thresholds were made for.
BINS = 10
# Distinct values up to which a column is compared value by value, as flags and categories are.
FEW = 20
# Columns compared; beyond it, and for anything but a table, what is compared is the mean and the deviation of each row.
MOST_COLUMNS = 500
# Added to every count: an empty bin would make the index infinite (Jeffreys' prior of a share).
HALF = 0.5
# Standard errors by which a score must have fallen to be called drifted; see ABOVE_GUESSING in `decision`.
FALLEN = 2.5


@dataclass(frozen=True)
class Feature:
    """How the values of one feature are spread.

    Attributes:
        name: What it is called.
        edges: Borders between bins of numbers; empty where values are counted one by one.
        values: The values that are counted, as text; empty where there are bins.
        counts: Rows in each bin or of each value; the last one counts all other values, or the missing ones.
    """

    name: str
    edges: tuple[float, ...]
    values: tuple[str, ...]
    counts: tuple[int, ...]

    def to_dict(self) -> dict[str, Any]:
        """Returns plain data for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Feature:
        """Reads what `to_dict` wrote."""
        return cls(
            str(document["name"]),
            tuple(float(edge) for edge in document["edges"]),
            tuple(str(value) for value in document["values"]),
            tuple(int(count) for count in document["counts"]),
        )

    def counted(self, column: Array) -> tuple[int, ...]:
        """Counts other rows in the same bins."""
        if self.values:
            return _by_value(column, self.values)
        return _by_bin(column.astype(np.float64), self.edges)


@dataclass(frozen=True)
class Drift:
    """What has drifted.

    Attributes:
        features: Index of each feature that has, the largest first.
        compared: Number of features that were compared.
        largest: Largest index of any feature.
        targets: Index of the class shares, or of the quantity to predict, the largest of all outputs; None if unknown.
        targets_drifted: Whether they have drifted.
        recorded: The champion's score when it was promoted; None where it is not known.
        now: Its score on fresh rows; None without a champion.
        score_drifted: Whether it has fallen by more than noise.
        missing: Features that were there and are not, and the reverse.
    """

    features: Mapping[str, float]
    compared: int
    largest: float
    targets: float | None = None
    targets_drifted: bool = False
    recorded: float | None = None
    now: float | None = None
    score_drifted: bool = False
    missing: tuple[str, ...] = ()

    @property
    def found(self) -> bool:
        """Whether anything has drifted."""
        return bool(self.features or self.targets_drifted or self.score_drifted or self.missing)

    def to_dict(self) -> dict[str, Any]:
        """Returns plain data for JSON."""
        return {**asdict(self), "found": self.found}

    def __str__(self) -> str:
        parts = [f"{name} {value:.2f}" for name, value in list(self.features.items())[:5]]
        more = f" and {len(self.features) - 5} more" if len(self.features) > 5 else ""
        told = [f"population stability index of {', '.join(parts)}{more}"] if parts else []
        told += [f"of the targets {self.targets:.2f}"] if self.targets_drifted and self.targets is not None else []
        told += [f"score of the champion {self.recorded:.4f} -> {self.now:.4f}"] if self.score_drifted else []
        told += [f"features that came or went: {', '.join(self.missing[:5])}"] if self.missing else []
        return "; ".join(told) or "none"


def columns_of(inputs: Sequence[Array], names: Sequence[str] = ()) -> dict[str, Array]:
    """Returns the features to compare, by name, arrays [rows].

    Args:
        inputs: The model's inputs, arrays [rows, ...].
        names: Names of the columns, for a single input that is a table.
    """
    found: dict[str, Array] = {}
    for place, array in enumerate(inputs):
        prefix = "x" if len(inputs) == 1 else f"x{place}"
        table = array.reshape(len(array), -1)
        if array.ndim <= 2 and table.shape[1] <= MOST_COLUMNS:
            known = names if len(inputs) == 1 and len(names) == table.shape[1] else ()
            for column in range(table.shape[1]):
                found[str(known[column]) if known else f"{prefix}[{column}]"] = table[:, column]
        elif table.dtype.kind in "fiub":
            numbers = table.astype(np.float64)
            found[f"{prefix}: mean of a row"] = numbers.mean(axis=1)
            found[f"{prefix}: deviation of a row"] = numbers.std(axis=1)
    return found


def profile(columns: Mapping[str, Array]) -> tuple[Feature, ...]:
    """Returns how each column is spread."""
    return tuple(_feature(name, column) for name, column in columns.items())


def compare(
    old: Sequence[Feature], columns: Mapping[str, Array], *, threshold: float = PSI
) -> tuple[dict[str, float], dict[str, float]]:
    """Compares fresh columns with a profile.

    Returns:
        The index of each feature that is in both, and that of those which have drifted, the largest first.
    """
    from scipy import stats

    both = [feature for feature in old if feature.name in columns]
    share = FALSE_ALARM / max(1, len(both))
    every: dict[str, float] = {}
    drifted: dict[str, float] = {}
    for feature in both:
        counts = feature.counted(columns[feature.name])
        index = psi(feature.counts, counts)
        every[feature.name] = index
        noise = 1 / max(1, sum(feature.counts)) + 1 / max(1, sum(counts))
        by_chance = noise * float(stats.chi2.isf(share, max(1, len(counts) - 1)))
        if index >= threshold and index > by_chance:
            drifted[feature.name] = index
    return every, dict(sorted(drifted.items(), key=lambda item: -item[1]))


def psi(old: Sequence[int], new: Sequence[int]) -> float:
    """Returns the population stability index of two counts over the same bins."""
    before = np.asarray(old, dtype=np.float64) + HALF
    after = np.asarray(new, dtype=np.float64) + HALF
    before, after = before / before.sum(), after / after.sum()
    return float(np.sum((after - before) * np.log(after / before)))


def found(
    features: Sequence[Feature],
    targets: Sequence[Feature],
    columns: Mapping[str, Array],
    target_columns: Mapping[str, Array],
    *,
    recorded: Standing | None,
    now: Standing | None,
    threshold: float = PSI,
) -> Drift:
    """Returns what is different.

    Args:
        features: How the champion's inputs were spread.
        targets: How its targets were.
        columns: Fresh inputs, by name, arrays [rows].
        target_columns: Fresh targets.
        recorded: How the champion stood when it was promoted.
        now: How it stands on the fresh holdout.
        threshold: Index from which something counts as drifted.
    """
    every, drifted = compare(features, columns, threshold=threshold)
    of_targets, targets_drifted = compare(targets, target_columns, threshold=threshold)
    names = {feature.name for feature in features}
    fell = recorded is not None and now is not None and score_fell(recorded, now)
    return Drift(
        drifted,
        len(every),
        max(every.values(), default=0.0),
        max(of_targets.values(), default=None),
        bool(targets_drifted),
        None if recorded is None else recorded.score,
        None if now is None else now.score,
        fell,
        tuple(sorted(names ^ columns.keys())),
    )


def score_fell(recorded: Standing, now: Standing) -> bool:
    """Whether a score has fallen by more than the noise of the rows it was taken on, then and now."""
    return recorded.score - now.score > FALLEN * math.hypot(recorded.error, now.error)


def _feature(name: str, column: Array) -> Feature:
    numeric = column.dtype.kind in "fiub"
    clean = column[np.isfinite(column.astype(np.float64))] if numeric else column.astype(str)
    distinct, counts = np.unique(clean, return_counts=True)
    if not numeric or len(distinct) <= FEW:
        kept = distinct[np.sort(np.argsort(-counts, kind="stable")[:FEW])]
        values = tuple(str(value) for value in kept.tolist())
        return Feature(name, (), values, _by_value(column, values))
    quantiles = np.quantile(clean.astype(np.float64), np.linspace(0, 1, BINS + 1)[1:-1])
    edges = tuple(np.unique(quantiles).tolist())
    return Feature(name, edges, (), _by_bin(column.astype(np.float64), edges))


def _by_value(column: Array, values: Sequence[str]) -> tuple[int, ...]:
    distinct, counts = np.unique(column.astype(str) if column.dtype.kind == "O" else column, return_counts=True)
    found: dict[str, int] = {}
    for value, count in zip(distinct.tolist(), counts.tolist(), strict=True):
        found[str(value)] = found.get(str(value), 0) + count
    known = [found.get(value, 0) for value in values]
    return (*known, len(column) - sum(known))


def _by_bin(column: npt.NDArray[np.float64], edges: Sequence[float]) -> tuple[int, ...]:
    there = column[np.isfinite(column)]
    counts = np.bincount(np.searchsorted(np.asarray(edges), there, side="left"), minlength=len(edges) + 1)
    return (*counts.tolist(), len(column) - len(there))
