"""What the targets ask for, told from their values and the model's head: the first rule that fits decides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from autofix.facts import Encoding, TargetFacts, TaskKind
from autofix.hints import OutputHint

Array = npt.NDArray[Any]

FEW_CLASSES = 20  # distinct whole numbers that still look like classes behind a softmax or sigmoid head
ROWS_PER_CLASS = 5  # fewer rows a value than this, and the values look like quantities
ACCURACY_CLASSES = 100  # an accuracy metric on a one-unit head is a common slip: more values than this are quantities
GLANCE = 10_000  # values looked at before the whole array is
WIDE = 4_096  # columns beyond which statistics are given over all of them at once
SOFT = 0.9  # share of rows with a majority class from which rows that sum to 1 are soft labels, not compositions


def infer_target(name: str, y: Array, hint: OutputHint, *, inputs: Sequence[Array] = ()) -> TargetFacts:
    """Returns what one target asks for.

    Args:
        name: Name of the output the target belongs to.
        y: Targets of all rows, array [n, ...].
        hint: What the model says about the output.
        inputs: The model's inputs; targets that equal one of them are quantities to reconstruct.

    Returns:
        Kind, encoding, classes and statistics, with the reason in a sentence.
    """
    flat = y
    while flat.ndim > 1 and flat.shape[-1] == 1:
        flat = flat[..., 0]
    build = _Builder(name, y, flat)
    if any(_same(y, x) for x in inputs):
        return build.values("the targets are the model's inputs, so they are quantities to reconstruct")
    if y.dtype.kind in "OUST":
        return _strings(build, hint)
    glance = _finite(flat.reshape(-1)[:: max(1, flat.size // GLANCE)])
    if y.dtype.kind == "f" and not _whole(glance):
        return _fractions(build, hint, glance)
    per_position = len(hint.shape) == flat.ndim and flat.ndim > 1 and _fits(flat.shape[1:], hint.shape[:-1])
    if flat.ndim > 1 and not per_position:
        return _matrix(build, hint, glance)
    values = _finite(flat.reshape(-1))
    if not _whole(values):
        return _fractions(build, hint, values)
    return _whole_numbers(build, hint, *np.unique(values, return_counts=True), where=_where(flat))


def _strings(build: _Builder, hint: OutputHint) -> TargetFacts:
    counts = Counter(str(label) for label in build.flat.reshape(-1).tolist())
    labels = sorted(counts)
    kind = TaskKind.BINARY if len(labels) == 2 and hint.units in (1, 2, None) else TaskKind.MULTICLASS
    reason = f"the targets are text with {len(labels)} distinct labels"
    return build.classes(kind, Encoding.LABELS, labels, [counts[label] for label in labels], reason)


def _matrix(build: _Builder, hint: OutputHint, glance: Array) -> TargetFacts:
    """Targets whose last axis is not a position: one-hot, multi-hot, or several quantities."""
    flat = build.flat
    width = flat.shape[-1]
    if np.isin(glance, (0, 1)).all() and np.isin(flat, (0, 1)).all():
        rows = flat.reshape(-1, width)
        per_label = rows.sum(axis=0, dtype=np.int64).tolist()
        if bool((rows.sum(axis=1, dtype=np.int64) == 1).all()):
            reason = f"every target row is one-hot over {width} columns"
            return build.classes(TaskKind.MULTICLASS, Encoding.ONE_HOT, list(range(width)), per_label, reason)
        if flat.ndim == 2 or hint.loss_of_classes or hint.accuracy or hint.activation == "sigmoid":
            reason = f"every target row holds any number of 1s over {width} columns"
            return build.classes(TaskKind.MULTILABEL, Encoding.MULTI_HOT, [], per_label, reason)
    return build.values(f"the targets are {width} whole numbers a row, neither one-hot nor multi-hot")


def _whole_numbers(build: _Builder, hint: OutputHint, values: Array, counts: Array, *, where: str) -> TargetFacts:
    rows, found, units = int(counts.sum()), len(values), hint.units
    if found == 0:
        return build.values("no target is finite")
    labels = [build.label(value) for value in values]
    small_head = units in (1, 2, None)
    binary = TaskKind.BINARY if small_head else TaskKind.MULTICLASS
    if set(labels) <= {0, 1} and (found == 2 or build.y.dtype.kind == "b" or hint.loss_of_classes or hint.accuracy):
        both = [build.label(value) for value in (0, 1)]
        tally = dict(zip(labels, counts.tolist(), strict=True))
        reason = f"the targets are 0 and 1{where}"
        return build.classes(binary, Encoding.INDEX, both, [tally.get(label, 0) for label in both], reason)
    if set(labels) == {-1, 1}:
        encoding = Encoding.SIGNED if small_head else Encoding.LABELS
        return build.classes(binary, encoding, labels, counts.tolist(), f"the targets are -1 and 1{where}")
    evidence = _class_evidence(hint, found, float(values[0]), float(values[-1]), rows)
    if found == 2 and small_head and (rows >= 4 or evidence):
        reason = f"the targets have two distinct labels, {labels[0]!r} and {labels[1]!r}{where}"
        return build.classes(TaskKind.BINARY, Encoding.LABELS, labels, counts.tolist(), reason)
    if not evidence:
        return build.values(f"the targets are whole numbers, and nothing in the model treats them as classes{where}")
    encoding = Encoding.INDEX if labels == list(range(found)) else Encoding.LABELS
    reason = f"the targets are {found} distinct whole numbers{where}, and {evidence}"
    return build.classes(TaskKind.MULTICLASS, encoding, labels, counts.tolist(), reason)


def _class_evidence(hint: OutputHint, found: int, low: float, high: float, rows: int) -> str:
    """Returns what in the model says that whole numbers are classes, or an empty string."""
    units = hint.units or 1
    many = found > max(FEW_CLASSES, rows / ROWS_PER_CLASS)
    column_numbers = low >= 0 and high < units
    if units > 1 and (units == found or (column_numbers and units == high + 1)):
        return f"the head has {units} units, one for each"
    if hint.loss_of_classes and (column_numbers or not many):
        return f"the loss is {hint.loss}"
    if hint.accuracy and (column_numbers or (not many and found <= ACCURACY_CLASSES)):
        return "an accuracy metric is compiled"
    if hint.activation in ("softmax", "sigmoid") and found <= FEW_CLASSES and found <= rows / ROWS_PER_CLASS:
        return f"the head ends in {hint.activation}"
    return ""


def _fractions(build: _Builder, hint: OutputHint, glance: Array) -> TargetFacts:
    """Targets with fractional values: soft labels, labels divided by something, or quantities."""
    flat, few = build.flat, len(np.unique(glance)) <= 2 * FEW_CLASSES
    if flat.ndim > 1:
        if flat.shape[-1] == hint.units and (hint.activation == "softmax" or hint.loss.startswith("categorical")):
            rows = flat.reshape(-1, flat.shape[-1])
            sums_to_one = bool(np.allclose(rows.sum(axis=1), 1.0, atol=1e-3) and rows.min() >= 0)
            if sums_to_one and (hint.accuracy or np.mean(rows.max(axis=1) > 0.5) >= SOFT):
                counts = np.bincount(rows.argmax(axis=1), minlength=rows.shape[1]).tolist()
                reason = f"every target row is a soft label over {rows.shape[1]} columns"
                labels = list(range(rows.shape[1]))
                return build.classes(TaskKind.MULTICLASS, Encoding.ONE_HOT, labels, counts, reason)
        return build.values("the targets are fractional numbers in an array")
    if few:
        values, counts = np.unique(_finite(flat), return_counts=True)
        found, rows_seen = len(values), int(counts.sum())
        classes = [value.item() for value in values]
        head = hint.accuracy or hint.activation == "softmax" or "categorical" in hint.loss or hint.units == found > 1
        if found == 2 and hint.units in (1, 2, None) and (rows_seen >= 4 or head):
            reason = f"the targets have two distinct labels, {classes[0]!r} and {classes[1]!r}"
            return build.classes(TaskKind.BINARY, Encoding.LABELS, classes, counts.tolist(), reason)
        if head and 2 < found <= rows_seen / ROWS_PER_CLASS and _evenly_spaced(values):
            reason = f"the targets are {found} evenly spaced fractions, and the model treats them as classes"
            return build.classes(TaskKind.MULTICLASS, Encoding.LABELS, classes, counts.tolist(), reason)
    return build.values("the targets are fractional numbers")


class _Builder:
    """Fills in the statistics that every kind of target shares."""

    def __init__(self, name: str, y: Array, flat: Array) -> None:
        self.name, self.y, self.flat = name, y, flat

    def label(self, value: Any) -> Any:
        """Returns a whole number as the user would write it."""
        return bool(value) if self.y.dtype.kind == "b" else int(value)

    def classes(
        self, kind: TaskKind, encoding: Encoding, classes: Sequence[Any], counts: Sequence[int], reason: str
    ) -> TargetFacts:
        return self._facts(kind, encoding, tuple(classes), tuple(int(n) for n in counts), (), (), reason)

    def values(self, reason: str) -> TargetFacts:
        mean, std = column_statistics(self.y)
        return self._facts(TaskKind.REGRESSION, Encoding.VALUES, (), (), mean, std, reason)

    def _facts(
        self, kind: TaskKind, encoding: Encoding, classes: tuple[Any, ...], counts: tuple[int, ...],
        mean: tuple[float, ...], std: tuple[float, ...], reason: str,
    ) -> TargetFacts:  # fmt: skip
        low, high, missing = 0.0, 0.0, 0.0
        if self.y.dtype.kind in "fiub":
            good = _finite(self.y.reshape(-1))
            missing = 1.0 - good.size / max(1, self.y.size)
            low, high = (float(good.min()), float(good.max())) if good.size else (0.0, 0.0)
        shape, dtype = tuple(self.y.shape[1:]), self.y.dtype.name
        return TargetFacts(
            self.name, shape, dtype, kind, encoding, classes, counts, low, high, mean, std, missing, reason
        )


def column_statistics(y: Array) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Returns mean and standard deviation per entry of the last axis, finite values only.

    Args:
        y: Numeric array [n, ...]; beyond 4,096 columns the statistics are taken over all of them at once.
    """
    columns = y.shape[-1] if y.ndim > 1 and y.shape[-1] <= WIDE else 1
    table = y.reshape(-1, columns)
    good = np.isfinite(table) if y.dtype.kind == "f" else np.ones(table.shape, dtype=bool)
    if not good.any(axis=0).all():
        table, good = np.where(good, table, 0), np.ones(table.shape, dtype=bool)
    with np.errstate(all="ignore"):
        mean = np.asarray(np.mean(table, axis=0, dtype=np.float64, where=good))
        std = np.asarray(np.std(table, axis=0, dtype=np.float64, where=good))
    return tuple(map(float, np.nan_to_num(mean))), tuple(map(float, np.nan_to_num(std)))


def _finite(values: Array) -> Array:
    if values.dtype.kind != "f":
        return values
    good = np.isfinite(values)
    return values if good.all() else values[good]


def _whole(values: Array) -> bool:
    return values.dtype.kind != "f" or bool((np.floor(values) == values).all())


def _fits(shape: tuple[int, ...], free: tuple[int | None, ...]) -> bool:
    """Whether `shape` agrees with a shape that may have free axes."""
    return len(shape) == len(free) and all(want in (None, have) for have, want in zip(shape, free, strict=True))


def _where(flat: Array) -> str:
    return " at every position" if flat.ndim > 1 else ""


def _same(y: Array, x: Array) -> bool:
    """Whether the targets are an input again; decided on the first and last rows where they are many."""
    if y is x:
        return True
    if y.shape != x.shape or y.ndim < 2 or y.dtype.kind not in "fiub" or x.dtype.kind not in "fiub":
        return False
    rows = np.r_[: min(50, len(y)), max(0, len(y) - 50) : len(y)]
    return bool(np.array_equal(y[rows], x[rows], equal_nan=y.dtype.kind == "f" and x.dtype.kind == "f"))


def _evenly_spaced(values: Array) -> bool:
    """Whether sorted values lie on a grid as wide as their smallest gap (labels / 255, labels / (k - 1))."""
    gaps = np.diff(values.astype(np.float64))
    steps = gaps / gaps.min()
    return bool(np.abs(steps - np.round(steps)).max() < 1e-2)
