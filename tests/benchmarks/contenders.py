"""What trains a model, each in its own way, and says what a step took."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from autofix.recipe import Recipe
from autofix.trainer.feed import Batch, as_tensor
from autofix.trainer.program import Program

from .models import BATCH, Model

# Steps of an epoch: every epoch of `fit` begins with starting its input pipeline, which its users pay too.
EPOCH = 96
# Steps in one call of a `fit` that is made as fast as Keras makes it.
EXECUTION = 32
# Steps of an epoch that are left out where steps alone are timed.
SKIPPED = 8
# A measurement lasts about this long: long against the clock and a call's own costs, short against the noise.
SECONDS = 0.25
# Some epochs of `fit` begin with a wait of 0.1 s for the input pipeline of the one before, so it is given more of them.
FIT_SECONDS = 1.0
MOST_EPOCHS = 20
# Steps that are promised to the product's engine, which compiles with XLA only for long runs.
LONG = 100_000
# Calls until the engine runs as it will: the plain loop is traced, then timed, then XLA compiles.
WARM_UP = 3
# Steps done before a run, as far as an engine is told that is not to read gradients.
UNREAD = 500_000


class Clock(keras.callbacks.Callback):
    """Notes when epochs and steps end.

    Keras runs callbacks that call themselves safe beside the steps, as it does where there are none, so that the
    clock does not slow down what it times.
    """

    async_safe = True

    def __init__(self) -> None:
        super().__init__()
        self.epochs: list[float] = []
        self._steps: list[tuple[int, float]] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Forget the steps of the epoch before."""
        self._steps = []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Note the time."""
        self._steps.append((batch, time.perf_counter()))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Note the time."""
        self.epochs.append(time.perf_counter())

    @property
    def alone(self) -> float:
        """Seconds of a step in the last epoch once its first ones are over."""
        begun = min(sum(step < SKIPPED for step, _ in self._steps), len(self._steps) - 2)
        (first, began), (last, ended) = self._steps[begun], self._steps[-1]
        return (ended - began) / (last - first)


class Fit:
    """Plain `model.fit`.

    Args:
        model: What to train.
        xla: Whether to compile with XLA and run several steps in one call.
        callbacks: Makes the callbacks besides the clock, anew for each call of `fit`.
        endless: Whether to feed one endless dataset, whose epochs begin without a new input pipeline: less noise.
        seconds: How long to time.
    """

    def __init__(
        self,
        model: Model,
        *,
        xla: bool = False,
        callbacks: Callable[[], Sequence[Any]] = tuple,
        endless: bool = False,
        seconds: float = FIT_SECONDS,
    ) -> None:
        self._callbacks = callbacks
        self._network = model.build()
        if xla:
            loss, metrics = self._network.loss, ["accuracy"]
            optimizer = type(self._network.optimizer)()
            self._network.compile(optimizer, loss, metrics=metrics, jit_compile=True, steps_per_execution=EXECUTION)
        x, y = model.data(EPOCH * BATCH)
        self._data: dict[str, Any] = {"x": x, "y": y, "batch_size": BATCH}
        if endless:
            rows = tf.data.Dataset.from_tensor_slices((tuple(x) if isinstance(x, list) else x, y))
            self._data = {
                "x": rows.batch(BATCH).cache().repeat().prefetch(2),
                "steps_per_epoch": EPOCH,
                "shuffle": False,
            }
        self._epochs = 1
        self.alone: list[float] = []
        self.seconds()
        self._epochs = epochs_for(EPOCH * self.seconds(), seconds)

    def seconds(self) -> float:
        """Train for some epochs and time all but the first; returns seconds a step, and notes those of steps alone."""
        clock = Clock()
        callbacks = [clock, *self._callbacks()]
        self._network.fit(**self._data, epochs=self._epochs + 1, verbose=0, callbacks=callbacks)
        self.alone.append(clock.alone)
        return (clock.epochs[-1] - clock.epochs[0]) / (self._epochs * EPOCH)

    def close(self) -> None:
        """Let go of the model."""
        del self._network


class Fused:
    """The product's engine.

    Args:
        model: What to train.
        seconds: How long to time.
    """

    def __init__(self, model: Model, *, seconds: float = SECONDS) -> None:
        self.program = Program(recipe_of(model), batch_of(model, EPOCH * BATCH))
        self._rng = np.random.default_rng(0)
        self._done = 0
        self._steps = 5 * EPOCH
        for _ in range(WARM_UP):
            self.seconds()
        self._steps = EPOCH * epochs_for(EPOCH * self.seconds(), seconds)

    def seconds(self) -> float:
        """Train for some steps; returns seconds a step."""
        began = time.perf_counter()
        epochs = -(-self._steps // EPOCH)
        order = np.concatenate([self._rng.permutation(EPOCH * BATCH) for _ in range(epochs)])
        starts = np.arange(self._steps) * BATCH
        self.program.run(order, starts, starts + BATCH, self._done, ahead=LONG)
        self._done += self._steps
        return (time.perf_counter() - began) / self._steps

    def close(self) -> None:
        """Let go of the compiled functions."""
        self.program.close()


class FusedRun:
    """Whole runs by the product's engine.

    Args:
        program: What trains.
        steps: Steps of a run.
        reads: Whether gradients are read as the product reads them; without, the faster loop makes every step.
    """

    def __init__(self, program: Program, steps: int, *, reads: bool) -> None:
        self.program, self._steps = program, steps
        # Far beyond the steps that are left to the loop that reads gradients, none is.
        self._first = 0 if reads else UNREAD

    @classmethod
    def both(cls, model: Model, seconds: float, most: int) -> tuple[FusedRun, FusedRun]:
        """Return runs of one program without and with reading; two programs differ by where they lie in memory.

        Args:
            model: What to train.
            seconds: How long a run takes, at most.
            most: Steps of a run, at most.
        """
        program = Program(recipe_of(model), batch_of(model, EPOCH * BATCH))
        trial = cls(program, 5 * EPOCH, reads=False)
        for _ in range(WARM_UP):
            trial.seconds()
        steps = min(most, round(seconds / trial.seconds()))
        return cls(program, steps, reads=False), cls(program, steps, reads=True)

    def seconds(self) -> float:
        """Make one run; returns seconds a step."""
        order = np.random.default_rng(0).permutation(EPOCH * BATCH)
        order, starts = np.resize(order, self._steps * BATCH), np.arange(self._steps) * BATCH
        began = time.perf_counter()
        self.program.run(order, starts, starts + BATCH, self._first, ahead=LONG)
        return (time.perf_counter() - began) / self._steps

    def close(self) -> None:
        """Let go of the compiled functions: the reading one of two runs does, the other one shares them."""
        if self._first == 0:
            self.program.close()


def epochs_for(seconds: float, wanted: float = SECONDS) -> int:
    """Return how many epochs to time, given what one takes."""
    return max(1, min(MOST_EPOCHS, round(wanted / seconds)))


def recipe_of(model: Model) -> Recipe:
    """Return the recipe of a model."""
    return Recipe.of(model.build(), fit={"batch_size": BATCH, "epochs": 1})


def batch_of(model: Model, rows: int) -> Batch:
    """Return a model's data as tensors."""
    x, y = model.data(rows)
    return Batch(tf.nest.map_structure(as_tensor, x), as_tensor(y), None)


def first_fit(model: Model, steps: int) -> float:
    """Seconds of building a model and training it for the first time."""
    x, y = model.data(steps * BATCH)
    began = time.perf_counter()
    model.build().fit(x, y, batch_size=BATCH, epochs=1, verbose=0)
    return time.perf_counter() - began


def first_fused(model: Model, steps: int) -> float:
    """The same with the product's engine, which builds its own clone."""
    recipe, batch = recipe_of(model), batch_of(model, steps * BATCH)
    order, starts = np.random.default_rng(0).permutation(steps * BATCH), np.arange(steps) * BATCH
    began = time.perf_counter()
    program = Program(recipe, batch)
    program.run(order, starts, starts + BATCH, 0, ahead=steps)
    took = time.perf_counter() - began
    program.close()
    return took
