"""`Course`: what successive looks at one run add up to. In bounded memory; no TensorFlow."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from autofix.look import Clock, Kernel, Look
from autofix.probe import Probe, Readings, take
from autofix.probes.activations import Activations
from autofix.probes.inputs import Inputs
from autofix.probes.learning_rate import LearningRate
from autofix.probes.origin import Origin
from autofix.probes.pace import Pace
from autofix.probes.penalty import Penalty
from autofix.probes.predictions import Predictions
from autofix.probes.recalls import Recalls
from autofix.probes.targets import Targets
from autofix.probes.updates import Updates
from autofix.probes.weights import Weights
from autofix.trace import ArrayReading, LayerReading, PredictionReading, Trace, WeightReading

# Readings kept of one kind; beyond, every other one is forgotten, the first and the last never.
MOST_READINGS = 256
# Numbers kept of one kind where a reading has one per layer: deep models keep fewer readings.
MOST_NUMBERS = 2**15


class Course:
    """Takes looks at one run, in the order of its steps: completes each with what earlier ones saw, and measures.

    Attributes:
        first: Layer readings before training.
        last: Layer readings, as last taken.
        predictions: Predictions, as last read.
        origin: Where a NaN came from.
        inputs: Readings of the reference batch.
        targets: Readings of its targets.
        unseen: What could not be measured, as sentences.
    """

    def __init__(self) -> None:
        self.unseen: list[str] = []
        self.first: tuple[LayerReading, ...] = ()
        self.last: tuple[LayerReading, ...] = ()
        self.predictions: tuple[PredictionReading, ...] = ()
        self.origin: str | None = None
        self.inputs: tuple[ArrayReading, ...] = ()
        self.targets: tuple[ArrayReading, ...] = ()
        self._start: Mapping[str, Kernel] | None = None
        self._before: Mapping[str, Kernel] = {}
        self._since, self._weighed = 0, 0
        self._clock: Clock | None = None
        self._weights: Mapping[str, WeightReading] = {}
        self._updates: list[Mapping[str, float]] = []
        self._rates: list[tuple[int, float]] = []
        self._paces: list[tuple[float, float]] = []
        self._pace = math.nan
        self._penalty = 0.0

    def note(self, sentence: str) -> None:
        """Notes what could not be measured, once."""
        if sentence not in self.unseen:
            self.unseen.append(sentence)

    def look(self, look: Look, probes: Iterable[Probe[Any]]) -> Readings:
        """Measures with the given probes; keeps and returns what they read."""
        look = replace(
            look,
            start=self._start,
            before=self._before if self._start is not None and look.step > self._since else None,
            since=self._since,
            clock_before=self._clock,
        )
        readings = take(look, probes)
        for sentence in readings.unseen:
            self.note(sentence)
        self._keep(look, readings)
        return readings

    def fill(self, trace: Trace, stride: int = 1) -> Trace:
        """Returns a trace with what was seen; `stride` are the steps that one of its own stands for."""
        paces = [step for step, _ in self._paces] or [self._pace]
        steps = [step for step in paces if math.isfinite(step)]
        return replace(
            trace,
            penalty=self._penalty,
            weight_change={path: item.drift for path, item in self._weights.items()} if self._weighed > 1 else {},
            update_ratio=self._ratios(),
            first=self.first,
            last=tuple(replace(item, step=item.step // stride) for item in self.last),
            predictions=self.predictions,
            learning_rate=self._rates[0][1] if self._rates else 0.0,
            non_finite_origin=self.origin,
            unseen=tuple(self.unseen),
            rate_steps=tuple(step // stride for step, _ in self._rates),
            learning_rates=tuple(rate for _, rate in self._rates),
            step_seconds=float(np.median(steps)) * stride if steps else None,
            epoch_seconds=tuple(epoch for _, epoch in self._paces if math.isfinite(epoch)),
            weights=dict(self._weights),
            inputs=self.inputs,
            targets=self.targets,
        )

    def _keep(self, look: Look, readings: Readings) -> None:
        layers = readings.of(Activations) or ()
        self.last = layers or self.last
        if look.step == 0:
            self.first = layers or self.first
        self._keep_weights(look, readings)
        self._keep_pace(look, readings)
        rate, penalty = readings.of(LearningRate), readings.of(Penalty)
        if rate is not None and (not self._rates or self._rates[-1][0] < look.step):
            self._rates.append((look.step, rate))
            thin(self._rates)
        self._penalty = self._penalty if penalty is None else penalty
        self._keep_predictions(readings)
        self.origin = readings.of(Origin) or self.origin
        self.inputs = readings.of(Inputs) or self.inputs
        self.targets = readings.of(Targets) or self.targets

    def _keep_weights(self, look: Look, readings: Readings) -> None:
        self._weights = readings.of(Weights) or self._weights
        ratios = readings.of(Updates)
        if ratios:
            self._updates.append(ratios)
            thin(self._updates, len(ratios))
        if look.kernels is None:
            return
        self._weighed += 1
        if self._start is None:
            self._start, self._before, self._since = look.kernels, look.kernels, look.step
        elif look.step > self._since:
            self._before, self._since = look.kernels, look.step

    def _keep_pace(self, look: Look, readings: Readings) -> None:
        pace = readings.of(Pace)
        if self._clock is None:
            self._clock = look.clock
        elif pace is not None and look.clock is not None:
            self._pace = pace.step
            # A stretch goes on until it holds an epoch, where there are any.
            if not look.clock.epochs or math.isfinite(pace.epoch):
                self._clock = look.clock
                self._paces.append((pace.step, pace.epoch))
                thin(self._paces)

    def _keep_predictions(self, readings: Readings) -> None:
        found, recalls = readings.of(Predictions), readings.of(Recalls)
        if found is not None:
            known = recalls or ((),) * len(found)
            self.predictions = tuple(replace(one, recalls=two) for one, two in zip(found, known, strict=True))

    def _ratios(self) -> dict[str, float]:
        """Returns the median over looks of how far a step moved each kernel, as a share of its norm."""
        paths = self._updates[-1] if self._updates else {}
        return {path: float(np.median([item[path] for item in self._updates if path in item])) for path in paths}


def thin(kept: list[Any], numbers: int = 1) -> None:
    """Forgets every other reading of too many; each holds so many numbers."""
    if len(kept) > max(8, min(MOST_READINGS, MOST_NUMBERS // max(1, numbers))):
        kept[1:-1] = kept[1:-1:2]
