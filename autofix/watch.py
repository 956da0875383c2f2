"""`Watch`: a Keras callback that says what is wrong with a run while it is running."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import keras

from autofix.errors import FixYourCall
from autofix.frozen import EMPTY, FrozenDict
from autofix.live.arguments import arguments_of_fit, as_data, as_validation_data
from autofix.live.judging import STALLED
from autofix.live.losses import BatchLosses
from autofix.live.reference import check_data
from autofix.live.run import Run
from autofix.recipe import Recipe
from autofix.symptom import Diagnosis
from autofix.trace import Trace

logger = logging.getLogger(__name__)


class Watch(keras.callbacks.Callback):  # type: ignore[misc]
    """Watches a `fit`, says what stalls it, and changes nothing in it.

    Every step it looks at the loss. On a schedule that takes a few percent of the time (at steps 1, 5, 10, 20, then
    ever more rarely, and at the ends of epochs) it looks at the model on at most 256 fixed rows: layer outputs,
    gradients, weights, predictions. Each finding is told once, as a warning of the logger `"autofix"`.

    A loss that is NaN is told at the step at which it becomes so; vanishing and exploding gradients, dead and saturated
    units within 20 steps; a loss that stays where it began after 100 steps, or an epoch of at least 50.

    Args:
        data: Where the rows come from that the model is looked at on: training data in any form that `autofix.repair`
            takes. Left out, they are taken from the arrays that `fit` was given; where it was given a dataset or a
            generator there are none, and only losses and weights are watched. A `tf.data.Dataset` that shuffles counts
            how often it is read: giving it here moves the order of the training on. Give a few batches of it as arrays
            where the order must stay the same.
        stop: Whether a finding that proves that the run is stalled ends it.
        every: Steps between looks, whatever they cost; None leaves it to the schedule.
        log: Whether findings are logged.

    Raises:
        FixYourCall: If an argument is wrong.

    Example:
        >>> watch = autofix.Watch()
        >>> model.fit(x, y, epochs=20, callbacks=[watch])
        >>> watch.diagnosis
    """

    def __init__(self, data: Any = None, *, stop: bool = False, every: int | None = None, log: bool = True) -> None:
        super().__init__()
        whole = isinstance(every, int) and not isinstance(every, bool)
        if every is not None and not (whole and every >= 1):
            raise FixYourCall(
                f"`every` must be a whole number of at least 1, or None. Received: every={every!r}. "
                "Leave it out to let the schedule decide."
            )
        check_data(data)
        self._data, self._stop, self._every, self._log = data, bool(stop), every, bool(log)
        self._run: Run | None = None
        self._losses: BatchLosses | None = None
        self._failed, self._looked = False, True
        self._idle()

    @property
    def diagnosis(self) -> tuple[Diagnosis, ...]:
        """What is wrong with the run, or with the last one: the surest and most severe first."""
        return self._run.diagnosis if self._run else ()

    @property
    def trace(self) -> Trace | None:
        """What was seen of the run, or of the last one; None before the first."""
        return self._run.record.trace() if self._run else None

    @property
    def recipe(self) -> Recipe | None:
        """The program that was watched, as it was when the run began; None before that."""
        return self._run.recipe if self._run else None

    @property
    def fit_settings(self) -> FrozenDict:
        """Settings of the watched `fit`: `epochs`, `batch_size`, `class_weight`, as far as they are known."""
        return FrozenDict(self._run.fit) if self._run else EMPTY

    @property
    def fresh(self) -> bool:
        """Whether the model had no training behind it when the run began."""
        return self._run is not None and self._run.fresh

    @property
    def ended_at(self) -> int | None:
        """Steps that the optimizer had done in all when the run ended; None before that."""
        return self._run.ended_at if self._run else None

    def on_train_begin(self, logs: Any = None) -> None:
        """Begins a new run."""
        self._guarded(self._begin)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Begins an epoch."""
        if self._losses is not None:
            self._losses.restart()
        self._in_epoch = 0

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Looks at the model before its first step."""
        # Not at the beginning of `fit`: other callbacks may still restore weights there.
        if not self._looked:
            self._looked = True
            self._guarded(lambda: self._active.begin())

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Takes in the loss of a step, and looks at the model when a look is due."""
        # Runs after every step and costs some microseconds: everything else waits until it is due.
        if self._losses is None:
            return
        self._in_epoch = batch + 1
        step = self._done + batch + 1
        loss = self._losses.take(logs, is_last=self._in_epoch >= self._steps > 0)
        broke = loss is not None and self._active.record.curve.add(loss)
        if broke or step >= self._active.schedule.due:
            self._guarded(lambda: self._act(step, broke=broke))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Looks at the model if there is time."""
        self._guarded(self._end_epoch)

    def on_train_end(self, logs: Any = None) -> None:
        """Judges the run as a whole."""
        self._guarded(self._finish)
        self._idle()

    def _idle(self) -> None:
        self._losses = None
        self._looked = True
        self._steps, self._in_epoch, self._done = 0, 0, 0

    @property
    def _active(self) -> Run:
        assert self._run is not None
        return self._run

    def _begin(self) -> None:
        self._failed = False
        self._idle()
        self._run = None
        model, params = self.model, self.params or {}
        arguments = arguments_of_fit(model)
        self._run = Run(
            model,
            model.optimizer,
            _settings(arguments, params),
            as_data(arguments) if self._data is None else self._data,
            as_validation_data(arguments),
            every=self._every,
            log=self._log,
        )
        self._run.record.per_execution = int(getattr(model, "steps_per_execution", 1) or 1)
        self._steps = self._run.record.steps_per_epoch = int(params.get("steps") or 0)
        self._losses = BatchLosses(model)
        self._looked = False

    def _act(self, step: int, *, broke: bool) -> None:
        run = self._active
        self._note_progress()
        self._heed(run.broke(step) if broke else run.due(step))

    def _note_progress(self) -> None:
        run, record = self._active, self._active.record
        if self._losses is not None and self._losses.rows > 0 and not run.rows:
            run.feeds(max(1, round(self._losses.rows / record.per_execution)))
        if self._steps:
            record.epochs = (self._done + self._in_epoch) / self._steps

    def _end_epoch(self) -> None:
        if self._losses is None:
            return
        run = self._active
        self._done += self._in_epoch
        self._steps = self._steps or self._in_epoch
        self._in_epoch = 0
        run.record.steps_per_epoch = self._steps
        self._note_progress()
        self._heed(run.epoch(self._done))

    def _finish(self) -> None:
        if self._losses is None:
            return
        run = self._active
        if self._losses.blurred:
            run.record.note("losses of an epoch that began a million times higher: its mean rounds them away")
        if not run.record.curve.entries:
            run.record.note("losses, because `train_step` reports none")
        run.end(self._done)

    def _heed(self, news: tuple[Diagnosis, ...]) -> None:
        if self._stop and any(item.severity >= STALLED for item in news):
            self.model.stop_training = True

    def _guarded(self, act: Any) -> None:
        """Carries something out; an error in it ends the watching, never the training."""
        if self._failed:
            return
        try:
            act()
        except Exception:
            self._failed = True
            self._idle()
            logger.warning("autofix: the run is no longer watched because of an error of autofix", exc_info=True)


def _settings(arguments: Mapping[str, Any], params: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the settings of `fit` as a recipe writes them."""
    epochs = int(params.get("epochs") or 0) - int(arguments.get("initial_epoch") or 0)
    found: dict[str, Any] = {"epochs": max(1, epochs)}
    if isinstance(arguments.get("batch_size"), int):
        found["batch_size"] = arguments["batch_size"]
    if isinstance(arguments.get("class_weight"), Mapping):
        found["class_weight"] = {str(key): float(value) for key, value in arguments["class_weight"].items()}
    if arguments.get("shuffle") is False:
        found["shuffle"] = False
    return found
