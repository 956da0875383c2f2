"""From raw outputs of a head, sound or faulty, to predictions in the user's own labels and units."""

from __future__ import annotations

import enum
from typing import Any

import numpy as np
import numpy.typing as npt

from autofix.facts import Encoding, TargetFacts, TaskKind
from autofix.labels import from_index, positions

Array = npt.NDArray[Any]

HUGE = 1e30  # stands in for an infinity, so that arithmetic on broken outputs gives numbers and no warnings


class Link(enum.Enum):
    """How the raw outputs of a head are read."""

    PROBABILITY = "probabilities (sigmoid, softmax)"
    LOGIT = "log odds (a linear head under a loss from_logits=True)"
    SIGNED = "margins around 0 (tanh, hinge)"
    VALUE = "estimates of the target itself (mean squared error and its kin)"


def decode(outputs: Any, target: TargetFacts, link: Link) -> tuple[Array, Array | None]:
    """Returns what the outputs predict.

    Args:
        outputs: Raw outputs of the model, float array [n, ...].
        target: What the targets ask for.
        link: How the outputs are read.

    Returns:
        Predictions, and class probabilities where they make sense. Classes: labels [m] as `from_index` writes them,
        and float array [m, k], where m is rows times positions; binary has k = 2. Multilabel: 0/1 integers [n, k], and
        float array [n, k]. Regression: floats in the shape of the targets, and None. A label that the head can name
        but the targets never hold is given as that column's number.
    """
    raw = np.nan_to_num(np.asarray(outputs, dtype=np.float64), nan=0.0, posinf=HUGE, neginf=-HUGE)
    if target.kind is TaskKind.REGRESSION:
        return _values(_probability(raw, link) if link is Link.LOGIT else raw, target), None
    if target.kind is TaskKind.MULTILABEL:
        return _multilabel(raw, target, link)
    index, probabilities = decode_index(raw, target, link)
    beyond = index >= len(target.classes)
    labels = from_index(np.where(beyond, 0, index), target)
    if beyond.any():
        labels = np.where(beyond, index - len(target.classes), labels)
    return labels, probabilities


def decode_index(outputs: Any, target: TargetFacts, link: Link) -> tuple[npt.NDArray[np.intp], Array | None]:
    """Returns predicted class indices [m] and class probabilities [m, k] or None.

    Args:
        outputs: Raw outputs of the model, float array [n, ...].
        target: What the targets ask for; binary or multiclass.
        link: How the outputs are read.

    Returns:
        Indices into `target.classes`; k + c for a column c that no class of the targets stands for.
    """
    raw = np.nan_to_num(np.asarray(outputs, dtype=np.float64), nan=0.0, posinf=HUGE, neginf=-HUGE)
    columns = _per_label(raw, positions(target))
    if columns.shape[1] == 1:
        return _one_unit(columns[:, 0], target, link)
    return _many_units(columns, target, link)


def _one_unit(raw: Array, target: TargetFacts, link: Link) -> tuple[npt.NDArray[np.intp], Array | None]:
    """One unit: the probability or margin of the second of two classes, or else an estimate of the label itself."""
    k = len(target.classes)
    if target.kind is TaskKind.BINARY and link is not Link.VALUE:
        share = _probability(raw, link)
        return (share > 0.5).astype(np.intp), np.stack([1 - share, share], axis=1)
    numbers = _numbers(target)
    value = _probability(raw, link) if link is Link.LOGIT else raw
    if target.kind is TaskKind.BINARY:
        low, high = numbers
        share = np.clip((value - low) / (high - low), 0.0, 1.0)
        return (share > 0.5).astype(np.intp), np.stack([1 - share, share], axis=1)
    borders = (numbers[1:] + numbers[:-1]) / 2
    return np.clip(np.searchsorted(borders, value), 0, k - 1), None


def _many_units(columns: Array, target: TargetFacts, link: Link) -> tuple[npt.NDArray[np.intp], Array]:
    """Several units: the largest wins; columns are classes in order, or the labels' own numbers in a wider head."""
    k, width = len(target.classes), columns.shape[1]
    place = _column_of_class(target, width)
    scores = _scores(columns, link)
    class_of = np.arange(width) + k
    class_of[place[place < width]] = np.flatnonzero(place < width)
    by_number = _columns_are_labels(target, width)
    index = class_of[columns.argmax(axis=1)] if by_number else columns[:, :k].argmax(axis=1)
    probabilities = np.zeros((len(columns), k))
    reachable = place < width
    probabilities[:, reachable] = scores[:, place[reachable]]
    total = probabilities.sum(axis=1, keepdims=True)
    return index, np.where(total > 0, probabilities / np.where(total > 0, total, 1.0), 1.0 / k)


def _columns_are_labels(target: TargetFacts, width: int) -> bool:
    """Whether labels such as 1..k are the column numbers of a head that is wider than the number of classes."""
    classes = target.classes
    whole = target.encoding in (Encoding.INDEX, Encoding.LABELS) and all(isinstance(label, int) for label in classes)
    return width > len(classes) and whole and int(classes[0]) >= 0 and int(classes[-1]) < width


def _column_of_class(target: TargetFacts, width: int) -> npt.NDArray[np.intp]:
    if _columns_are_labels(target, width):
        return np.asarray([int(label) for label in target.classes], dtype=np.intp)
    return np.arange(len(target.classes), dtype=np.intp)


def _scores(columns: Array, link: Link) -> Array:
    """Returns non-negative scores, larger for likelier classes."""
    if link is Link.LOGIT:
        return np.asarray(np.exp(columns - columns.max(axis=1, keepdims=True)))
    return np.clip((columns + 1) / 2 if link is Link.SIGNED else columns, 0.0, 1.0)


def _probability(raw: Array, link: Link) -> Array:
    """Returns the probability of a yes, between 0 and 1."""
    if link is Link.LOGIT:
        return np.asarray(1 / (1 + np.exp(-np.clip(raw, -500, 500))))
    return np.clip((raw + 1) / 2 if link is Link.SIGNED else raw, 0.0, 1.0)


def _multilabel(raw: Array, target: TargetFacts, link: Link) -> tuple[Array, Array]:
    k = target.shape[-1]
    columns = _per_label(raw, positions(target))
    if columns.shape[1] == 1:
        columns = np.repeat(columns, k, axis=1)
    fitted = np.full((len(columns), k), -HUGE)
    width = min(k, columns.shape[1])
    fitted[:, :width] = columns[:, :width]
    share = _probability(fitted, link)
    return (share > 0.5).astype(np.int64), share


def _values(raw: Array, target: TargetFacts) -> Array:
    """Returns the outputs in the shape of the targets: extra positions averaged, a lone column repeated."""
    shape = (len(raw), *target.shape)
    if raw.size == int(np.prod(shape, dtype=np.int64)):
        return raw.reshape(shape)
    while raw.ndim > max(2, len(shape)):
        raw = raw.mean(axis=1)
    if raw.size == int(np.prod(shape, dtype=np.int64)):
        return raw.reshape(shape)
    while raw.ndim < len(shape):
        raw = raw[:, np.newaxis]
    if len(shape) == 1:
        return np.asarray(raw.reshape(len(raw), -1)[:, 0])
    try:
        return np.broadcast_to(raw, shape)
    except ValueError:
        return np.full(shape, HUGE)


def _per_label(raw: Array, count: int) -> Array:
    """Returns outputs as [rows * positions, units]; positions that the targets do not have are averaged away."""
    rows = len(raw)
    if raw.ndim == 1:
        raw = raw[:, np.newaxis]
    if count == 1:
        return np.asarray(raw.reshape(rows, -1, raw.shape[-1]).mean(axis=1))
    inner = int(np.prod(raw.shape[1:-1], dtype=np.int64))
    if inner == count:
        return np.asarray(raw.reshape(rows * count, raw.shape[-1]))
    if raw.size == rows * count:
        return np.asarray(raw.reshape(rows * count, 1))
    return np.repeat(raw.reshape(rows, -1, raw.shape[-1]).mean(axis=1), count, axis=0)


def _numbers(target: TargetFacts) -> npt.NDArray[np.float64]:
    """Returns the classes as numbers on the axis that a one-unit head estimates: labels, or their index for text."""
    if any(isinstance(label, str) for label in target.classes):
        return np.arange(len(target.classes), dtype=np.float64)
    return np.asarray(target.classes, dtype=np.float64)
