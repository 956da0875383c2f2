"""One run that somebody else drives: looked at now and then, recorded, judged, told of."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from autofix.live.judging import SETTLED, Judge, lines
from autofix.live.looks import Looks
from autofix.live.record import Record
from autofix.live.schedule import LAST_SHARE, SHARE, Schedule
from autofix.live.sight import Given, Sight
from autofix.probes import FULL, chosen
from autofix.probes.penalty import RECENT
from autofix.recipe import Recipe
from autofix.symptom import Diagnosis
from autofix.trainer.start import is_pretrained

# Told by the name that users configure, whichever file finds it.
teller = logging.getLogger("autofix")

# Share of a run's steps after which its score is out of date: a run may well have begun to learn since.
STALE = 0.1
# Times the highest loss of all looks that a loss is a reason to look at once: a run that diverges may be over before
# the next look is due. No healthy run gets there; one that does is looked at again at every third power of ten.
LEAP = 1e3
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
        probes: What to measure; see `autofix.probes.chosen`.
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
        alarm: Size of a loss from which `suspects` is to be asked.
    """

    def __init__(
        self,
        model: Any,
        optimizer: Any,
        fit: Mapping[str, Any],
        data: Any,
        validation: Any,
        *,
        probes: str | Iterable[str],
        every: int | None,
        log: bool,
    ) -> None:
        self.fit, self.schedule = dict(fit), Schedule(every, share=math.inf if probes == FULL else SHARE)
        self.record = Record(planned_epochs=int(fit.get("epochs", 0)))
        self.diagnosis: tuple[Diagnosis, ...] = ()
        self.rows = 0
        self.fresh = True
        self.ended_at: int | None = None
        self.alarm = math.inf
        self._model, self._optimizer, self._log = model, optimizer, log
        self._looks = Looks(model, optimizer, self.fit, data, validation, chosen(probes), self.record)
        self._judge = Judge()
        self._fresh, self._settled = True, False
        self._rate = self._highest = 0.0

    @property
    def recipe(self) -> Recipe | None:
        """The program as it was when the run began; None while the model is not built."""
        return self._looks.program.recipe if self._looks.program else None

    @property
    def sight(self) -> Sight | None:
        """What looks into the model; None while it is not built, or where it cannot be read."""
        return self._looks.sight

    def begin(self) -> None:
        """Looks at the model before its first step; one that is not built yet is looked at after it.

        The first step of a fresh model takes as long as hundreds of others, since it is traced: there is time for
        everything. A model that goes on training is ready at once, so that only its weights are noted.
        """
        looks = self._looks
        self._fresh = not looks.measured("the steps done before", lambda: int(np.asarray(self._optimizer.iterations)))
        self.fresh = self._fresh and not looks.measured("earlier training", lambda: is_pretrained(self._model))
        if not self._model.built:
            return
        self._rate = looks.measured("the learning rate", looks.rate) or 0.0
        if self._fresh:
            looks.full(0, None)
        else:
            with self.schedule.timed():
                looks.light(0)

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
        with self.schedule.timed():
            self._looks.light(step)
            if step < SETTLED or self._settled:
                return ()
            self._settled = True
            news = self._tell()
        # What losses and weights give away is worth a closer look now, which later ones have to wait for.
        closer = bool(news) and self.schedule.earns(step, planned)
        return (*news, *self._seen(step, gradients)) if closer else news

    def suspects(self, step: int, gradients: Given | None = None) -> tuple[Diagnosis, ...]:
        """Looks at the model because of a loss that is far higher than any; returns the findings that are news."""
        self._at(step)
        return self._seen(step, gradients)

    def broke(self, step: int, gradients: Given | None = None) -> tuple[Diagnosis, ...]:
        """Looks for where a loss that is not finite came from; returns what is news."""
        self._at(step)
        with self.schedule.timed():
            self._looks.full(step, gradients)
            self._looks.blame(step)
            return self._tell()

    def epoch(self, step: int) -> tuple[Diagnosis, ...]:
        """Looks at the model at the end of an epoch, if it can be afforded; returns what is news."""
        self._at(step)
        if self.schedule.affords(step):
            return self._seen(step, None, is_epoch=True)
        with self.schedule.timed():
            self._looks.glance(step)
        return ()

    def end(self, step: int) -> tuple[Diagnosis, ...]:
        """Judges the run as a whole, of a fresh model as it ends; returns what is news. Lets go of model and data."""
        self._at(step)
        with self.schedule.timed():
            if self._fresh or self.schedule.affords(step, LAST_SHARE):
                self._looks.full(step, None)
                self._looks.validate(step)
            else:
                self._looks.light(step)
            news = self._tell(is_end=True)
        self.ended_at = self._looks.measured("the steps done", lambda: int(np.asarray(self._optimizer.iterations)))
        self._looks.close()
        self._model = self._optimizer = None
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
        if self._looks.program is not None:
            self._looks.program = self._looks.program.with_batches(batch_size)

    def _at(self, step: int) -> None:
        self.record.steps = step
        self.record.seconds = self._looks.seconds

    def _seen(self, step: int, gradients: Given | None, *, is_epoch: bool = False) -> tuple[Diagnosis, ...]:
        """Looks and tells. What is prepared once does not count as the cost of a look."""
        with self.schedule.timed():
            self._looks.prepare()
        with self.schedule.timed(reading=True):
            self._looks.full(step, gradients)
            recent = [abs(loss) for loss in self.record.curve.last(RECENT) if math.isfinite(loss)]
            self._highest = max(self._highest, *recent, 0.0)
            self.alarm = LEAP * self._highest if self._highest else math.inf
            if is_epoch:
                self._looks.validate(step)
            return self._tell(is_epoch=is_epoch)

    def _tell(self, *, is_epoch: bool = False, is_end: bool = False) -> tuple[Diagnosis, ...]:
        found = self._looks.measured("the symptoms", lambda: self._judged(is_epoch=is_epoch, is_end=is_end))
        if found is None:
            return ()
        self.diagnosis, news, failed = found
        for sentence in failed:
            self.record.note(sentence)
        for line in lines(news, self.record.steps) if self._log else ():
            teller.warning("autofix: %s", line)
        return tuple(news)

    def _judged(self, *, is_epoch: bool, is_end: bool) -> Any:
        looks, record = self._looks, self.record
        program = looks.known()
        if program is None:
            return None
        trace, score, rows = record.trace(), None, 0
        at, scored = looks.scored or (0, None)
        if scored is not None and record.steps - at <= STALE * record.steps:
            score, rows = scored.score.value, scored.rows
        else:
            trace = replace(trace, predictions=(), train_score=None)
        rate, self._rate = self._rate, looks.rate()
        return self._judge.judge(
            program.evidence(trace, score, rows=(self.rows, rows), perfect=looks.perfect),
            record.steps,
            more=record.silent.findings(),
            stride=record.stride,
            is_epoch=is_epoch or record.epochs >= 1.0,
            is_end=is_end,
            is_warming=not is_end and self._rate > RISING * rate > 0.0,
        )
