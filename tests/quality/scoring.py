"""Scores of the quality suite, computed from predictions alone and apart from autofix's own scorer."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import balanced_accuracy_score, r2_score

# R2 has no lower end; a diverged regression counts as this bad and no worse.
REGRESSION_FLOOR = -1.0


def floor(task: str, y: Any) -> float:
    """The score of a run that gives nothing: chance level, or -1 in R2."""
    if task == "regression":
        return REGRESSION_FLOOR
    if task == "multilabel":
        return 0.5
    return 1.0 / max(len(np.unique(_truth(y))), 1)


def score(task: str, y: Any, outputs: Any, classes: Sequence[Any] | None = None) -> float:
    """Balanced accuracy or R2 of a model's outputs, never below `floor`.

    Args:
        task: "binary", "multiclass", "multilabel" or "regression".
        y: the author's targets, raw.
        outputs: what the model predicts, float array [rows, units].
        classes: the author's label of each output column, where a repair has changed the encoding.
    """
    lowest = floor(task, y)
    outputs = np.asarray(outputs, dtype="float64")
    outputs = outputs.reshape(len(outputs), -1)
    if not np.isfinite(outputs).all():
        return lowest
    if task == "regression":
        targets = np.asarray(y, dtype="float64")
        if outputs.shape[1] != targets.reshape(len(targets), -1).shape[1]:
            return lowest
        return max(lowest, float(r2_score(targets.reshape(len(targets), -1), outputs)))
    if task == "multilabel":
        targets = np.asarray(y)
        if outputs.shape != targets.shape:
            return lowest
        chosen = (outputs > _threshold(outputs)).astype(int)
        per_label = [balanced_accuracy_score(targets[:, i], chosen[:, i]) for i in range(targets.shape[1])]
        return max(lowest, float(np.mean(per_label)))
    truth = _truth(y)
    return max(lowest, _balanced_accuracy(truth, _decode(truth, outputs, classes)))


def _balanced_accuracy(truth: np.ndarray, chosen: np.ndarray) -> float:
    """Mean recall over the classes that occur, also where a prediction is no class at all."""
    recalls = [np.mean(chosen[truth == label] == label) for label in np.unique(truth)]
    return float(np.mean(recalls))


def _truth(y: Any) -> np.ndarray:
    labels: np.ndarray = np.asarray(y)
    if labels.ndim == 2 and labels.shape[1] > 1:
        labels = labels.argmax(axis=1)
    return labels.reshape(len(labels))


def _decode(truth: np.ndarray, outputs: np.ndarray, classes: Sequence[Any] | None) -> np.ndarray:
    if outputs.shape[1] > 1:
        chosen: np.ndarray = outputs.argmax(axis=1)
        return chosen if classes is None else np.take(np.asarray(classes), chosen)
    values = outputs[:, 0]
    labels = np.unique(truth)
    if len(labels) > 2:
        rounded: np.ndarray = np.rint(values)
        return rounded.clip(labels.min(), labels.max())
    pair = labels if classes is None else np.asarray(classes)
    return np.take(pair, (values > _threshold(values)).astype(int))


def _threshold(values: np.ndarray) -> float:
    return 0.5 if values.min() >= 0.0 and values.max() <= 1.0 else 0.0
