"""One run that somebody else drives: looked at now and then, recorded, judged, told of."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from autofix.errors import one_line
from autofix.live.arguments import everything
from autofix.live.judging import SETTLED, Judge, lines
from autofix.live.program import Program, program_of
from autofix.live.reader import Reading, kernels_of
from autofix.live.record import Record
from autofix.live.schedule import LAST_SHARE, Schedule
from autofix.live.sight import Given, Scored, Sight
from autofix.recipe import Recipe
from autofix.symptom import Diagnosis
from autofix.trainer.leaves import leaves
from autofix.trainer.start import is_pretrained

logger = logging.getLogger(__name__)
# Told by the name that users configure, whichever file finds it.
teller = logging.getLogger("autofix")

# Failed readings after which nothing more is tried.
MOST_FAILURES = 3
# Share of a run's steps after which its score is out of date: a run may well have begun to learn since.
STALE = 0.1
# Growth of the learning rate between two judgements that is a warm-up.
RISING = 1.05


class Run:
    """What `Watch` and `Monitor` have in common. Nothing in here raises: a probe that fails is noted as not measured.

    Args:
        model: The user's model.
        optimizer: What trains it.
        fit: Settings of `fit` that are known.
        data: Where the reference rows come from; None where there is nothing to take them from.
        validation: Validation data; None for none.
        every: See `Schedule`.
        log: Whether findings are logged.

    Attributes:
        fit: Settings of `fit` that are known by now.
        schedule: When to look.
        record: What was seen.
        diagnosis: What is wrong, as judged last.
        rows: Training rows in an epoch; 0 while unknown.
        fresh: Whether the model had no training behind it when the run began.
        ended_at: Steps that the optimizer had done in all when the run ended; None until then.
    """

    def __init__(
        self,
        model: Any,
        optimizer: Any,
        fit: Mapping[str, Any],
        data: Any,
        validation: Any,
        *,
        every: int | None,
        log: bool,
    ) -> None:
        self.fit, self.schedule = dict(fit), Schedule(every)
        self.record = Record(planned_epochs=int(fit.get("epochs", 0)))
        self.diagnosis: tuple[Diagnosis, ...] = ()
        self.rows = 0
        self.fresh = True
        self.ended_at: int | None = None
        self._model, self._optimizer = model, optimizer
        self._data, self._validation, self._log = data, validation, log
        self._began = time.perf_counter()
        self._judge = Judge()
        self._program: Program | None = None
        self._sight: Sight | None = None
        self._fresh, self._opened, self._settled = True, False, False
        self._scored: tuple[int, Scored] | None = None
        self._failures = 0
        self._rate = 0.0

    @property
    def recipe(self) -> Recipe | None:
        """The program as it was when the run began; None while the model is not built."""
        return self._program.recipe if self._program else None

    @property
    def sight(self) -> Sight | None:
        """What looks at the model; None while it is not built, or where it cannot be read."""
        self._prepare()
        return self._sight

    def begin(self) -> None:
        """Looks at the model before its first step; one that is not built yet is looked at after it.

        The first step of a fresh model takes as long as hundreds of others, since it is traced: there is time for
        everything. A model that goes on training is ready at once, so that only its weights are noted.
        """
        self._fresh = not self._measured("the steps done before", lambda: int(np.asarray(self._optimizer.iterations)))
        self.fresh = self._fresh and not self._measured("earlier training", lambda: is_pretrained(self._model))
        if not self._model.built:
            return
        self._measured("the learning rate", self._note_size)
        if self._fresh:
            self._look(0, None)
        else:
            with self.schedule.timed():
                self._note_weights(0)

    def due(self, step: int, gradients: Given | None = None) -> tuple[Diagnosis, ...]:
        """Looks at the model at a step at which that is due, if it can be afforded; else judges its losses once.

        Args:
            step: Training steps done.
            gradients: Reads the gradients of the step; None computes those of the reference rows.

        Returns:
            The findings that are news.
        """
        self._at(step)
        planned = 0 if self._fresh else self.record.steps_per_epoch * self.record.planned_epochs
        if self.schedule.grants(step, planned):
            return self._seen(step, gradients)
        if step >= SETTLED and not self._settled:
            self._settled = True
            with self.schedule.timed():
                return self._tell()
        return ()

    def broke(self, step: int, gradients: Given | None = None) -> tuple[Diagnosis, ...]:
        """Looks for where a loss that is not finite came from; returns what is news."""
        self._at(step)
        with self.schedule.timed():
            self._look(step, gradients)
            self.record.origin = self._measured("the origin of the NaN", self._origin)
            return self._tell()

    def epoch(self, step: int) -> tuple[Diagnosis, ...]:
        """Looks at the model at the end of an epoch, if it can be afforded; returns what is news."""
        self._at(step)
        if not self.schedule.affords(step):
            return ()
        return self._seen(step, None, is_epoch=True)

    def end(self, step: int) -> tuple[Diagnosis, ...]:
        """Judges the run as a whole, of a fresh model as it ends; returns what is news. Lets go of model and data."""
        self._at(step)
        with self.schedule.timed():
            if self._fresh or self.schedule.affords(step, LAST_SHARE):
                self._look(step, None)
                self._validate(step)
            else:
                self._note_weights(step)
            news = self._tell(is_end=True)
        self.ended_at = self._measured("the steps done", lambda: int(np.asarray(self._optimizer.iterations)))
        self._model = self._optimizer = self._data = self._validation = self._sight = None
        return news

    def judge(self, step: int) -> tuple[Diagnosis, ...]:
        """Judges what was seen up to a step; returns what is news."""
        self._at(step)
        with self.schedule.timed():
            return self._tell()

    def feeds(self, batch_size: int) -> None:
        """Takes in the rows of a batch, which not every `fit` is told."""
        self.fit["batch_size"] = batch_size
        self.rows = self.record.steps_per_epoch * batch_size
        if self._program is not None:
            self._program = self._program.with_batches(batch_size)

    def _at(self, step: int) -> None:
        self.record.steps = step
        self.record.seconds = time.perf_counter() - self._began

    def _note_size(self) -> None:
        weights = self._model.trainable_weights
        self.record.trainable = int(sum(np.prod(weight.shape) for weight in weights))
        self.record.learning_rate = self._rate = self._rate_now()

    def _rate_now(self) -> float:
        return float(np.asarray(self._optimizer.learning_rate))

    def _note_weights(self, step: int) -> None:
        if self._model.built:
            kernels = self._measured("the weights", lambda: kernels_of(leaves(self._model)))
            self.record.take(Reading(step, kernels or {}))

    def _known(self) -> Program | None:
        if self._program is None and self._model.built:
            self._program, unseen = program_of(self._model, self.fit, self._optimizer)
            for sentence in unseen:
                self.record.note(sentence)
        return self._program

    def _prepare(self) -> None:
        if not self._opened and self._model.built:
            self._opened = True
            self._sight = self._measured("the model", self._open)

    def _open(self) -> Sight:
        program = self._known()
        assert program is not None
        if not self.record.trainable:
            self._measured("the learning rate", self._note_size)
        sight = Sight(self._model, program, self._data, self._validation, self.record.note)
        self._program = sight.program
        return sight

    def _look(self, step: int, gradients: Given | None) -> None:
        sight = self.sight
        if sight is None or self._failures >= MOST_FAILURES:
            return
        seen = self._measured("layers and gradients", lambda: sight.read(step, gradients))
        if seen is None:
            self._failures += 1
            return
        reading, scored = seen
        self.record.take(reading)
        if scored is not None:
            self._scored = step, scored
            self.record.train_score = scored.score.value
            self.record.predictions = scored.predictions

    def _seen(self, step: int, gradients: Given | None, *, is_epoch: bool = False) -> tuple[Diagnosis, ...]:
        """Looks and tells. What is prepared once does not count as the cost of a look."""
        with self.schedule.timed():
            self._prepare()
        with self.schedule.timed(reading=True):
            self._look(step, gradients)
            if is_epoch:
                self._validate(step)
            return self._tell(is_epoch=is_epoch)

    def _validate(self, step: int) -> None:
        scored = self._sight.validate() if self._sight else None
        if scored is not None:
            self._scored = step, scored
            self.record.scores.append((self.record.epochs, scored.score.rank))
            self.record.predictions = scored.predictions

    def _tell(self, *, is_epoch: bool = False, is_end: bool = False) -> tuple[Diagnosis, ...]:
        found = self._measured("the symptoms", lambda: self._judged(is_epoch=is_epoch, is_end=is_end))
        if found is None:
            return ()
        self.diagnosis, news, failed = found
        for sentence in failed:
            self.record.note(sentence)
        for line in lines(news, self.record.steps) if self._log else ():
            teller.warning("autofix: %s", line)
        return tuple(news)

    def _judged(self, *, is_epoch: bool, is_end: bool) -> Any:
        program, record = self._known(), self.record
        if program is None:
            return None
        trace, score, rows = record.trace(), None, 0
        at, scored = self._scored or (0, None)
        if scored is not None and record.steps - at <= STALE * record.steps:
            score, rows = scored.score.value, scored.rows
        else:
            trace = replace(trace, predictions=(), train_score=None)
        perfect = self._sight.perfect if self._sight else 1.0
        rate, self._rate = self._rate, self._rate_now()
        return self._judge.judge(
            program.evidence(trace, score, rows=(self.rows, rows), perfect=perfect),
            record.steps,
            more=record.silent.findings(),
            stride=record.stride,
            is_epoch=is_epoch or record.epochs >= 1.0,
            is_end=is_end,
            is_warming=not is_end and self._rate > RISING * rate > 0.0,
        )

    def _origin(self) -> str | None:
        """Names where a NaN came from, as far as the data and the weights tell."""
        if self._sight is None:
            return None
        first = self.record.curve.first_bad in (None, 0)
        trace = self.record.trace()
        found = self._sight.origin(trace.first if first else trace.last, everything(self._data))
        return found if first or not found.startswith("layer:") else "gradient"

    def _measured(self, what: str, measure: Callable[[], Any]) -> Any:
        """Returns what `measure` gives, None where it fails."""
        try:
            # A run that diverges overflows in our statistics too, which is no news to its user.
            with np.errstate(all="ignore"):
                return measure()
        except Exception as error:  # a probe must never end a run
            logger.debug("a probe failed", exc_info=True)
            self.record.note(f"{what} ({one_line(error)})")
            return None
