"""Everything seen of one run so far, and the `Trace` that it makes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from autofix.live.curve import Curve
from autofix.live.reader import Gradients, Reading
from autofix.live.silent import Silent
from autofix.trace import LayerReading, PredictionReading, Trace

# Readings kept; beyond, every other one is forgotten, the first and the last never.
MOST_READINGS = 256
# Last losses that the share of the penalty is taken of, as in a run of our own.
RECENT = 10


@dataclass
class Record:
    """What was seen so far.

    Attributes:
        per_execution: Steps that one reported loss stands for.
        steps_per_epoch: Steps in an epoch; 0 while unknown.
        planned_epochs: Epochs that `fit` was asked for.
        epochs: Epochs done, fractions included.
        steps: Steps done.
        curve: The losses.
        scores: Validation score ranks and the epochs they were taken at.
        train_score: Score on the reference rows; None while unknown.
        predictions: Predictions, as last read.
        learning_rate: Learning rate in force at the first step.
        trainable: Number of trainable weights.
        origin: Where a NaN came from.
        error: The exception that ended the run.
        unseen: What could not be measured.
        seconds: Wall time so far.
    """

    per_execution: int = 1
    steps_per_epoch: int = 0
    planned_epochs: int = 0
    epochs: float = 0.0
    steps: int = 0
    curve: Curve = field(default_factory=Curve)
    scores: list[tuple[float, float]] = field(default_factory=list)
    train_score: float | None = None
    predictions: tuple[PredictionReading, ...] = ()
    learning_rate: float = 0.0
    trainable: int = 0
    origin: str | None = None
    error: str | None = None
    unseen: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self._first: tuple[LayerReading, ...] = ()
        self._last: tuple[LayerReading, ...] = ()
        self._start: dict[str, np.ndarray] = {}
        self._before: tuple[int, dict[str, np.ndarray]] = (0, {})
        self._change: dict[str, float] = {}
        self._updates: list[dict[str, float]] = []
        self._gradients: list[tuple[int, Gradients]] = []
        self._penalty: float | None = None
        self.silent = Silent()

    @property
    def stride(self) -> int:
        """Steps that one entry of the trace's loss stands for."""
        return self.per_execution * self.curve.stride

    @property
    def begun(self) -> bool:
        """Whether there is a reading to compare later ones with."""
        return bool(self._start or self._first)

    def note(self, sentence: str) -> None:
        """Notes what could not be measured, once."""
        if sentence not in self.unseen:
            self.unseen.append(sentence)

    def take(self, reading: Reading) -> None:
        """Takes in a reading; one of step 0 is what later ones are compared with."""
        self._last = reading.layers or self._last
        if reading.step == 0:
            self._first = reading.layers
        self._move(reading.step, dict(reading.kernels))
        if reading.gradients is not None:
            self._gradients.append((reading.step, reading.gradients))
            self.silent.take(reading.gradients)
        self._penalty = reading.penalty if reading.penalty is not None else self._penalty
        self._thin()

    def trace(self) -> Trace:
        """Returns what was seen, steps counted in entries of the loss where one stands for several."""
        stride, loss = self.stride, self.curve.entries
        bad = self.curve.first_bad
        seen = self._gradients
        paths = list(seen[-1][1].norms) if seen else []
        return Trace(
            steps_per_epoch=self.steps_per_epoch // stride,
            epochs=self.epochs,
            planned_epochs=self.planned_epochs,
            loss=loss,
            penalty=self._share(loss),
            epoch_scores=tuple(rank for _, rank in self.scores),
            scored_epochs=tuple(epoch for epoch, _ in self.scores),
            train_score=self.train_score,
            probe_steps=tuple(step // stride for step, _ in seen),
            gradient_norms={path: tuple(item.norms.get(path, 0.0) for _, item in seen) for path in paths},
            gradient_norm=tuple(item.total for _, item in seen),
            weight_change=dict(self._change),
            update_ratio=self._ratios(),
            first=self._first,
            last=tuple(replace(item, step=item.step // stride) for item in self._last),
            predictions=self.predictions,
            learning_rate=self.learning_rate,
            trainable=self.trainable,
            non_finite_step=None if bad is None else min(bad // self.curve.stride, max(len(loss) - 1, 0)),
            non_finite_origin=self.origin,
            error=self.error,
            unseen=(*self.unseen, *self._coarse()),
            seconds=self.seconds,
        )

    def _move(self, step: int, kernels: dict[str, np.ndarray]) -> None:
        if not self._start:
            self._start, self._before = kernels, (step, kernels)
            return
        since, before = self._before
        self._change = {path: _moved(self._start[path], now) for path, now in kernels.items() if path in self._start}
        if step > since:
            steps = step - since
            self._updates.append({path: _moved(before[path], now) / steps for path, now in kernels.items()})
            self._before = (step, kernels)

    def _ratios(self) -> dict[str, float]:
        """Returns the median over readings of how far a step moved each kernel, as a share of its norm."""
        paths = self._updates[-1] if self._updates else {}
        return {path: float(np.median([item[path] for item in self._updates if path in item])) for path in paths}

    def _share(self, loss: tuple[float, ...]) -> float:
        recent = [value for value in loss[-RECENT:] if math.isfinite(value)]
        total = abs(sum(recent) / len(recent)) if recent else 0.0
        if self._penalty is None or total <= 0 or not math.isfinite(self._penalty):
            return 0.0
        return min(1.0, max(0.0, self._penalty / total))

    def _thin(self) -> None:
        for kept in (self._gradients, self._updates):
            items: list[Any] = kept
            if len(items) > MOST_READINGS:
                items[1:-1] = items[1:-1:2]

    def _coarse(self) -> list[str]:
        return [f"single steps: a step below stands for {self.stride}"] if self.stride > 1 else []


def _moved(before: np.ndarray, now: np.ndarray) -> float:
    """Returns the norm of the change over the norm before."""
    wide = before.astype("float64")
    return float(np.linalg.norm(now - wide)) / (float(np.linalg.norm(wide)) or 1.0)
