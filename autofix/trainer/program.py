"""One compiled training program: a model, and loops over batches held in memory that run its own `train_step`."""

from __future__ import annotations

import itertools
import logging
import math
import threading
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from autofix.contract import output_names
from autofix.recipe import Recipe
from autofix.recipe.build import compile_model, restore
from autofix.trainer.feed import Batch
from autofix.trainer.hot import Hot, Knobs
from autofix.trainer.leaves import Leaf, leaves
from autofix.trainer.loops import (
    XLA_LEAST,
    XLA_SAVES,
    XLA_TRACES,
    XLA_TRIED,
    PlainLoop,
    XlaLoop,
    keeping_rates,
    xla_loses,
)
from autofix.trainer.step import Step

logger = logging.getLogger(__name__)

# Gradients are read at each of the first steps and then now and then: often enough to date a fault, seldom enough to
# cost nothing in the plain loop. XLA reads none: where it runs, the plain loop makes the first steps and then one now
# and then, ever more rarely, because going from one to the other and back costs as much as 10 to 20 steps.
PROBE_FIRST, PROBE_EVERY = 20, 20
LEFT_FIRST, LEFT_GROWTH = 2, 8


class Program:
    """A model compiled once and trained many times: fresh weights and hot settings need no new trace.

    The loop is the arithmetic of `fit`: it gathers a batch and calls the model's own `train_step`, so a custom one
    keeps working. Metrics are left out; only weights are wanted. A plain compiled loop runs at once; XLA compiles a
    faster one when the steps ahead are worth its compilation.

    Args:
        recipe: What to build.
        batch: The data, to build the model with.
        hot: Which settings come as values; none but the learning rate if it is left out.
        xla: Whether XLA may be used.
        probes: Whether gradients can be read.
    """

    def __init__(
        self, recipe: Recipe, batch: Batch, hot: Hot | None = None, *, xla: bool = True, probes: bool = True
    ) -> None:
        hot = hot or Hot(recipe)
        example = batch.rows(np.arange(1))
        self.model: keras.Model = recipe.build(seed=0, compiled=False, example=example)
        compile_model(self.model, recipe, metrics=False)
        self.leaves: tuple[Leaf, ...] = leaves(self.model)
        self.watched = tuple(leaf for leaf in self.leaves if leaf.kernel is not None and leaf.kernel.trainable)
        self._optimizer = self.model.optimizer
        self._optimizer.build(self.model.trainable_variables)
        self._penalties = dict(_factors(self.leaves, hot))
        self.step = Step(
            self.model,
            _in_order(batch, self.model, recipe),
            weighted=hot.weighted or batch.weight is not None,
            scaled={name: shape[-1:] for name, shape in hot.scaled.values()},
            inputs=hot.inputs,
            watched=self.watched,
            probed=probes,
        )
        self.step.build_losses(example)
        self._fresh_optimizer = [variable.numpy() for variable in self._optimizer.variables]
        self._fresh_other = [variable.numpy() for variable in self._other_variables()]
        self._plain = PlainLoop(self.step, eager=bool(recipe.compile.get("run_eagerly")))
        self._xla: dict[int, XlaLoop] = {}
        self._slow: str | None = xla_loses(self.model) if xla else "switched off"
        seen = self.step.inputs(np.arange(1))
        self._spec = tf.nest.map_structure(lambda x: tf.TensorSpec([None, *x.shape[1:]], x.dtype), seen)
        self._forward: Any = None
        self._forwards = 0
        self._spent = 0.0
        self._xla_seconds = 0.0
        self.lock = threading.Lock()

    @property
    def compiling(self) -> float:
        """Seconds spent on tracing and compiling the training step."""
        return self._plain.tracing + self._xla_seconds

    @property
    def traces(self) -> int:
        """Times that the training step was traced."""
        return self._plain.traces + sum(loop.traces for loop in self._xla.values())

    @property
    def eager(self) -> bool:
        """Whether steps run one by one in Python."""
        return self._plain.eager

    @property
    def engine(self) -> str:
        """What runs the steps: "xla", "compiled" or "eager"."""
        return "eager" if self.eager else "xla" if self._xla else "compiled"

    @property
    def reason(self) -> str | None:
        """Why nothing faster runs the steps; None where there is no reason but that it would not pay."""
        return self._plain.reason or self._slow

    def reset(self, weights: tuple[np.ndarray, ...], knobs: Knobs | None = None, weight: Any = None) -> None:
        """Starts over: the given weights, a fresh optimizer, the given values of the hot settings.

        Args:
            weights: In the order of `model.weights`.
            knobs: Values of the hot settings; None leaves them as they are.
            weight: Weight of each row, float tensor [rows]; None weighs them alike.
        """
        restore(self.model, weights)
        for variable, value in zip(self._optimizer.variables, self._fresh_optimizer, strict=True):
            variable.assign(value)
        for variable, value in zip(self._other_variables(), self._fresh_other, strict=True):
            variable.assign(value)
        if knobs is None:
            return
        for path, factor in self._penalties.items():
            factor.assign(knobs.penalties.get(path, 1.0))
        self.step.set_scales(knobs.scales)
        self.step.set_weight(weight)
        if knobs.rate is not None:
            self._optimizer.learning_rate = knobs.rate

    def restore(self, weights: tuple[np.ndarray, ...]) -> None:
        """Gives the model other weights and changes nothing else."""
        restore(self.model, weights)

    def finish(self) -> bool:
        """Takes over averaged weights, as `fit` does at its end; returns whether the optimizer keeps any."""
        optimizer = getattr(self._optimizer, "inner_optimizer", self._optimizer)
        if optimizer.use_ema:
            optimizer.finalize_variable_values(self.model.trainable_variables)
        return bool(optimizer.use_ema)

    def weights(self) -> tuple[np.ndarray, ...]:
        """Returns a copy of the weights, in the order of `model.weights`."""
        return tuple(variable.numpy() for variable in self.model.weights)

    def run(
        self,
        order: np.ndarray,
        starts: np.ndarray,
        stops: np.ndarray,
        first: int,
        rates: np.ndarray | None = None,
        *,
        ahead: int = 0,
        is_last: bool = False,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Trains over some batches.

        Args:
            order: int array [m]: row numbers in the order in which they are fed.
            starts: int array [steps]: where each batch begins in `order`.
            stops: int array [steps]: where it ends.
            first: Number of steps done before, to decide which steps are probed.
            rates: float array [steps]: learning rate of each step, for a range test; None keeps the optimizer's.
            ahead: Steps that are sure to follow, these included: whether XLA pays depends on them.
            is_last: Whether nothing but these is to come. Otherwise as many as there were before are likely to.

        Returns:
            The loss of each step, float array [steps], and the gradient norms, float array [steps, layers + 1]: one
            column per watched layer and the global norm; NaN where a step was not probed.
        """
        steps = np.arange(first, first + len(starts))
        probe = (steps < PROBE_FIRST) | (steps % PROBE_EVERY == 0)
        rates = keeping_rates(len(starts)) if rates is None else rates
        losses, norms = [], []
        for part, full in self._parts(starts, stops, steps, self._ahead(max(ahead, len(starts)), is_last)):
            if full in self._xla:  # it may have been given up since the parts were cut
                index = order[starts[part][:, None] + np.arange(full)]
                loss = self._xla[full].run(index, rates[part])
                norm = np.full((len(loss), self.step.width), np.nan, "float32")
                self._judge_xla(full)
            else:
                loss, norm = self._plain.run(order, starts[part], stops[part], probe[part], rates[part])
                self._spent += len(loss) * (self._plain.pace or 0.0)
            losses.append(loss)
            norms.append(norm)
        return np.concatenate(losses), np.concatenate(norms)

    def predict(self, rows: np.ndarray, chunk: int = 4096) -> tuple[np.ndarray, ...]:
        """Returns the raw outputs for the given rows, one array per output."""
        parts = []
        for begin in range(0, len(rows), chunk):
            x = self.step.inputs(rows[begin : begin + chunk])
            parts.append([np.asarray(value) for value in tf.nest.flatten(self._caller()(x))])
        return tuple(np.concatenate(column).astype("float64", copy=False) for column in zip(*parts, strict=True))

    def forward(self, rows: np.ndarray) -> Any:
        """Calls the model eagerly on the given rows, as in inference."""
        return self._call(self.step.inputs(rows))

    def close(self) -> None:
        """Lets go of the compiled functions and the model."""
        self._plain.close()
        for loop in self._xla.values():
            loop.close()
        self._xla.clear()
        self._forward = None
        self.step.close()

    def _parts(
        self, starts: np.ndarray, stops: np.ndarray, steps: np.ndarray, ahead: float
    ) -> Iterator[tuple[slice, int]]:
        """Cuts the batches into runs of full ones for XLA, and the rest (size 0) for the plain loop.

        Where it is cut does not depend on whether gradients are read, so that reading them changes nothing.
        """
        sizes = stops - starts
        batch = int(sizes.max(initial=0))
        full = (sizes == batch) & ~_left(steps)
        for part in _runs(full):
            full[part] &= part.stop - part.start >= XLA_LEAST
        if not full.any() or not self._has_xla(batch, ahead):
            yield slice(0, len(sizes)), 0
            return
        for part in _runs(full):
            yield part, batch if full[part.start] else 0

    def _ahead(self, steps: int, is_last: bool) -> float:
        """Returns the seconds that the plain loop is likely to take from here on; 0 while its pace is not known."""
        return 0.0 if self._plain.pace is None else steps * self._plain.pace + (0.0 if is_last else self._spent)

    def _has_xla(self, batch: int, ahead: float) -> bool:
        """Whether XLA is to run batches of this size; compiles when the plain loop's time `ahead` is worth it."""
        if self._slow is not None or self.eager:
            return False
        if batch in self._xla:
            return True
        cost = min((loop.seconds for loop in self._xla.values()), default=XLA_TRACES * self._plain.tracing)
        if XLA_SAVES * ahead < cost or not ahead:
            return False
        try:
            self._xla[batch] = XlaLoop(self.step, batch)
        except Exception as error:  # operations that XLA does not know, of whatever kind
            logger.debug("XLA cannot compile the train step", exc_info=True)
            self._slow = f"XLA cannot compile the train step ({type(error).__name__})"
            return False
        self._xla_seconds += self._xla[batch].seconds
        return True

    def _judge_xla(self, batch: int) -> None:
        """Gives XLA up where it turned out slower than the plain loop."""
        loop = self._xla[batch]
        if loop.pace is None or self._plain.pace is None or loop.timed < XLA_TRIED:
            return
        if loop.pace > self._plain.pace:
            self._slow = "XLA was slower when measured"
            self._xla.pop(batch).close()

    def _caller(self) -> Callable[[Any], Any]:
        # A few calls are cheaper eagerly than the trace of a compiled function.
        self._forwards += 1
        if self.eager or self._forwards <= 3:
            return self._call
        if self._forward is None:
            self._forward = tf.function(self._call, input_signature=[self._spec], autograph=False)
            self._forward._omit_frequent_tracing_warning = True  # as in `PlainLoop`
        call: Callable[[Any], Any] = self._forward
        return call

    def _call(self, x: Any) -> Any:
        return self.model(x, training=False)

    def _other_variables(self) -> list[Any]:
        """Seed generators and the like: variables that are neither weights nor optimizer slots."""
        known = {id(variable) for variable in self.model.weights}
        metrics = {id(variable) for metric in self.model.metrics for variable in metric.variables}
        return [v for v in self.model.variables if id(v) not in known and id(v) not in metrics]


def _runs(flags: np.ndarray) -> list[slice]:
    """Returns the stretches over which flags stay the same."""
    edges = [0, *(np.flatnonzero(np.diff(flags)) + 1).tolist(), len(flags)]
    return [slice(begin, end) for begin, end in itertools.pairwise(edges)]


def _left(steps: np.ndarray) -> np.ndarray:
    """Returns which steps XLA leaves to the loop that reads gradients, bool array [steps]."""
    last = max(PROBE_FIRST, int(steps.max(initial=0)))
    count = 1 + math.ceil(math.log(last / PROBE_FIRST, LEFT_GROWTH))
    return (steps < LEFT_FIRST) | np.isin(steps, PROBE_FIRST * LEFT_GROWTH ** np.arange(count))


def _factors(leaves: tuple[Leaf, ...], hot: Hot) -> Iterator[tuple[str, Any]]:
    """Puts a variable factor on every regularizer that may be scaled; yields it with the path of the setting."""
    seen = set()
    for leaf in leaves:
        for variable in leaf.layer.weights:
            name = variable.path.rsplit("/", 1)[-1].replace("recurrent_kernel", "recurrent")
            path = f"{leaf.path}/{name}_regularizer"
            if path in hot.penalties and variable.regularizer is not None and id(variable) not in seen:
                seen.add(id(variable))
                factor = tf.Variable(1.0, trainable=False)
                variable.regularizer = _times(factor, variable.regularizer)
                yield path, factor


def _times(factor: Any, penalty: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda weight: factor * penalty(weight)


def _in_order(batch: Batch, model: keras.Model, recipe: Recipe) -> Batch:
    """Targets by output name become a list where the model gives a list: a layer put behind an output renames it."""
    names = output_names(recipe)
    if not isinstance(batch.y, dict) or not names or isinstance(getattr(model, "output", None), dict):
        return batch
    return Batch(batch.x, [batch.y[name] for name in names], batch.weight)
