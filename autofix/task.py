"""What is known before any training: the data in numbers and what the targets ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from autofix.data import Data
from autofix.facts import DataFacts, InputFacts, TargetFacts, TaskKind
from autofix.hints import ModelHints
from autofix.labels import positions, to_index
from autofix.repeats import conflicting, repeated_columns, repeated_rows
from autofix.targets import WIDE, column_statistics, infer_target

__all__ = ["facts_of", "infer_inputs", "infer_target"]

Array = npt.NDArray[Any]

MOST_VALUES = 20_000_000  # values of one input that statistics are taken from: 160 MB as float64, half a second
GLANCE = 10_000  # values looked at for `distinct`
DUPLICATE_ROWS = 10_000  # rows, and at most 16 MB of them, compared for `duplicates`
DUPLICATE_BYTES = 2**24
ORDERED_ROWS = 20  # fewer quantities may be in order by accident
ORDERED = 0.01  # fraction of steps in the other direction that ties and rounding explain
SEED = 0  # of the yardstick when the data brings its own split: the measure belongs to the data, not to a run
LARGEST = float(np.finfo(np.float64).max)


def facts_of(data: Data, hints: ModelHints, measure_signal: bool = True) -> DataFacts:
    """Returns the data in numbers, taken from the training part of the first split.

    Args:
        data: The data as read. Classes and their counts are taken over all rows, so that none is overlooked.
        hints: What the model says about its inputs and outputs.
        measure_signal: Whether to fit scikit-learn models for the yardstick (half a second and more).
    """
    split = data.splits[0]
    train = split.train
    x, y = data.flat_x(), data.flat_y()
    targets = tuple(
        _trained_on(infer_target(output.name, array, output, inputs=x), array, train)
        for output, array in zip(hints.outputs, y, strict=False)
    )
    signal, chance, noise = None, _chance(targets), 0.0
    disputed: tuple[float, ...] = ()
    giveaway = None
    if measure_signal:
        from autofix.yardstick import measure  # imports scikit-learn

        found = measure(data, targets, SEED)
        signal, chance, noise = found.signal, found.chance, found.noise
        disputed, giveaway = found.disputed, found.giveaway
    return DataFacts(
        rows=(len(train), len(split.validation), len(split.holdout)),
        inputs=infer_inputs(x, hints.inputs, train),
        targets=targets,
        sorted_labels=any(_sorted(array[train], target) for array, target in zip(y, targets, strict=True)),
        duplicates=_duplicates(x, train),
        signal=signal,
        chance=chance,
        noise=noise,
        notes=data.notes,
        epoch_rows=data.rows - data.given,
        repeats=repeated_rows(x, train, split.validation) if split.validation is not train else 0.0,
        conflicts=conflicting(x, y[0], targets[0], train) if len(targets) == 1 else 0.0,
        disputed=disputed,
        giveaway=giveaway,
    )


def infer_inputs(arrays: Sequence[Array], names: Sequence[str], rows: Array | None = None) -> tuple[InputFacts, ...]:
    """Returns the statistics of every input.

    Args:
        arrays: One array [n, ...] per input.
        names: Names of the inputs; numbers stand in where they are missing.
        rows: Integer array of the rows to look at; all by default.
    """
    padded = [*names, *map(str, range(len(names), len(arrays)))]
    return tuple(_input(name, array, rows) for name, array in zip(padded, arrays, strict=False))


def _input(name: str, array: Array, rows: Array | None) -> InputFacts:
    shape = array.shape[1:]
    table = _table(array, rows)
    finite = np.isfinite(table) if table.dtype.kind == "f" else None
    if finite is not None and finite.all():
        finite = None
    glance = table.reshape(-1)[:: max(1, table.size // GLANCE)]
    glance = glance[np.isfinite(glance)] if finite is not None else glance
    whole = bool((np.floor(glance) == glance).all()) if table.dtype.kind == "f" else True
    missing = missing_features = 0
    if finite is not None:
        missing, missing_features = int((~finite).sum()), int((~finite).any(axis=0).sum())
        low = np.where(finite, table, np.inf).min(axis=0, initial=np.inf)
        high = np.where(finite, table, -np.inf).max(axis=0, initial=-np.inf)
    else:
        low, high = table.min(axis=0), table.max(axis=0)
    seen = low <= high
    if whole and table.dtype.kind == "f":
        whole = bool(((np.floor(table) == table) | ~np.isfinite(table)).all())
    mean, std, total_mean, total_std = _moments(table, finite)
    narrow = table.shape[1] <= WIDE
    return InputFacts(
        name=name,
        shape=tuple(shape),
        dtype=array.dtype.name,
        minimum=float(low[seen].min()) if seen.any() else 0.0,
        maximum=float(high[seen].max()) if seen.any() else 0.0,
        mean=total_mean,
        std=total_std,
        feature_mean=tuple(map(float, mean)) if narrow else (),
        feature_std=tuple(map(float, std)) if narrow else (),
        missing=missing / max(1, table.size),
        missing_features=missing_features,
        integral=whole,
        constant=int((low >= high).sum()),
        distinct=len(np.unique(glance)),
        repeated=repeated_columns(table),
    )


def _table(array: Array, rows: Array | None) -> Array:
    """Returns the rows as [values, features], thinned out evenly where they are too many."""
    per_row = max(1, int(np.prod(array.shape[1:], dtype=np.int64)))
    count = len(array) if rows is None else len(rows)
    step = max(1, -(-count * per_row // MOST_VALUES))
    whole = rows is None or count == len(array)
    chosen = array[::step] if whole or rows is None else array[rows[::step]]
    return np.asarray(chosen.reshape(-1, array.shape[-1] if array.ndim > 1 else 1))


def _moments(table: Array, finite: Array | None) -> tuple[Array, Array, float, float]:
    """Returns mean and standard deviation per feature and over everything, finite values only."""
    with np.errstate(all="ignore"):
        if finite is None:
            count: Any = len(table)
            mean = table.mean(axis=0, dtype=np.float64)
            variance = table.var(axis=0, dtype=np.float64)
        else:
            count = finite.sum(axis=0)
            filled = np.where(finite, table, 0).astype(np.float64)
            mean = filled.sum(axis=0) / np.maximum(count, 1)
            variance = (np.square(filled - mean) * finite).sum(axis=0) / np.maximum(count, 1)
        weight = np.broadcast_to(count, mean.shape) / max(1, int(np.sum(np.broadcast_to(count, mean.shape))))
        total = float((mean * weight).sum())
        spread = float(((variance + np.square(mean - total)) * weight).sum())
    return _tame(mean), _tame(np.sqrt(variance)), float(_tame(total)), float(_tame(np.sqrt(spread)))


def _tame(value: Any) -> Array:
    """Returns numbers that JSON has a word for: statistics of values near 1e308 overflow."""
    return np.asarray(np.nan_to_num(np.asarray(value), nan=0.0, posinf=LARGEST, neginf=-LARGEST))


def _trained_on(target: TargetFacts, y: Array, train: Array) -> TargetFacts:
    """Returns the facts with the statistics of quantities taken from the training rows alone."""
    if target.kind is not TaskKind.REGRESSION or len(train) == len(y) or y.dtype.kind not in "fiub":
        return target
    mean, std = column_statistics(y[train])
    return replace(target, mean=mean, std=std)


def _sorted(y: Array, target: TargetFacts) -> bool:
    """Whether equal labels come in runs: not many more changes than classes, where shuffled rows would have plenty."""
    if target.kind is TaskKind.REGRESSION:
        return _in_order(y)
    if target.kind not in (TaskKind.BINARY, TaskKind.MULTICLASS) or positions(target) != 1:
        return False
    index = to_index(y, target)
    found = np.bincount(index[index >= 0])
    classes = int((found > 0).sum())
    if classes < 2:
        return False
    changes = int((np.diff(index) != 0).sum())
    expected = len(index) * (1 - float(np.square(found / max(1, found.sum())).sum()))
    return changes <= classes - 1 + len(index) // 200 and expected >= 4 * changes


def _in_order(y: Array) -> bool:
    """Whether one quantity a row only ever grows, or only ever falls, up to a hundredth of the steps."""
    if y.dtype.kind not in "fiu" or len(y) < ORDERED_ROWS or y[:1].size != 1:
        return False
    steps = np.diff(y.reshape(-1).astype(np.float64))
    up, down = int((steps > 0).sum()), int((steps < 0).sum())
    return min(up, down) <= ORDERED * len(steps) and max(up, down) > len(steps) // 2


def _duplicates(x: Sequence[Array], train: Array) -> float:
    """Returns the fraction of sampled rows that repeat an earlier one in all inputs."""
    width = sum(array.nbytes // max(1, len(array)) for array in x)
    most = max(1, min(DUPLICATE_ROWS, DUPLICATE_BYTES // max(1, width), len(train)))
    rows = train[np.linspace(0, len(train) - 1, most).astype(np.int64)] if len(train) else train
    parts = [np.ascontiguousarray(array[rows]) for array in x]
    keys = [b"".join(part[place].tobytes() for part in parts) for place in range(len(rows))]
    return 1.0 - len(set(keys)) / len(keys) if keys else 0.0


def _chance(targets: Sequence[TargetFacts]) -> float:
    """Returns the default metric's value for a constant prediction."""
    each = {TaskKind.REGRESSION: 0.0, TaskKind.MULTILABEL: 0.5, TaskKind.BINARY: 0.5}
    values = [each.get(target.kind, 1 / max(1, len(target.classes))) for target in targets]
    return float(np.mean(values)) if values else 0.0
