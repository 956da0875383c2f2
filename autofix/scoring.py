"""How good predictions are, on the user's own labels and units; never the training loss, which repairs change."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from autofix.decoding import Link, decode, decode_index
from autofix.errors import FixYourCall
from autofix.facts import TargetFacts, TaskKind
from autofix.labels import to_index
from autofix.metrics import (
    R2_FLOOR,
    balanced_accuracy,
    balanced_log_loss,
    r2,
    relative_error,
)
from autofix.named_metrics import Direction, direction_of, named_metric

__all__ = ["FLOOR_TIE", "Link", "Score", "Scorer", "decode", "scorer_of"]

Array = npt.NDArray[Any]
Metric = str | Callable[[Array, Array], float]

TIE_SHARE = 1e-3  # of the tie in the rank: orders equal values, and never outweighs one row in 1,000
FLOOR_TIE = -1e6  # tie of predictions that are not finite
HARD = 0.99  # confidence granted to predictions that come without probabilities, so that they have a log loss
UNBOUNDED_FLOOR = -1e30  # value of non-finite predictions under a user's metric without a lower bound; a JSON number


@dataclass(frozen=True)
class Score:
    """How good the predictions of one model are; higher is better.

    Attributes:
        value: The metric, averaged over the outputs.
        tie: What orders equal values: minus log loss, or minus mean absolute error over standard deviation.
        parts: The metric per output.
    """

    value: float
    tie: float
    parts: tuple[float, ...]

    @property
    def rank(self) -> float:
        """`value` plus at most a thousandth that orders equal values by `tie`: what a search maximises."""
        return self.value + TIE_SHARE * self.tie / (1.0 + abs(self.tie))

    def to_dict(self) -> dict[str, Any]:
        """Returns plain data for JSON."""
        return {"value": self.value, "tie": self.tie, "parts": list(self.parts)}

    @classmethod
    def mean(cls, scores: Sequence[Self]) -> Self:
        """Returns the mean of scores of the same outputs, over splits or seeds."""
        parts = np.mean([score.parts for score in scores], axis=0)
        ties = [score.tie for score in scores]
        return cls(float(np.mean([score.value for score in scores])), float(np.mean(ties)), tuple(parts.tolist()))

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """Returns the score that `to_dict` wrote."""
        parts = tuple(float(part) for part in document["parts"])
        return cls(float(document["value"]), float(document["tie"]), parts)


@dataclass(frozen=True)
class Scorer:
    """A metric on decoded predictions, for all outputs of a model.

    Attributes:
        name: Name of the metric: `"balanced_accuracy"`, `"r2"`, `"mean over outputs"`, the user's name or function.
        metric: `"auto"`, a scikit-learn scorer name, or a function of `(y_true, y_pred)`; higher is better.
        targets: What each output's targets ask for.
        floor: Value of predictions that are not finite.
        perfect: Largest value the metric can reach; infinity where that is unknown.
    """

    name: str
    metric: Metric
    targets: tuple[TargetFacts, ...]
    floor: float
    perfect: float

    def score(self, y_true_flat: Sequence[Array], outputs_flat: Sequence[Any], links: Sequence[Link]) -> Score:
        """Returns the score of raw outputs. Outputs that are not finite get the floor, never an exception.

        Args:
            y_true_flat: Targets as the user wrote them, one array [n, ...] per output.
            outputs_flat: Raw outputs, one array [n, ...] per output.
            links: How each output is read.

        Raises:
            FixYourCall: If the user's metric fails on sound predictions.
        """
        parts, ties = [], []
        for target, true, outputs, link in zip(self.targets, y_true_flat, outputs_flat, links, strict=True):
            value, tie = self._part(target, np.asarray(true), np.asarray(outputs), link)
            parts.append(value)
            ties.append(tie)
        return Score(float(np.mean(parts)), float(np.mean(ties)), tuple(parts))

    def chance(self, y_true_flat: Sequence[Array]) -> float | None:
        """Returns the score of the best constant prediction on these targets, or None where none can be scored."""
        parts = []
        for target, true in zip(self.targets, y_true_flat, strict=True):
            candidates = []
            for outputs, link in _constants(np.asarray(true), target):
                try:
                    candidates.append(self._part(target, np.asarray(true), outputs, link)[0])
                except FixYourCall:
                    continue
            if not candidates:
                return None
            parts.append(max(candidates))
        return float(np.mean(parts))

    def _part(self, target: TargetFacts, true: Array, outputs: Array, link: Link) -> tuple[float, float]:
        floor = _default_floor(target) if self.metric == "auto" else self.floor
        if not len(true) or not np.isfinite(outputs.astype(np.float64)).all():
            return floor, FLOOR_TIE
        default, tie = _default(target, true, outputs, link)
        if self.metric == "auto":
            return default, tie
        if isinstance(self.metric, str):
            value = named_metric(self.metric, target, true, outputs, link)
        else:
            value = _called(self.metric, target, true, outputs, link)
        return (value, tie) if math.isfinite(value) else (floor, FLOOR_TIE)


def scorer_of(metric: Metric, targets: Sequence[TargetFacts]) -> Scorer:
    """Returns the scorer for a metric.

    Args:
        metric: `"auto"`: balanced accuracy for classes (mean over labels for multilabel) and R2 for quantities; the
            name of a scikit-learn scorer, such as `"f1_macro"`; or a function of `(y_true, y_pred)` in the user's own
            labels and units, higher is better.
        targets: What each output's targets ask for.

    Raises:
        FixYourCall: If the name is unknown, or `metric` is neither text nor a function.
    """
    targets = tuple(targets)
    if metric == "auto":
        classes = [target.kind.is_classification for target in targets]
        names = {"balanced_accuracy" if is_class else "r2" for is_class in classes}
        name = names.pop() if len(names) == 1 else "balanced_accuracy and r2"
        return Scorer(name, metric, targets, min(map(_default_floor, targets), default=0.0), 1.0)
    if isinstance(metric, str):
        direction: Direction = direction_of(metric)
        floor = UNBOUNDED_FLOOR if direction.floor is None else direction.floor
        return Scorer(metric, metric, targets, floor, direction.perfect)
    if callable(metric):
        return Scorer(getattr(metric, "__name__", type(metric).__name__), metric, targets, UNBOUNDED_FLOOR, math.inf)
    raise FixYourCall(
        f"`metric` must be 'auto', the name of a scikit-learn scorer, or a function of (y_true, y_pred). "
        f"Received: metric={metric!r}. Pass 'auto' for balanced accuracy or R2."
    )


def _default_floor(target: TargetFacts) -> float:
    return 0.0 if target.kind.is_classification else R2_FLOOR


def _default(target: TargetFacts, true: Array, outputs: Array, link: Link) -> tuple[float, float]:
    """Returns the default metric and the tie."""
    if target.kind is TaskKind.REGRESSION:
        predicted = decode(outputs, target, link)[0]
        return r2(true, predicted), -relative_error(true, predicted)
    if target.kind is TaskKind.MULTILABEL:
        predicted, share = decode(outputs, target, link)
        rows = true.reshape(-1, true.shape[-1]).astype(np.int64)
        assert share is not None
        both = np.stack([1 - share, share], axis=-1)
        columns = range(rows.shape[1])
        values = [balanced_accuracy(rows[:, label], predicted[:, label]) for label in columns]
        losses = [balanced_log_loss(rows[:, label], both[:, label]) for label in columns]
        return float(np.mean(values)), -float(np.mean(losses))
    index, probabilities = decode_index(outputs, target, link)
    known = to_index(true, target)
    there = known >= 0
    if not there.any():
        return 0.0, FLOOR_TIE
    known, index = known[there], index[there]
    if probabilities is None:
        k = len(target.classes)
        sure = np.full((len(index), k), (1 - HARD) / max(1, k - 1))
        sure[np.arange(len(index)), index] = HARD
    else:
        sure = probabilities[there]
    return balanced_accuracy(known, index), -balanced_log_loss(known, sure)


def _called(
    metric: Callable[[Array, Array], float], target: TargetFacts, true: Array, outputs: Array, link: Link
) -> float:
    """Returns the user's metric on labels and units as the user wrote them."""
    predicted = decode(outputs, target, link)[0]
    if target.kind in (TaskKind.BINARY, TaskKind.MULTICLASS):
        true = true.argmax(axis=-1).reshape(-1) if target.encoding.value == "one_hot" else true.reshape(-1)
    elif target.kind is TaskKind.MULTILABEL:
        true = true.reshape(predicted.shape)
    try:
        return float(metric(true, predicted))
    except Exception as error:
        raise FixYourCall(
            f"`metric` must return one number for (y_true, y_pred). Received: {type(error).__name__}: {error}, for "
            f"arrays of shapes {true.shape} and {predicted.shape}. Correct the function."
        ) from error


def _constants(true: Array, target: TargetFacts) -> list[tuple[Array, Link]]:
    """Returns raw outputs of models that say the same for every row: shares, each class by turns; mean and median."""
    rows = len(true)
    if target.kind is TaskKind.REGRESSION:
        values = true.astype(np.float64)
        return [
            (np.broadcast_to(middle, true.shape), Link.VALUE) for middle in (values.mean(axis=0), np.median(values, 0))
        ]
    if target.kind is TaskKind.MULTILABEL:
        width = true.shape[-1]
        share = true.reshape(-1, width).mean(axis=0)
        levels = (np.zeros(width), np.ones(width), (share > 0.5).astype(np.float64))
        return [(np.broadcast_to(level, true.shape), Link.PROBABILITY) for level in levels]
    known = to_index(true, target)
    k = len(target.classes)
    counts = np.bincount(known[known >= 0], minlength=k)
    candidates = []
    per_row = len(known) // max(1, rows)
    width = max(2, k)
    shares = np.pad(counts / max(1, counts.sum()), (0, width - k))
    for column in (shares, *np.eye(width)[np.argsort(-counts, kind="stable")[:20]]):
        shape = (rows, len(column)) if per_row == 1 else (rows, per_row, len(column))
        candidates.append((np.broadcast_to(column, shape), Link.PROBABILITY))
    return candidates
