"""One run that somebody else drives: looked at now and then, recorded, judged, told of."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np

from autofix.contract import link_of
from autofix.errors import one_line
from autofix.live.graph import LayerOutputs
from autofix.live.judging import Judge, lines
from autofix.live.program import Program, program_of
from autofix.live.reader import Judged, Reader, Reading, as_array
from autofix.live.record import Record
from autofix.live.reference import Rows, read_rows
from autofix.live.schedule import CERTAIN, Schedule
from autofix.probes.origin import origin_of
from autofix.recipe import Recipe
from autofix.scoring import scorer_of
from autofix.symptom import Diagnosis
from autofix.trace import Trace

logger = logging.getLogger(__name__)
# Told by the name that users configure, whichever file finds it.
teller = logging.getLogger("autofix")

# Rows of the reference batch, and fewer where the outputs of all layers would come to more bytes: a tape holds them.
REFERENCE, LEAST_REFERENCE, OUTPUT_BYTES = 256, 16, 2**22
# Failed readings after which nothing more is tried.
MOST_FAILURES = 3


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
    """

    def __init__(
        self,
        model: keras.Model,
        optimizer: Any,
        fit: Mapping[str, Any],
        data: Any,
        validation: Any,
        *,
        every: int | None,
        log: bool,
    ) -> None:
        self.model, self.optimizer, self.fit = model, optimizer, dict(fit)
        self.schedule = Schedule(every)
        self.record = Record(planned_epochs=int(fit.get("epochs", 0)))
        self.diagnosis: tuple[Diagnosis, ...] = ()
        self.rows = 0
        self._data, self._validation, self._log = data, validation, log
        self._began = time.perf_counter()
        self._judge = Judge()
        self._program: Program | None = None
        self._reader: Reader | None = None
        self._reference: Rows | None = None
        self._held: Rows | None = None
        self._judged: Judged | None = None
        self._score: float | None = None
        self._scored = 0
        self._failures = 0

    @property
    def recipe(self) -> Recipe | None:
        """The program as it was when the run began; None while the model is not built."""
        return self._program.recipe if self._program else None

    @property
    def trace(self) -> Trace:
        """What was seen so far."""
        self.record.seconds = time.perf_counter() - self._began
        return self.record.trace()

    def begin(self) -> None:
        """Reads the model before its first step; one that is not built yet is read after it."""
        with self.schedule.timed():
            if self.model.built:
                self._measured("the model", self._prepare)
                self._look(0)

    def due(self, step: int) -> tuple[Diagnosis, ...]:
        """Takes a reading at a step at which one is due, if it can be afforded; returns what is news."""
        self.record.steps = step
        judged_anyway = step >= 5 * CERTAIN and self.schedule.due <= 5 * CERTAIN
        if self.schedule.grants(step):
            with self.schedule.timed(reading=True):
                self._look(step)
                return self._tell()
        if judged_anyway:
            with self.schedule.timed():
                return self._tell()
        return ()

    def broke(self, step: int) -> tuple[Diagnosis, ...]:
        """Looks for where a loss that is not finite came from; returns what is news."""
        self.record.steps = step
        with self.schedule.timed():
            self._look(step)
            self.record.origin = self._measured("the origin of the NaN", self._origin)
            return self._tell()

    def epoch(self, step: int) -> tuple[Diagnosis, ...]:
        """Reads the model at the end of an epoch, if it can be afforded; returns what is news."""
        self.record.steps = step
        if not self.schedule.affordable:
            return ()
        with self.schedule.timed(reading=True):
            self._look(step)
            self._validate()
            return self._tell(is_epoch=True)

    def end(self, step: int) -> tuple[Diagnosis, ...]:
        """Judges the run as a whole; returns what is news."""
        self.record.steps = step
        with self.schedule.timed():
            if self.schedule.affordable or not self.record.begun:
                self._look(step)
                self._validate()
            news = self._tell(is_end=True)
        self._data = self._validation = self._reference = self._held = self._reader = None
        return news

    def take(self, reading: Reading) -> None:
        """Takes in a reading that was made elsewhere."""
        self.record.take(reading)

    def reader(self) -> Reader | None:
        """Returns what reads the model, once it is built."""
        if self._reader is None and self._program is None and self.model.built:
            self._measured("the model", self._prepare)
        return self._reader

    def tell(self) -> tuple[Diagnosis, ...]:
        """Judges what was seen; returns what is news."""
        return self._tell()

    def _prepare(self) -> None:
        model, record = self.model, self.record
        record.trainable = int(sum(np.prod(weight.shape) for weight in model.trainable_weights))
        record.learning_rate = self._measured("the learning rate", self.rate) or 0.0
        self._program, unseen = program_of(model, self.fit, self.optimizer)
        record.unseen += unseen
        outputs = self._measured("layer outputs", lambda: LayerOutputs(model))
        if outputs is None:
            return
        if not outputs.sees:
            record.unseen.append("layer outputs, because the model is no graph of layers")
        self._reader = Reader(model, outputs, self._program.activations)
        if self._data is None:
            record.unseen.append("layer outputs, gradients and predictions: there are no rows to take them on")
            return
        most = min(REFERENCE, max(LEAST_REFERENCE, OUTPUT_BYTES // max(1, outputs.bytes_per_row)))
        self._measured("the reference rows", lambda: self._show(most))

    def rate(self) -> float:
        """Returns the learning rate in force."""
        return float(np.asarray(self.optimizer.learning_rate))

    def _show(self, most: int) -> None:
        """Takes the reference rows, and all that follows from them."""
        assert self._program is not None
        self._reference, facts = read_rows(self._data, self._program.hints, most)
        if facts is None or not facts.targets:
            self.record.unseen.append("the score, because the targets cannot be read")
            return
        self._program = self._program.knowing(facts, self._reference.count)
        links = [link_of(self._program.recipe, facts, index) for index in range(len(facts.targets))]
        self._judged = Judged(facts, scorer_of("auto", facts.targets), links)
        if self._validation is not None:
            self._held, _ = read_rows(self._validation, self._program.hints, most, facts=False)

    def _look(self, step: int) -> None:
        if self._program is None and self.model.built:
            self._measured("the model", self._prepare)
        if self._reader is not None and self._failures < MOST_FAILURES:
            done = self._measured("layers and gradients", lambda: self._read(step))
            self._failures += done is None

    def _read(self, step: int) -> bool:
        reader, rows = self._reader, self._reference
        assert reader is not None
        reading = None
        if rows is not None and rows.y is not None and reader.can_differentiate:
            reading = self._measured("gradients", lambda: reader.read(step, rows, gradients=True))
        if reading is None:
            reading = reader.read(step, rows, gradients=False)
        self.record.take(reading)
        if self._judged is not None and rows is not None and rows.targets and reading.outputs:
            judged, outputs = self._judged, reading.outputs
            score = self._measured("the score", lambda: judged.score(rows, outputs))
            if score is not None:
                self.record.train_score = self._score = score.value
                self._scored = rows.count
                found = self._measured("predictions", lambda: judged.predictions(rows, outputs))
                self.record.predictions = found or ()
        return True

    def _validate(self) -> None:
        if self._held is not None and self._judged is not None and self._reader is not None:
            self._measured("the validation score", self._validated)

    def _validated(self) -> None:
        import tensorflow as tf

        assert self._reader is not None
        assert self._held is not None
        assert self._judged is not None
        _, end = self._reader.forward(self._held.x)
        outputs = [as_array(value) for value in tf.nest.flatten(end)]
        score = self._judged.score(self._held, outputs)
        self.record.scores.append((self.record.epochs, score.rank))
        self.record.predictions = self._judged.predictions(self._held, outputs)
        self._score, self._scored = score.value, self._held.count

    def _tell(self, *, is_epoch: bool = False, is_end: bool = False) -> tuple[Diagnosis, ...]:
        found = self._measured("the symptoms", lambda: self._judge_now(is_epoch=is_epoch, is_end=is_end))
        if found is None:
            return ()
        self.diagnosis, news, failed = found
        self.record.unseen += failed
        if self._log:
            for line in lines(news, self.record.steps):
                teller.warning("autofix: %s", line)
        return tuple(news)

    def _judge_now(self, *, is_epoch: bool, is_end: bool) -> Any:
        if self._program is None:
            return None
        perfect = self._judged.scorer.perfect if self._judged else 1.0
        evidence = self._program.evidence(self.trace, self._score, rows=(self.rows, self._scored), perfect=perfect)
        whole = is_epoch or self.record.epochs >= 1.0
        step, stride = self.record.steps, self.record.stride
        return self._judge.judge(evidence, step, stride=stride, is_epoch=whole, is_end=is_end)

    def _origin(self) -> str:
        """Names where a NaN came from, as far as the reference rows and the weights tell."""
        rows, trace = self._reference, self.trace
        first = self.record.curve.first_bad in (None, 0)
        readings = trace.first if first else trace.last
        inputs, targets = (rows.inputs, rows.targets) if rows is not None else ((), ())
        found = origin_of(inputs, targets, readings)
        return found if first or not found.startswith("layer:") else "gradient"

    def _measured(self, what: str, measure: Callable[[], Any]) -> Any:
        """Returns what `measure` gives, None where it fails."""
        try:
            return measure()
        except Exception as error:  # a probe must never end a run
            logger.debug("a probe failed", exc_info=True)
            self.record.unseen.append(f"{what} ({one_line(error)})")
            return None
