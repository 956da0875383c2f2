"""What each column of a table says about the targets by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from autofix.facts import TaskKind
from autofix.metrics import balanced_accuracy, r2

Array = npt.NDArray[Any]
Numbers = npt.NDArray[np.float64]

COLUMNS = 512  # columns of a table that are looked at; wider ones are pictures or texts, where no column is a feature
BINS = 32  # stretches that a column is cut into: a straight line cut so keeps 0.999 of its R2
PER_BIN = 10  # rows in one at least, so that its answer is no accident
LEAST = 60  # rows from which it is worth while


@dataclass(frozen=True)
class Column:
    """One column: which input, which place in it, and the score that it reaches alone on rows it was not fitted to."""

    input: int
    feature: int
    score: float


def single_columns(inputs: Sequence[Array], wanted: Array, kind: TaskKind, seed: int) -> tuple[Column, ...]:
    """Returns every column of the inputs that are tables, with its score on one half of the rows, fitted to the other.

    A column is cut at its quantiles, and each stretch answers with its most likely class or its mean.

    Args:
        inputs: Arrays [rows, ...]; those of another rank than 2, or wider than 512, are passed over.
        wanted: Class indices or quantities, array [rows].
        kind: What they ask for.
        seed: Seed of the halves.
    """
    if len(wanted) < LEAST or kind is TaskKind.MULTILABEL:
        return ()
    order = np.random.default_rng(seed).permutation(len(wanted))
    fit, judge = order[: len(order) // 2], order[len(order) // 2 :]
    answer = _value if kind is TaskKind.REGRESSION else _class
    found = []
    for place, array in enumerate(inputs):
        if array.ndim != 2 or not 2 <= array.shape[1] <= COLUMNS or array.dtype.kind not in "fiub":
            continue
        table = np.nan_to_num(array.astype(np.float64), nan=0.0, posinf=1e100, neginf=-1e100)
        for feature in range(table.shape[1]):
            values = table[:, feature]
            bins = _bins(values[fit])
            if not len(bins):
                continue
            place_fit, place_judge = np.searchsorted(bins, values[fit]), np.searchsorted(bins, values[judge])
            score = answer(place_fit, wanted[fit], place_judge, wanted[judge], len(bins) + 1)
            found.append(Column(place, feature, score))
    return tuple(found)


def without(inputs: Sequence[Array], told: Sequence[Column]) -> list[Array]:
    """Returns the inputs less some columns; an input of which nothing is left goes."""
    rest = []
    for place, array in enumerate(inputs):
        gone = [column.feature for column in told if column.input == place]
        kept = np.delete(array, gone, axis=1) if gone else array
        if kept.size:
            rest.append(kept)
    return rest


def _bins(values: Numbers) -> Numbers:
    """Returns the edges between stretches of about equally many rows; between neighbours where values are few."""
    distinct = np.unique(values)
    most = int(min(BINS, max(2, len(values) // PER_BIN)))
    if len(distinct) > most:
        return np.unique(np.quantile(values, np.linspace(0, 1, most + 1)[1:-1], method="lower"))
    return (distinct[:-1] + distinct[1:]) / 2


def _class(fit: Array, wanted: Array, judge: Array, truth: Array, bins: int) -> float:
    count = int(max(wanted.max(), truth.max())) + 1
    table = np.bincount(fit * count + wanted, minlength=bins * count).reshape(bins, count).astype(np.float64)
    # Per class, so that a rare one is not outvoted where it is all there is.
    answers = (table / np.maximum(table.sum(axis=0), 1.0)).argmax(axis=1)
    return balanced_accuracy(truth, answers[judge])


def _value(fit: Array, wanted: Array, judge: Array, truth: Array, bins: int) -> float:
    count = np.bincount(fit, minlength=bins)
    mean = np.where(count > 0, np.bincount(fit, wanted, minlength=bins) / np.maximum(count, 1), wanted.mean())
    return r2(truth.reshape(-1, 1), mean[judge].reshape(-1, 1))
