"""Gathers what the probes see of one run into a `Trace`."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from autofix.data import Split
from autofix.probes.activations import read_activations
from autofix.probes.origin import origin_of
from autofix.recipe import Recipe
from autofix.trace import LayerReading, Trace
from autofix.trainer.feed import Feed
from autofix.trainer.program import Program

logger = logging.getLogger(__name__)

# Rows of the reference batch: enough to call a unit dead, few enough to cost milliseconds.
REFERENCE = 256


class Tracer:
    """Collects readings during one run. A probe that fails is noted as not measured; the run goes on.

    Args:
        program: The program that trains.
        feed: The data.
        recipe: What is trained.
        split: The rows it is trained on.
        activations: Snake-case activation by layer path.
    """

    def __init__(
        self, program: Program, feed: Feed, recipe: Recipe, split: Split, activations: Mapping[str, str]
    ) -> None:
        self._program, self._feed, self._recipe, self._split = program, feed, recipe, split
        self._activations = activations
        rows = np.random.default_rng(0).permutation(split.train)[:REFERENCE]
        self._reference = np.sort(rows)
        self._began = time.monotonic()
        self._losses: list[float] = []
        self._probe_steps: list[int] = []
        self._norms: list[np.ndarray] = []
        self._scores: list[float] = []
        self._scored: list[float] = []
        self._first: tuple[LayerReading, ...] = ()
        self._kernels: dict[str, np.ndarray] = {}
        self._unseen: list[str] = []

    def before(self) -> None:
        """Reads the model before its first step."""
        self._first = self._measured("layer outputs", lambda: self._read(0), ())
        self._kernels = {leaf.path: np.asarray(leaf.kernel, "float64") for leaf in self._program.watched}
        if not self._recipe.is_graph:
            self._unseen.append("the order and settings of the layers, because the model is subclassed")

    def trained(self, step: int, losses: np.ndarray, norms: np.ndarray) -> None:
        """Takes in the losses and gradient norms of some steps."""
        self._losses.extend(float(loss) for loss in losses)
        for offset in np.flatnonzero(~np.isnan(norms).all(axis=1)) if norms.size else ():
            self._probe_steps.append(step + int(offset))
            self._norms.append(norms[offset])

    def evaluated(self, epoch: float, rank: float) -> None:
        """Takes in a validation score."""
        self._scored.append(float(epoch))
        self._scores.append(float(rank))

    def finish(
        self,
        steps_per_epoch: int,
        epochs: float,
        planned: int,
        read: Callable[[str], Any],
        initial: tuple[np.ndarray, ...],
    ) -> Trace:
        """Reads the model after its last step and returns the trace."""
        norms = np.array(self._norms, "float64").reshape(-1, len(self._program.watched) + 1)
        last = self._measured("layer outputs", lambda: self._read(len(self._losses)), ())
        bad = np.flatnonzero(~np.isfinite(self._losses))
        step = int(bad[0]) if len(bad) else None
        change, ratio = self._measured("how far the weights moved", self._movement, ({}, {}))
        weights = self._program.model.trainable_weights
        return Trace(
            steps_per_epoch=steps_per_epoch,
            epochs=float(epochs),
            planned_epochs=planned,
            loss=tuple(self._losses),
            penalty=self._measured("the share of the penalty", self._penalty, 0.0),
            epoch_scores=tuple(self._scores),
            scored_epochs=tuple(self._scored),
            train_score=self._measured("the score on training rows", lambda: read("train_score"), None),
            probe_steps=tuple(self._probe_steps),
            gradient_norms={leaf.path: tuple(norms[:, i]) for i, leaf in enumerate(self._program.watched)},
            gradient_norm=tuple(norms[:, -1]),
            weight_change=change,
            update_ratio=ratio,
            first=self._first,
            last=last,
            predictions=self._measured("predictions", lambda: read("predictions"), ()),
            learning_rate=self._measured("the learning rate", self._rate, 0.0),
            trainable=int(sum(np.prod(w.shape) for w in weights)),
            non_finite_step=step,
            non_finite_origin=None
            if step is None
            else self._measured("the origin of the NaN", lambda: self._origin(initial, step), None),
            unseen=tuple(dict.fromkeys(self._unseen)),
            seconds=time.monotonic() - self._began,
            disconnected=tuple(map(str, self._program.step.disconnected)),
        )

    def _read(self, step: int) -> tuple[LayerReading, ...]:
        program = self._program
        return read_activations(
            program.leaves, lambda: program.forward(self._reference), step, activations=self._activations
        )

    def _movement(self) -> tuple[dict[str, float], dict[str, float]]:
        change, ratio = {}, {}
        steps = max(len(self._losses), 1)
        for leaf in self._program.watched:
            before = self._kernels.get(leaf.path)
            if before is None:
                continue
            size = float(np.linalg.norm(before)) or 1.0
            moved = float(np.linalg.norm(np.asarray(leaf.kernel, "float64") - before))
            change[leaf.path] = moved / size
            ratio[leaf.path] = moved / size / steps
        return change, ratio

    def _penalty(self) -> float:
        self._program.forward(self._reference)
        penalty = float(sum(np.asarray(loss, "float64") for loss in self._program.model.losses))
        recent = [loss for loss in self._losses[-10:] if np.isfinite(loss)]
        total = abs(float(np.mean(recent))) if recent else 0.0
        return float(np.clip(penalty / total, 0.0, 1.0)) if total > 0 else 0.0

    def _rate(self) -> float:
        return float(np.asarray(self._program.model.optimizer.learning_rate))

    def _origin(self, initial: tuple[np.ndarray, ...], step: int) -> str:
        """Looks at the first batches again with the weights the run began with."""
        batch = self._feed.batch(self._recipe)
        rows = self._split.train
        inputs = [np.asarray(tf.gather(x, rows)) for x in tf.nest.flatten(batch.x)]
        targets = [np.asarray(tf.gather(y, rows)) for y in tf.nest.flatten(batch.y)]
        readings: tuple[LayerReading, ...] = self._first if step == 0 else self._read(step)
        found = origin_of(inputs, targets, readings)
        return "gradient" if step > 0 and found.startswith("layer:") else found

    def _measured(self, what: str, measure: Callable[[], Any], otherwise: Any) -> Any:
        try:
            return measure()
        except Exception as error:  # a probe must never end a run
            logger.debug("a probe failed", exc_info=True)
            self._unseen.append(f"{what} ({type(error).__name__})")
            return otherwise
