"""What occurs twice in the data: rows, columns, and the same inputs with different targets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from autofix.facts import TargetFacts, TaskKind
from autofix.labels import positions, to_index

Array = npt.NDArray[Any]
Keys = npt.NDArray[np.uint64]

ROWS = 200_000  # training rows whose inputs are compared, evenly spread
BYTES = 2**25  # and 32 MB of them at most
JUDGED = 2_000  # validation rows that are looked for among them
COLUMN_ROWS = 500  # rows that tell whether columns may be equal
SURE_ROWS = 20_000  # rows that tell whether they are
WIDEST = 4_096  # columns compared at most
APART = 0.25  # standard deviations between two quantities that are no rounding
SEED = 0  # of the multipliers: a key must mean the same in every call


def repeated_columns(table: Array) -> int:
    """Returns how many columns vary and repeat an earlier one.

    Args:
        table: Array [rows, columns]; at most 20,000 rows of it are looked at, and none beyond 4,096 columns.
    """
    columns = table.shape[1]
    if not 2 <= columns <= WIDEST or len(table) < 2:
        return 0
    few = _spread(table, COLUMN_ROWS)
    varies = np.flatnonzero((few != few[:1]).any(axis=0))
    alike = _groups(few, varies)
    if not alike:
        return 0
    # Rare flags agree on a few rows without being the same column.
    many = _spread(table, SURE_ROWS)
    return sum(len(group) - len(_keys_of(many, group)) for group in alike)


def repeated_rows(x: Sequence[Array], train: Array, others: Array) -> float:
    """Returns the fraction of the rows `others` whose inputs are those of a row in `train`.

    Args:
        x: The inputs, one array [n, ...] each.
        train: Integer array of rows, of which 200,000 or 32 MB are looked at.
        others: Integer array of rows, of which 2,000 are looked at.
    """
    if not len(train) or not len(others):
        return 0.0
    some = _evenly(others, JUDGED)
    known = np.sort(row_keys(x, _affordable(x, train)))
    sought = row_keys(x, some)
    place = np.minimum(np.searchsorted(known, sought), len(known) - 1)
    return float(np.mean(known[place] == sought))


def conflicting(x: Sequence[Array], y: Array, target: TargetFacts, train: Array) -> float:
    """Returns the fraction of rows whose target is not the usual one of rows with the same inputs.

    Args:
        x: The inputs, one array [n, ...] each.
        y: The targets, array [n, ...] with one class or quantity a row; 0.0 for any other kind.
        target: What they ask for.
        train: Integer array of rows, of which 200,000 or 32 MB are looked at.
    """
    is_class = target.kind in (TaskKind.BINARY, TaskKind.MULTICLASS) and positions(target) == 1
    is_quantity = target.kind is TaskKind.REGRESSION and y.dtype.kind in "fiub" and y[:1].size == 1
    if len(train) < 2 or not (is_class or is_quantity):
        return 0.0
    rows = _affordable(x, train)
    _, group, sizes = np.unique(row_keys(x, rows), return_inverse=True, return_counts=True)
    group = group.reshape(-1)
    if len(sizes) == len(rows):
        return 0.0
    if is_class:
        index = to_index(y[rows], target) + 1
        pairs, counts = np.unique(group * (len(target.classes) + 1) + index, return_counts=True)
        most = np.zeros(len(sizes), dtype=np.int64)
        np.maximum.at(most, pairs // (len(target.classes) + 1), counts)
        return float(1.0 - most.sum() / len(rows))
    values = y[rows].reshape(-1).astype(np.float64)
    mean = np.bincount(group, values) / sizes
    spread = float(values.std())
    return float(np.mean(np.abs(values - mean[group]) > APART * spread)) if spread > 0 else 0.0


def row_keys(x: Sequence[Array], rows: Array) -> Keys:
    """Returns one 64-bit number a row, the same for rows that are equal in all inputs, byte for byte."""
    keys = np.zeros(len(rows), dtype=np.uint64)
    rng = np.random.default_rng(SEED)
    for array in x:
        flat = np.ascontiguousarray(array[rows]).reshape(len(rows), -1).view(np.uint8)
        padding = -flat.shape[1] % 8
        if padding:
            flat = np.pad(flat, ((0, 0), (0, padding)))
        words = flat.view(np.uint64)
        # Small whole numbers fill only the upper bits of a float; multiplying alone would leave the lower ones empty.
        words = words ^ (words >> np.uint64(29))
        factors = rng.integers(0, 2**63, words.shape[1], dtype=np.uint64) * np.uint64(2) + np.uint64(1)
        keys += (words * factors).sum(axis=1, dtype=np.uint64)
    return keys


def _affordable(x: Sequence[Array], rows: Array) -> Array:
    width = sum(array.nbytes // max(1, len(array)) for array in x)
    return _evenly(rows, max(1, min(ROWS, BYTES // max(1, width))))


def _evenly(rows: Array, most: int) -> Array:
    return rows if len(rows) <= most else rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]


def _spread(table: Array, most: int) -> Array:
    return table[:: max(1, -(-len(table) // most))]


def _groups(few: Array, columns: Array) -> list[list[int]]:
    """Returns the columns that agree on all rows of `few`, those that agree with none left out."""
    found: dict[bytes, list[int]] = {}
    for column in columns.tolist():
        found.setdefault(np.ascontiguousarray(few[:, column]).tobytes(), []).append(column)
    return [group for group in found.values() if len(group) > 1]


def _keys_of(many: Array, columns: Sequence[int]) -> set[bytes]:
    return {np.ascontiguousarray(many[:, column]).tobytes() for column in columns}
