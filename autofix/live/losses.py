"""Reads the loss of each batch out of what `fit` tells its callbacks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from autofix.live.curve import Unaveraged


class BatchLosses:
    """Turns `logs` into losses of single batches (of single executions, with `steps_per_execution`).

    Keras' own `train_step` reports the mean over the epoch so far, weighted by rows. A `train_step` of the user's own
    may do so as well or report the batch's loss: whether its tracker goes on counting at the second batch tells.

    Args:
        model: The model that is trained.
    """

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        self._unaveraged = Unaveraged()
        self._is_keras = type(model).train_step is keras.Model.train_step
        self._is_mean: bool | None = True if self._is_keras else None
        self._first_rows: float | None = None
        self._batches = 0

    @property
    def rows(self) -> float:
        """Rows of the first execution; 0 while unknown."""
        return self._first_rows or 0.0 if self._is_keras else 0.0

    @property
    def blurred(self) -> bool:
        """Whether some loss could not be told from the rounding of the mean."""
        return self._unaveraged.blurred

    def restart(self) -> None:
        """Begins an epoch."""
        self._unaveraged.restart()
        self._batches = 0

    def take(self, logs: Mapping[str, Any] | None, *, is_last: bool) -> float | None:
        """Returns the loss of the last batch; None where `logs` holds none.

        Args:
            logs: What the callback was given.
            is_last: Whether the epoch ends with this batch, which may be a smaller one.
        """
        reported = logs.get("loss") if logs else None
        if reported is None:
            return None
        mean = float(reported)
        self._batches += 1
        if self._first_rows is None:
            self._first_rows = self._counted()
        elif self._is_mean is None and self._batches > 1:
            self._is_mean = self._counted() > self._first_rows > 0.0
        if self._is_mean is False:
            return mean
        weight = 1.0
        if is_last and self._batches > 1 and self._first_rows and math.isfinite(mean):
            last = self._counted() / self._first_rows - (self._batches - 1)
            weight = last if 0.0 < last <= 1.0 else 1.0
        return self._unaveraged.take(mean, weight)

    def _counted(self) -> float:
        """Returns what Keras' tracker of the loss has counted in this epoch; 0 where there is none."""
        for metric in self._model.metrics:
            if metric.name == "loss" and hasattr(metric, "count"):
                return float(np.asarray(metric.count))
        return 0.0
