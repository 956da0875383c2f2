"""One contender's race against the clock: its time, its candidates, and the best model at any time.

All peers are treated alike. 20 % of the author's rows are held out, by class where there are classes. After every epoch
of every training these rows are scored by the suite's scorer, and the best epoch of the best training so far is what
the user would have in hand: its score on the test rows goes into the curve, with the clock stopped. Models are
compiled without metrics and scored in one compiled call, which is the fastest way Keras has to do this.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from sklearn.model_selection import train_test_split

from tests.quality.scoring import floor, score

from .peer_curve import Point
from .peer_program import Program, Settings

VALIDATION_SHARE = 0.2
# Rows in one call of a model when it is scored; larger data would not fit into memory at once.
SCORING_ROWS = 2048
# A user who sees every trial crash stops looking; trials that crash also leak memory.
MOST_CRASHES = 30
# Enough to tell a fault of the program from one of this code.
MOST_MESSAGES = 5


class Stopwatch:
    """Seconds since the start, pauses left out."""

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self._started = now()

    @property
    def seconds(self) -> float:
        """Seconds so far."""
        return self._now() - self._started

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Time in here does not count."""
        stopped = self._now()
        try:
            yield
        finally:
            self._started += self._now() - stopped


@dataclass(frozen=True)
class Parts:
    """The rows to fit on, the ones held out from the author's part, and the test rows."""

    fit: tuple[Any, np.ndarray]
    validation: tuple[Any, np.ndarray]
    test: tuple[Any, np.ndarray]

    @classmethod
    def split(cls, task: str, train: tuple[Any, Any], test: tuple[Any, Any], seed: int) -> Parts:
        """Hold out a share of the author's part."""
        (x, y), test = _plain(train), _plain(test)
        labels = y.argmax(axis=1) if y.ndim == 2 and y.shape[1] > 1 else y.reshape(len(y), -1)[:, 0]
        classes = task in ("binary", "multiclass") and np.unique(labels, return_counts=True)[1].min() > 1
        kept, held = train_test_split(
            np.arange(len(y)), test_size=VALIDATION_SHARE, stratify=labels if classes else None, random_state=seed
        )
        return cls((_rows(x, kept), y[kept]), (_rows(x, held), y[held]), test)


def _plain(part: tuple[Any, Any]) -> tuple[Any, np.ndarray]:
    x, y = part
    return keras.tree.map_structure(_array, x), np.asarray(y)


def _rows(x: Any, rows: np.ndarray | slice) -> Any:
    return keras.tree.map_structure(lambda part: part[rows], x)


def _array(x: Any) -> np.ndarray:
    values: np.ndarray = np.asarray(x)
    return values.astype("float32") if values.dtype.kind == "f" else values


@dataclass(frozen=True)
class Epoch:
    """What is known after an epoch; `number` counts from 0, `finite` says whether the outputs are."""

    model: keras.Model
    number: int
    loss: float
    score: float
    finite: bool = True


@dataclass(frozen=True)
class Trial:
    """How a training went: its best score on the validation rows, and what it took."""

    score: float
    epochs: int = 0
    first_epoch_seconds: float = 0.0
    seconds: float = 0.0
    crashed: bool = False


@dataclass
class Race:
    """The state of one contender's run.

    Attributes:
        task: Kind of problem, as the scorer names it.
        parts: The rows.
        seed: Seed of everything drawn.
        seconds: Time that may be used.
        clock: The time used.
        curve: The best candidates, as they came.
        trials: Trainings begun.
        crashes: Trainings that ended in an error.
        messages: What the first of those said.
    """

    task: str
    parts: Parts
    seed: int
    seconds: float
    clock: Stopwatch = field(default_factory=Stopwatch)
    curve: list[Point] = field(default_factory=list)
    trials: int = 0
    crashes: int = 0
    messages: list[str] = field(default_factory=list)

    @property
    def over(self) -> bool:
        """Whether to begin nothing more."""
        hopeless = self.crashes >= MOST_CRASHES and self.crashes == self.trials
        return hopeless or self.clock.seconds >= self.seconds

    @property
    def floor(self) -> float:
        """The score of a training that gives nothing."""
        return floor(self.task, self.parts.validation[1])

    def judge(self, model: keras.Model) -> tuple[float, bool]:
        """Score the validation rows, and say whether the outputs are finite; the best so far goes into the curve."""
        outputs = predict(model, self.parts.validation[0])
        value = score(self.task, self.parts.validation[1], outputs)
        seconds = self.clock.seconds
        if seconds <= self.seconds and (not self.curve or value > self.curve[-1].validation):
            with self.clock.paused():
                tested = score(self.task, self.parts.test[1], predict(model, self.parts.test[0]))
            self.curve.append(Point(seconds, value, tested))
        return value, bool(np.isfinite(outputs).all())

    def start(self) -> None:
        """Begin a training: what the last one left is forgotten and the seed is its own."""
        keras.utils.clear_session(free_memory=False)
        keras.utils.set_random_seed(self.seed * 10_000 + self.trials)
        self.trials += 1

    def crash(self, error: Exception) -> None:
        """Take down a training that died, and of what."""
        self.crashes += 1
        said = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        if said not in self.messages and len(self.messages) < MOST_MESSAGES:
            self.messages.append(said)

    def train(
        self,
        program: Program,
        settings: Settings,
        stop: Callable[[Epoch], bool] | None = None,
        callbacks: Sequence[keras.callbacks.Callback] = (),
    ) -> Trial:
        """Train one candidate; a training that dies counts as the floor.

        Args:
            program: The author's program.
            settings: What is different.
            stop: Asked after every epoch whether that was enough.
            callbacks: Further callbacks of `fit`.
        """
        self.start()
        started = self.clock.seconds
        watch = Watch(self, stop)
        try:
            model = program.build(settings)
            model.fit(
                *self.parts.fit,
                epochs=settings.epochs or program.epochs,
                batch_size=settings.batch_size or program.batch_size,
                callbacks=[watch, *callbacks],
                verbose=0,
                **program.fit,
            )
        except Exception as error:  # whatever a combination of settings makes Keras raise
            self.crash(error)
            return Trial(self.floor, crashed=True)
        return Trial(watch.best, watch.epochs, watch.first - started, self.clock.seconds - started)


class Watch(keras.callbacks.Callback):
    """Scores a model after every epoch and stops it when the time is up, its weights are NaN, or on request."""

    def __init__(self, race: Race, stop: Callable[[Epoch], bool] | None = None) -> None:
        super().__init__()
        self.race = race
        self.stop = stop
        self.best = race.floor
        self.epochs = 0
        self.first = 0.0

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Judge the model; later callbacks find the score among the logs."""
        value, finite = self.race.judge(self.model)
        self.best = max(self.best, value)
        self.epochs += 1
        self.first = self.first or self.race.clock.seconds
        logs = {} if logs is None else logs
        logs["val_score"] = value
        seen = Epoch(self.model, epoch, float(logs.get("loss", np.nan)), value, finite)
        enough = self.stop is not None and self.stop(seen)
        if enough or not finite or self.race.over:
            self.model.stop_training = True


def predict(model: keras.Model, x: Any) -> np.ndarray:
    """The outputs for some rows, float array [rows, units]."""
    rows = len(keras.tree.flatten(x)[0])
    chunks = [
        np.asarray(model.predict_on_batch(_rows(x, slice(start, start + SCORING_ROWS))))
        for start in range(0, rows, SCORING_ROWS)
    ]
    return np.concatenate(chunks)
