"""`Predictions`: what a model said about rows it was never trained on, in numbers that fit on a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from autofix.decoding import Link, decode, decode_index
from autofix.facts import TargetFacts, TaskKind
from autofix.labels import to_index

Array = npt.NDArray[Any]

# Classes or labels that are told apart: a table of 30 columns can still be read; the rarer ones are counted together.
MOST_CLASSES = 30
# Pairs of true and predicted values that are kept: more dots hide each other.
MOST_PAIRS = 500
OTHERS, NO_CLASS = "all others", "no class"


@dataclass(frozen=True)
class Predictions:
    """Predictions of one output.

    Attributes:
        output: Name of the output.
        rows: Predictions that are counted.
        finite: Whether all raw outputs were finite; nothing is counted otherwise.
        classes: Names of the rows and columns of `counts`, or of the labels of a multilabel output.
        counts: Classes: predictions [true class, predicted class]. Multilabel: one row a label, of true negatives,
            false positives, false negatives and true positives. Empty for regression.
        is_multilabel: Which of the two `counts` are.
        pairs: Regression: true and predicted values, evenly spread over the rows.
    """

    output: str
    rows: int
    finite: bool = True
    classes: tuple[str, ...] = ()
    counts: tuple[tuple[int, ...], ...] = ()
    is_multilabel: bool = False
    pairs: tuple[tuple[float, float], ...] = ()

    @classmethod
    def of(cls, target: TargetFacts, true: Array, outputs: Array, link: Link) -> Self:
        """Summarises raw outputs.

        Args:
            target: What the targets ask for.
            true: Targets as the user wrote them, array [rows, ...].
            outputs: Raw outputs, float array [rows, ...].
            link: How they are read.
        """
        if not np.isfinite(outputs.astype(np.float64)).all():
            return cls(target.name, len(true), finite=False)
        if target.kind is TaskKind.REGRESSION:
            return cls(target.name, len(true), pairs=_pairs(true, decode(outputs, target, link)[0]))
        if target.kind is TaskKind.MULTILABEL:
            said = decode(outputs, target, link)[0][:, :MOST_CLASSES]
            rows = np.asarray(true).reshape(-1, target.shape[-1])[:, : said.shape[1]].astype(np.int64)
            labels = zip(rows.T, said.T, strict=True)
            cells = np.stack([np.bincount(2 * one + other, minlength=4) for one, other in labels])
            names = tuple(str(label) for label in range(said.shape[1]))
            return cls(target.name, len(rows), classes=names, counts=_tuples(cells), is_multilabel=True)
        known = to_index(true, target)
        there = known >= 0
        names, counts = _confusion(known[there], decode_index(outputs, target, link)[0][there], target)
        return cls(target.name, int(there.sum()), classes=names, counts=counts)

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Returns predictions of the same output by several models: counts are added up, pairs are of the first."""
        first = parts[0]
        alike = all(part.classes == first.classes and part.finite for part in parts)
        if len(parts) == 1 or not first.counts or not alike:
            return first
        counts = _tuples(np.sum([part.counts for part in parts], axis=0))
        rows = sum(part.rows for part in parts)
        return cls(first.output, rows, True, first.classes, counts, first.is_multilabel)

    def to_dict(self) -> dict[str, Any]:
        """Returns plain data for JSON."""
        return {
            "output": self.output,
            "rows": self.rows,
            "finite": self.finite,
            "classes": list(self.classes),
            "counts": [list(row) for row in self.counts],
            "is_multilabel": self.is_multilabel,
            "pairs": [list(pair) for pair in self.pairs],
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """Returns what `to_dict` wrote."""
        counts, pairs = _tuples(document["counts"]), tuple((float(a), float(b)) for a, b in document["pairs"])
        plain = {key: document[key] for key in ("output", "rows", "finite", "is_multilabel")}
        return cls(**plain, classes=tuple(document["classes"]), counts=counts, pairs=pairs)


def _confusion(known: Array, said: Array, target: TargetFacts) -> tuple[tuple[str, ...], tuple[tuple[int, ...], ...]]:
    """Counts predictions [true, predicted]; rarer classes in one, and predictions that name no class in another."""
    k = len(target.classes)
    names = [str(label) for label in target.classes]
    place = np.arange(k + 1)
    if k > MOST_CLASSES:
        kept = np.sort(np.argsort(-np.bincount(known, minlength=k), kind="stable")[: MOST_CLASSES - 1])
        place = np.full(k + 1, len(kept))
        place[kept] = np.arange(len(kept))
        names = [*(names[index] for index in kept), OTHERS]
    place[k] = len(names)
    said = np.minimum(said, k)
    if (said == k).any():
        names = [*names, NO_CLASS]
    width = len(names)
    cells = np.bincount(place[known] * width + place[said], minlength=width * width).reshape(width, width)
    return tuple(names), _tuples(cells)


def _pairs(true: Array, said: Array) -> tuple[tuple[float, float], ...]:
    one, other = np.asarray(true, dtype=np.float64).reshape(-1), np.asarray(said, dtype=np.float64).reshape(-1)
    if len(one) != len(other):
        return ()
    rows = np.linspace(0, len(one) - 1, min(len(one), MOST_PAIRS)).astype(int)
    return tuple((float(one[row]), float(other[row])) for row in rows if np.isfinite(one[row]))


def _tuples(cells: Any) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(int(cell) for cell in row) for row in cells)
