"""Gathers what the probes see of one run of the engine into a `Trace`."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf

from autofix.course import Course
from autofix.data import Split
from autofix.look import Clock, Look, because
from autofix.probes import ALL
from autofix.probes.origin import Origin
from autofix.probes.penalty import RECENT
from autofix.recipe import Recipe
from autofix.trace import Trace
from autofix.trainer.feed import Feed
from autofix.trainer.leaves import activations_of, as_array, homeless, kernels_of, outputs_of
from autofix.trainer.program import Program

logger = logging.getLogger(__name__)

# Rows of the reference batch: enough to call a unit dead, few enough to cost milliseconds.
REFERENCE = 256


class Tracer:
    """Takes looks at one run: a full one before it and at its end, a light one whenever it is scored.

    Gradient norms come from inside the compiled step. A probe that fails is noted as not measured; the run goes on.

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
        self._activations = {**activations_of(program.leaves), **activations}
        rows = np.random.default_rng(0).permutation(split.train)[:REFERENCE]
        self._reference = np.sort(rows)
        self._began = time.monotonic()
        self._losses: list[float] = []
        self._probe_steps: list[int] = []
        self._norms: list[np.ndarray] = []
        self._scores: list[float] = []
        self._scored: list[float] = []
        self._course = Course()

    def before(self) -> None:
        """Reads the model before its first step."""
        look = self._full(0, 0.0).seeing({"inputs": self._inputs, "targets": self._targets})
        self._course.look(look, ALL)
        for sentence in homeless(self._program.model, self._program.leaves):
            self._course.note(sentence)
        if not self._recipe.is_graph:
            self._course.note("the order and settings of the layers, because the model is subclassed")

    def trained(self, step: int, losses: np.ndarray, norms: np.ndarray) -> None:
        """Takes in the losses and gradient norms of some steps."""
        self._losses.extend(float(loss) for loss in losses)
        for offset in np.flatnonzero(~np.isnan(norms).all(axis=1)) if norms.size else ():
            self._probe_steps.append(step + int(offset))
            self._norms.append(norms[offset])

    def evaluated(self, epoch: float, rank: float) -> None:
        """Takes in a validation score, and what costs next to nothing to read beside it."""
        self._scored.append(float(epoch))
        self._scores.append(float(rank))
        self._course.look(self._light(len(self._losses), float(epoch)), ALL)

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
        bad = np.flatnonzero(~np.isfinite(self._losses))
        step = int(bad[0]) if len(bad) else None
        course, look = (
            self._course,
            replace(self._full(len(self._losses), epochs), losses=tuple(self._losses[-RECENT:])),
        )
        course.look(look.seeing({"penalty": self._penalty, "predicted": lambda: read("predictions")}), ALL)
        if step is not None:
            # The batch is looked at again with the weights that it met: at step 0 those that the run began with.
            layers = course.first if step == 0 else course.last
            sources = {"inputs": self._all_inputs, "targets": self._all_targets, "layers": lambda: layers}
            course.look(Look(step).seeing(sources), (Origin(),))
        trace = Trace(
            steps_per_epoch=steps_per_epoch,
            epochs=float(epochs),
            planned_epochs=planned,
            loss=tuple(self._losses),
            epoch_scores=tuple(self._scores),
            scored_epochs=tuple(self._scored),
            train_score=self._train_score(read),
            probe_steps=tuple(self._probe_steps),
            gradient_norms={leaf.path: tuple(norms[:, i]) for i, leaf in enumerate(self._program.watched)},
            gradient_norm=tuple(norms[:, -1]),
            trainable=int(sum(np.prod(w.shape) for w in self._program.model.trainable_weights)),
            non_finite_step=step,
            seconds=time.monotonic() - self._began,
            disconnected=tuple(map(str, self._program.step.disconnected)),
        )
        return course.fill(trace)

    def _light(self, step: int, epochs: float) -> Look:
        clock = Clock(time.monotonic() - self._began, step, epochs)
        return Look(step, clock=clock).seeing({"rate": self._rate})

    def _full(self, step: int, epochs: float) -> Look:
        look = replace(self._light(step, epochs), activations=self._activations)
        return look.seeing({"kernels": lambda: kernels_of(self._program.leaves), "outputs": self._outputs})

    def _outputs(self) -> dict[str, np.ndarray]:
        return outputs_of(self._program.leaves, lambda: self._program.forward(self._reference))

    def _penalty(self) -> float:
        self._program.forward(self._reference)
        return float(sum(np.asarray(loss, "float64") for loss in self._program.model.losses))

    def _rate(self) -> float:
        return float(np.asarray(self._program.model.optimizer.learning_rate))

    def _inputs(self) -> tuple[np.ndarray, ...]:
        """Returns the reference rows as the first layer sees them: scaled, where the engine scales."""
        return tuple(as_array(x) for x in tf.nest.flatten(self._program.step.inputs(self._reference)))

    def _targets(self) -> tuple[np.ndarray, ...]:
        return tuple(as_array(tf.gather(y, self._reference)) for y in tf.nest.flatten(self._feed.batch(self._recipe).y))

    def _all_inputs(self) -> tuple[np.ndarray, ...]:
        batch = self._feed.batch(self._recipe)
        return tuple(as_array(tf.gather(x, self._split.train)) for x in tf.nest.flatten(batch.x))

    def _all_targets(self) -> tuple[np.ndarray, ...]:
        batch = self._feed.batch(self._recipe)
        return tuple(as_array(tf.gather(y, self._split.train)) for y in tf.nest.flatten(batch.y))

    def _train_score(self, read: Callable[[str], Any]) -> float | None:
        try:
            return float(read("train_score"))
        except Exception as error:  # a probe must never end a run
            logger.debug("a probe failed", exc_info=True)
            self._course.note(f"the score on training rows{because(error)}")
            return None
