"""One compiled training program: a model, and a loop over batches held in memory that runs its own `train_step`."""

from __future__ import annotations

import logging
import time
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from autofix.contract import output_names
from autofix.recipe import Recipe
from autofix.recipe.build import compile_model, restore
from autofix.trainer.feed import Batch
from autofix.trainer.leaves import Leaf, leaves

logger = logging.getLogger(__name__)

# Gradients are read at each of the first steps and then now and then: often enough to date a fault, seldom enough to
# cost nothing.
PROBE_FIRST = 20
PROBE_EVERY = 20
# Rows in order, where batches begin and end, which steps are probed, learning rates: one trace for all lengths.
SIGNATURE = [tf.TensorSpec([None], dtype) for dtype in (tf.int32, tf.int32, tf.int32, tf.bool, tf.float32)]


class Program:
    """A model compiled once and trained many times: fresh weights and another learning rate need no new trace.

    The loop is the arithmetic of `fit`: it gathers a batch and calls the model's own `train_step`, so a custom one
    keeps working. Metrics are left out; only weights are wanted.

    Args:
        recipe: What to build.
        batch: The data, to build the model with.
        eager: Whether to run step by step in Python, for a `train_step` that does not compile.
    """

    def __init__(self, recipe: Recipe, batch: Batch, *, eager: bool = False) -> None:
        example = batch.rows(np.arange(1))
        self.model: keras.Model = recipe.build(seed=0, compiled=False, example=example)
        compile_model(self.model, recipe, metrics=False)
        self.eager = eager
        self.traces = 0
        self.tracing = 0.0
        self.leaves: tuple[Leaf, ...] = leaves(self.model)
        self.watched = tuple(leaf for leaf in self.leaves if leaf.kernel is not None and leaf.kernel.trainable)
        self._kernels = [leaf.kernel.path for leaf in self.watched if leaf.kernel is not None]
        self._batch = batch = _in_order(batch, self.model, recipe)
        self._captured: dict[str, Any] = {}
        self._optimizer = self.model.optimizer
        self._optimizer.build(self.model.trainable_variables)
        self._intercept_gradients()
        self._build_losses(example)
        self._fresh_optimizer = [variable.numpy() for variable in self._optimizer.variables]
        self._fresh_other = [variable.numpy() for variable in self._other_variables()]
        self._loop = tf.function(self._steps, input_signature=SIGNATURE)
        # TensorFlow counts traces by code and takes several programs for one that is traced over and over. There is no
        # public switch for its warning.
        self._loop._omit_frequent_tracing_warning = True
        spec = tf.nest.map_structure(lambda x: tf.TensorSpec([None, *x.shape[1:]], x.dtype), batch.x)
        self._forward = tf.function(self._call, input_signature=[spec])
        self._forwards = 0

    def reset(self, weights: tuple[np.ndarray, ...], learning_rate: float | None) -> None:
        """Starts over: the given weights, a fresh optimizer, its learning rate (None leaves a schedule in charge)."""
        restore(self.model, weights)
        for variable, value in zip(self._optimizer.variables, self._fresh_optimizer, strict=True):
            variable.assign(value)
        for variable, value in zip(self._other_variables(), self._fresh_other, strict=True):
            variable.assign(value)
        if learning_rate is not None:
            self._optimizer.learning_rate = learning_rate

    def weights(self) -> tuple[np.ndarray, ...]:
        """Returns a copy of the weights, in the order of `model.weights`."""
        return tuple(variable.numpy() for variable in self.model.weights)

    def run(
        self, order: np.ndarray, starts: np.ndarray, stops: np.ndarray, first: int, rates: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Trains over some batches.

        Args:
            order: int array [m]: row numbers in the order in which they are fed.
            starts: int array [steps]: where each batch begins in `order`.
            stops: int array [steps]: where it ends.
            first: Number of steps done before, to decide which steps are probed.
            rates: float array [steps]: learning rate of each step, for a range test; None keeps the optimizer's.

        Returns:
            The loss of each step, float array [steps], and the gradient norms, float array [steps, layers + 1]: one
            column per watched layer and the global norm; NaN where a step was not probed.
        """
        steps = np.arange(first, first + len(starts))
        probe = (steps < PROBE_FIRST) | (steps % PROBE_EVERY == 0)
        args = (
            tf.constant(order, tf.int32),
            tf.constant(starts, tf.int32),
            tf.constant(stops, tf.int32),
            tf.constant(probe),
            tf.constant(np.zeros(0) if rates is None else rates, tf.float32),
        )
        if self.eager:
            return self._steps_eager(*args)
        traces, began = self.traces, time.monotonic()
        try:
            losses, norms = self._loop(*args)
        except tf.errors.OpError:
            raise
        except Exception:
            # A `train_step` that only Python can run; an error of its own comes again there.
            logger.debug("the train step does not compile", exc_info=True)
            self.eager = True
            return self._steps_eager(*args)
        if self.traces > traces:
            self.tracing = time.monotonic() - began
        return losses.numpy(), norms.numpy()

    def predict(self, rows: np.ndarray, chunk: int = 4096) -> tuple[np.ndarray, ...]:
        """Returns the raw outputs for the given rows, one array per output."""
        parts = []
        for begin in range(0, len(rows), chunk):
            x = self._batch.rows(rows[begin : begin + chunk])
            # A few calls are cheaper eagerly than the trace of a compiled function.
            self._forwards += 1
            call = self._call if self.eager or self._forwards <= 3 else self._forward
            parts.append([np.asarray(value) for value in tf.nest.flatten(call(x))])
        return tuple(np.concatenate(column).astype("float64", copy=False) for column in zip(*parts, strict=True))

    def forward(self, rows: np.ndarray) -> Any:
        """Calls the model eagerly on the given rows, as in inference."""
        return self._call(self._batch.rows(rows))

    def close(self) -> None:
        """Lets go of the compiled functions and the model."""
        del self._loop, self._forward, self._optimizer.apply
        self._captured.clear()

    def _call(self, x: Any) -> Any:
        return self.model(x, training=False)

    def _other_variables(self) -> list[Any]:
        """Seed generators and the like: variables that are neither weights nor optimizer slots."""
        known = {id(variable) for variable in self.model.weights}
        metrics = {id(variable) for metric in self.model.metrics for variable in metric.variables}
        return [v for v in self.model.variables if id(v) not in known and id(v) not in metrics]

    def _intercept_gradients(self) -> None:
        plain = self._optimizer.apply

        def apply(grads: Any, trainable_variables: Any = None) -> Any:
            grads = list(grads)
            variables = self.model.trainable_variables if trainable_variables is None else list(trainable_variables)
            self._captured = {v.path: g for v, g in zip(variables, grads, strict=True)}
            return plain(grads, trainable_variables)

        self._optimizer.apply = apply

    def _build_losses(self, example: Any) -> None:
        """Keras makes loss trackers at the first loss; inside a compiled loop that would be too late."""
        y = tf.nest.map_structure(lambda tensor: tensor[:1], self._batch.y)
        outputs = self.model(example, training=False)
        weight = None if self._batch.weight is None else self._batch.weight[:1]
        self.model.compute_loss(x=example, y=y, y_pred=outputs, sample_weight=weight)

    def _step(self, order: Any, start: Any, stop: Any) -> Any:
        for metric in self.model.metrics:
            metric.reset_state()
        index = order[start:stop]

        def pick(tensor: Any) -> Any:
            return tf.gather(tensor, index)

        data: tuple[Any, ...] = (
            tf.nest.map_structure(pick, self._batch.x),
            tf.nest.map_structure(pick, self._batch.y),
        )
        if self._batch.weight is not None:
            data = (*data, tf.gather(self._batch.weight, index))
        logs = self.model.train_step(data)
        loss = logs["loss"] if isinstance(logs, dict) and "loss" in logs else np.nan
        return tf.cast(loss, tf.float32)

    def _norms(self) -> Any:
        per_layer = [self._norm(self._captured.get(path)) for path in self._kernels]
        every = [self._norm(gradient) for gradient in self._captured.values()]
        total = tf.sqrt(tf.add_n([norm**2 for norm in every])) if every else tf.constant(0.0)
        return tf.stack([*per_layer, total])

    @staticmethod
    def _norm(gradient: Any) -> Any:
        if gradient is None:
            return tf.constant(0.0)
        value = gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient
        return tf.norm(tf.cast(value, tf.float32))

    def _steps(self, order: Any, starts: Any, stops: Any, probe: Any, rates: Any) -> Any:
        self.traces += 1
        count = tf.shape(starts)[0]
        width = len(self.watched) + 1
        losses = tf.TensorArray(tf.float32, size=count, element_shape=())
        norms = tf.TensorArray(tf.float32, size=count, element_shape=(width,))
        ranged = tf.shape(rates)[0] > 0
        schedule = not isinstance(self._optimizer._learning_rate, keras.Variable)

        def body(i: Any, losses: Any, norms: Any) -> Any:
            if not schedule:
                rate = self._optimizer.learning_rate
                rate.assign(tf.cond(ranged, lambda: rates[i], lambda: tf.convert_to_tensor(rate)))
            loss = self._step(order, starts[i], stops[i])
            norm = tf.cond(probe[i], self._norms, lambda: tf.fill([width], np.float32(np.nan)))
            return i + 1, losses.write(i, loss), norms.write(i, norm)

        _, losses, norms = tf.while_loop(
            lambda i, *_: i < count, body, (tf.constant(0), losses, norms), parallel_iterations=1
        )
        return losses.stack(), norms.stack()

    def _steps_eager(self, order: Any, starts: Any, stops: Any, probe: Any, rates: Any) -> Any:
        losses, norms = [], []
        for i in range(len(starts)):
            if len(rates):
                self._optimizer.learning_rate = float(rates[i])
            losses.append(float(self._step(order, starts[i], stops[i])))
            norms.append(self._norms().numpy() if probe[i] else np.full(len(self.watched) + 1, np.nan))
        return np.array(losses, "float32"), np.array(norms, "float32")


def _in_order(batch: Batch, model: keras.Model, recipe: Recipe) -> Batch:
    """Targets by output name become a list where the model gives a list: a layer put behind an output renames it."""
    names = output_names(recipe)
    if not isinstance(batch.y, dict) or not names or isinstance(getattr(model, "output", None), dict):
        return batch
    return Batch(batch.x, [batch.y[name] for name in names], batch.weight)
