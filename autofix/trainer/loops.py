"""Loops over batches held in memory, compiled: once for any length, and by XLA where that pays."""

from __future__ import annotations

import logging
import time
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from autofix.trainer.release import Registered
from autofix.trainer.step import Step

logger = logging.getLogger(__name__)

# Rows in order, where batches begin and end, which steps are probed, learning rates: one trace for all lengths.
SIGNATURE = [tf.TensorSpec([None], dtype) for dtype in (tf.int32, tf.int32, tf.int32, tf.bool, tf.float32)]
# Steps that one call of an XLA loop can take: its shapes are fixed. Shorter calls cost no more per step.
XLA_STEPS = 512
# Fewer full batches in a row than this are left to the plain loop: an XLA call costs some milliseconds by itself.
XLA_LEAST = 16
# Calls after which it is clear whether XLA is faster here: the first ones still set things up, and what a call costs by
# itself, about 0.5 ms, hides the pace of a short one.
XLA_TRIED, XLA_TIMED = 3, 64
# What XLA's compilation takes, in times of the plain loop's trace, until one was compiled: 1.1 to 2.5 for the models
# of the step benchmark, the deeper the more.
XLA_TRACES = 2.0
# Share of a step's time that XLA saves, at least, on models without convolutions: 0.4 to 0.75 in the same benchmark.
XLA_SAVES = 0.4
# On a CPU, XLA's convolutions are 10 to 20 times slower than TensorFlow's own.
CONVOLUTIONS = ("Conv", "DepthwiseConv", "SeparableConv")


def keeping_rates(steps: int) -> np.ndarray:
    """Returns learning rates that leave the optimizer's own in force, float array [steps]."""
    return np.full(steps, np.nan, "float32")


class Loop:
    """What both loops share: the body of one step with its bookkeeping."""

    def __init__(self, step: Step) -> None:
        self.step = step
        self.traces = 0
        self.registered = Registered()

    def over(self, steps: Any, count: int | Any, pick: Any, rates: Any, *read: tuple[Any, int]) -> Any:
        """Builds the loop: `steps` steps on the rows that `pick(i)` gives.

        Args:
            steps: Steps to make.
            count: Steps to make room for.
            pick: Returns the row numbers of step i.
            rates: Learning rate of each step, NaN to keep the optimizer's.
            read: What else to read after each step: a function of i, and how many values it returns.

        Returns:
            The losses, float tensor [count], and for each of `read` a float tensor [count, values].
        """
        self.traces += 1
        losses = tf.TensorArray(tf.float32, size=count, element_shape=())
        others = [tf.TensorArray(tf.float32, size=count, element_shape=(width,)) for _, width in read]
        optimizer = self.step.model.optimizer
        inner = getattr(optimizer, "inner_optimizer", optimizer)
        schedule = not isinstance(inner._learning_rate, keras.Variable)

        def body(i: Any, losses: Any, *others: Any) -> Any:
            if not schedule:
                own = tf.convert_to_tensor(optimizer.learning_rate)
                wanted = tf.cast(rates[i], own.dtype)
                optimizer.learning_rate.assign(tf.where(tf.math.is_nan(wanted), own, wanted))
            losses = losses.write(i, self.step(pick(i)))
            values = [other.write(i, reads(i)) for (reads, _), other in zip(read, others, strict=True)]
            return i + 1, losses, *values

        found = tf.while_loop(lambda i, *_: i < steps, body, (tf.constant(0), losses, *others), parallel_iterations=1)
        return tuple(array.stack() for array in found[1:])


class PlainLoop(Loop):
    """One compiled function for calls and batches of any length; step by step in Python where that fails.

    Args:
        step: What to run.
        eager: Whether not to compile.
    """

    def __init__(self, step: Step, *, eager: bool = False) -> None:
        super().__init__(step)
        self.eager = eager
        self.reason: str | None = "run_eagerly=True" if eager else None
        self.tracing = 0.0
        self.pace: float | None = None
        self._call = tf.function(self._steps, input_signature=SIGNATURE, autograph=False)
        # TensorFlow counts traces by code and takes several programs for one that is traced over and over. There is
        # no public switch for its warning.
        self._call._omit_frequent_tracing_warning = True

    def run(
        self, order: np.ndarray, starts: np.ndarray, stops: np.ndarray, probe: np.ndarray, rates: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Trains on `order[starts[i]:stops[i]]`, one step each; returns losses and gradient norms."""
        # A few steps of a long order: only their rows are handed over.
        first, last = int(starts[0]), int(stops[-1])
        given = (order[first:last], starts - first, stops - first, probe, rates)
        args = tuple(
            tf.convert_to_tensor(np.asarray(value, spec.dtype.as_numpy_dtype))
            for value, spec in zip(given, SIGNATURE, strict=True)
        )
        if self.eager:
            return self._in_python(*args)
        traces, began = self.traces, time.monotonic()
        try:
            if self.traces:
                losses, norms = self._call(*args)
            else:
                with self.registered.noted():
                    losses, norms = self._call(*args)
        except tf.errors.OpError:
            raise
        except Exception as error:
            # A `train_step` that only Python can run; an error of its own comes again there.
            logger.debug("the train step does not compile", exc_info=True)
            self.eager = True
            self.reason = f"the train step does not compile ({type(error).__name__})"
            return self._in_python(*args)
        took = time.monotonic() - began
        if self.traces > traces:
            self.tracing += took
        else:
            pace = took / len(starts)
            self.pace = pace if self.pace is None else min(self.pace, pace)
        return losses.numpy(), norms.numpy()

    def close(self) -> None:
        """Lets go of the compiled function."""
        del self._call
        self.registered.release()

    def _steps(self, order: Any, starts: Any, stops: Any, probe: Any, rates: Any) -> Any:
        count, width = tf.shape(starts)[0], self.step.width

        def norms(i: Any) -> Any:
            unread = tf.fill([width], np.float32(np.nan))
            return tf.cond(probe[i], self.step.norms, lambda: unread) if self.step.probed else unread

        return self.over(count, count, lambda i: order[starts[i] : stops[i]], rates, (norms, width))

    def _in_python(self, order: Any, starts: Any, stops: Any, probe: Any, rates: Any) -> tuple[np.ndarray, np.ndarray]:
        losses, norms = [], []
        for i in range(len(starts)):
            if not np.isnan(rates[i]):
                self.step.model.optimizer.learning_rate = float(rates[i])
            losses.append(float(self.step(order[starts[i] : stops[i]])))
            norms.append(self.step.norms().numpy() if probe[i] else np.full(self.step.width, np.nan))
        return np.array(losses, "float32"), np.array(norms, "float32")


class XlaLoop(Loop):
    """A loop over full batches of one size, compiled by XLA, that reads no gradients.

    To hand gradients on, even to a branch that is seldom taken, XLA has to put them into memory and cannot compute them
    where they are used: that made each step of the models of the step benchmark 3 to 22 % slower.

    Args:
        step: What to run.
        batch: Rows a step.
    """

    def __init__(self, step: Step, batch: int) -> None:
        super().__init__(step)
        self.batch = batch
        self.calls = self.timed = 0
        self.pace: float | None = None
        began = time.monotonic()
        self._call = tf.function(
            self._steps,
            jit_compile=True,
            autograph=False,
            input_signature=[
                tf.TensorSpec([XLA_STEPS, batch], tf.int32),
                tf.TensorSpec([], tf.int32),
                tf.TensorSpec([XLA_STEPS], tf.float32),
            ],
        )
        self._call._omit_frequent_tracing_warning = True
        nothing = np.zeros((XLA_STEPS, batch), "int32")
        with self.registered.noted():
            self._call(nothing, 0, keeping_rates(XLA_STEPS))
        self.seconds = time.monotonic() - began

    def run(self, index: np.ndarray, rates: np.ndarray) -> np.ndarray:
        """Trains on full batches.

        Args:
            index: int array [steps, batch]: row numbers.
            rates: float array [steps]: learning rates, NaN to keep the optimizer's.

        Returns:
            Losses, float array [steps].
        """
        losses = []
        for begin in range(0, len(index), XLA_STEPS):
            part = slice(begin, begin + XLA_STEPS)
            steps = len(index[part])
            began = time.monotonic()
            (loss,) = self._call(
                _padded(index[part].astype("int32")), np.int32(steps), _padded(rates[part].astype("float32"))
            )
            losses.append(loss.numpy()[:steps])
            pace = (time.monotonic() - began) / steps
            self.calls += 1
            if steps >= XLA_TIMED:
                self.timed += 1
                self.pace = pace if self.pace is None else min(self.pace, pace)
        return np.concatenate(losses)

    def close(self) -> None:
        """Lets go of the compiled function."""
        del self._call
        self.registered.release()

    def _steps(self, index: Any, steps: Any, rates: Any) -> Any:
        return self.over(steps, XLA_STEPS, lambda i: index[i], rates)


def xla_loses(model: keras.Model) -> str | None:
    """Returns why XLA would be slower than TensorFlow's own kernels for this model, None if it may pay."""
    if tf.config.list_logical_devices("GPU"):
        return None
    kinds = {type(layer).__name__ for layer in model._flatten_layers(include_self=False)}
    slow = sorted(kind for kind in kinds if kind.startswith(CONVOLUTIONS))
    return f"XLA is slow at {slow[0]} on a CPU" if slow else None


def _padded(array: np.ndarray) -> np.ndarray:
    if len(array) == XLA_STEPS:
        return array
    return np.concatenate([array, np.zeros((XLA_STEPS - len(array), *array.shape[1:]), array.dtype)])
