"""The default scores, in plain NumPy: defined for absent classes and broken predictions, silent about both."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

R2_FLOOR = -1e6
SMALLEST = 1e-7  # a probability is taken as at least this: one certain and wrong answer costs 16, not infinity


def recalls(true: Array, predicted: Array) -> Array:
    """Returns the recall of every class that occurs, float array [classes].

    Args:
        true: Integer array [m] of classes, all at least 0.
        predicted: Integer array [m] of classes; any other number is a wrong answer.
    """
    totals = np.bincount(true)
    hits = np.bincount(true[true == predicted], minlength=len(totals))
    return np.asarray(hits[totals > 0] / totals[totals > 0])


def balanced_accuracy(true: Array, predicted: Array) -> float:
    """Returns the mean recall over the classes that occur in `true`."""
    return float(recalls(true, predicted).mean()) if len(true) else 0.0


def balanced_log_loss(true: Array, probabilities: Array) -> float:
    """Returns the log loss in nats, every class that occurs weighing the same.

    Args:
        true: Integer array [m] of classes.
        probabilities: Float array [m, k].
    """
    loss = -np.log(np.clip(probabilities[np.arange(len(true)), true], SMALLEST, 1.0))
    totals = np.bincount(true)
    sums = np.bincount(true, weights=loss)
    return float((sums[totals > 0] / totals[totals > 0]).mean())


def r2(true: Array, predicted: Array) -> float:
    """Returns 1 - squared error / variance, both summed over all columns; at least -1e6.

    Targets that never vary give 1.0 if they are met exactly and 0.0 otherwise, as in scikit-learn.

    Args:
        true: Float array [n, ...].
        predicted: Float array of the same shape.
    """
    true, predicted = true.reshape(len(true), -1).astype(np.float64), predicted.reshape(len(true), -1)
    with np.errstate(all="ignore"):
        error = float(np.square(true - predicted).sum())
        spread = float(np.square(true - true.mean(axis=0)).sum())
        if spread <= 0.0:
            return 1.0 if error == 0.0 else 0.0
        value = 1.0 - error / spread
    return max(R2_FLOOR, value) if np.isfinite(value) else R2_FLOOR


def relative_error(true: Array, predicted: Array) -> float:
    """Returns the mean absolute error in standard deviations of the targets, at most 1e6."""
    true = true.astype(np.float64)
    with np.errstate(all="ignore"):
        error = float(np.abs(true - predicted).mean())
        value = error / max(float(true.std()), SMALLEST * max(1.0, float(np.abs(true).max())))
    return min(1e6, value) if np.isfinite(value) else 1e6
