"""`Looks`: takes looks at a live model with what is asked for, and records what probes read of them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from autofix.live.arguments import everything
from autofix.live.program import Program, program_of
from autofix.live.record import Record
from autofix.live.sight import CALLED, Given, Scored, Sight
from autofix.look import Clock, Look, because
from autofix.probe import Probe, Tier
from autofix.probes.origin import Origin
from autofix.probes.penalty import RECENT
from autofix.trainer.leaves import homeless, kernels_of, leaves

logger = logging.getLogger(__name__)


class Looks:
    """Looks at one run. Nothing in here raises: what fails is noted as not measured.

    Args:
        model: The user's model.
        optimizer: What trains it.
        fit: Settings of `fit` that are known; more may be added to them.
        data: Where the reference rows come from; None for nowhere.
        validation: Validation data; None for none.
        probes: What to measure.
        record: Keeps what is seen.

    Attributes:
        program: What is known of the model and its data; None while it is not built.
        scored: Steps done at the last score, and the score; None before one.
    """

    def __init__(
        self,
        model: Any,
        optimizer: Any,
        fit: Mapping[str, Any],
        data: Any,
        validation: Any,
        probes: tuple[Probe[Any], ...],
        record: Record,
    ) -> None:
        self.program: Program | None = None
        self.scored: tuple[int, Scored] | None = None
        self._model, self._optimizer, self._fit = model, optimizer, fit
        self._data, self._validation, self._record = data, validation, record
        self._all = probes
        self._light = tuple(probe for probe in probes if probe.tier is Tier.LIGHT)
        self._began = time.perf_counter()
        self._sight: Sight | None = None
        self._opened = False

    @property
    def sight(self) -> Sight | None:
        """What looks into the model; None while it is not built, where it cannot be read, or need not be."""
        self.prepare()
        return self._sight

    @property
    def seconds(self) -> float:
        """Wall time since the run began."""
        return time.perf_counter() - self._began

    @property
    def perfect(self) -> float:
        """Best score there is."""
        return self._sight.perfect if self._sight else 1.0

    def prepare(self) -> None:
        """Reads model and data once the model is built, if it is ever to be called."""
        if not self._opened and self._model.built and _needs(self._all) & CALLED:
            self._opened = True
            self._sight = self.measured("the model", self._open)

    def known(self) -> Program | None:
        """Returns what is known of the model, None while it is not built."""
        if self.program is None and self._model.built:
            self.program, unseen = program_of(self._model, self._fit, self._optimizer)
            weights = self._model.trainable_weights
            self._record.trainable = int(sum(np.prod(weight.shape) for weight in weights))
            for sentence in (*unseen, *homeless(self._model, leaves(self._model))):
                self._record.note(sentence)
        return self.program

    def rate(self) -> float:
        """Returns the learning rate in force."""
        return float(np.asarray(self._optimizer.learning_rate))

    def glance(self, step: int) -> None:
        """Notes what costs next to nothing: how far the run is, and the learning rate."""
        self.measured("the pace", lambda: self._record.course.look(self._hand(step), self._light))

    def light(self, step: int) -> None:
        """Takes a look that does not call the model."""
        self.measured("the model", lambda: self._look(step, None, self._light))

    def full(self, step: int, gradients: Given | None) -> None:
        """Takes a look with every probe.

        Args:
            step: Training steps done.
            gradients: Returns the gradients of the step; None computes those of the reference rows.
        """
        self.measured("the model", lambda: self._look(step, gradients, self._all))

    def validate(self, step: int) -> None:
        """Predicts and scores the validation rows, where there are any."""
        self.measured("the validation score", lambda: self._validate(step))

    def blame(self, step: int) -> None:
        """Finds where a NaN came from, as far as the data and the weights tell."""
        self.measured("the origin of the NaN", lambda: self._blame(step))

    def close(self) -> None:
        """Lets go of model and data."""
        self._model = self._optimizer = self._data = self._validation = self._sight = None

    def measured(self, what: str, measure: Callable[[], Any]) -> Any:
        """Returns what `measure` gives, None where it fails."""
        try:
            # A run that diverges overflows in our statistics too, which is no news to its user.
            with np.errstate(all="ignore"):
                return measure()
        except Exception as error:  # looking must never end a run
            logger.debug("a look failed", exc_info=True)
            self._record.note(f"{what}{because(error)}")
            return None

    def _open(self) -> Sight:
        program = self.known()
        assert program is not None
        sight = Sight(self._model, program, self._data, self._validation, self._record.note)
        self.program = sight.program
        return sight

    def _hand(self, step: int) -> Look:
        """Sees what is at hand without the model."""
        clock = Clock(self.seconds, step, self._record.epochs)
        return Look(step, clock=clock, losses=self._record.curve.last(RECENT)).seeing({"rate": self.rate})

    def _look(self, step: int, gradients: Given | None, probes: tuple[Probe[Any], ...]) -> None:
        record, needs = self._record, _needs(probes)
        if record.course.inputs:  # the same rows at every look
            needs -= {"inputs", "targets"}
        look, sight = self._hand(step), self.sight if needs & CALLED else None
        if self._model.built and "kernels" in needs:
            look = look.seeing({"kernels": lambda: kernels_of(leaves(self._model))})
        if sight is not None:
            look = sight.look(look, needs, gradients)
        record.take(record.course.look(look, probes))
        scored = sight.scored(look.predicted) if sight is not None else None
        if scored is not None:
            self.scored = step, scored
            record.train_score = scored.score.value

    def _validate(self, step: int) -> None:
        sight = self._sight
        predicted = sight.validate() if sight else None
        scored = sight.scored(predicted) if sight else None
        if scored is not None:
            self.scored = step, scored
            self._record.scored(scored.score.rank)
            self._record.course.look(Look(step, predicted=predicted), self._all)

    def _blame(self, step: int) -> None:
        course, sight = self._record.course, self._sight
        if sight is None:
            return
        first = self._record.curve.first_bad in (None, 0)
        look = sight.blame(everything(self._data))
        look = replace(look, step=0 if first else step, layers=course.first if first else course.last)
        course.look(look, [probe for probe in self._all if probe.name == Origin.name])


def _needs(probes: tuple[Probe[Any], ...]) -> frozenset[str]:
    return frozenset(name for probe in probes for name in probe.needs)
