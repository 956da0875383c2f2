"""`monitor`: the same diagnosis for a training loop of the user's own."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from autofix.errors import FixYourCall
from autofix.live.reader import slopes_of
from autofix.live.reference import check_data
from autofix.live.run import Run
from autofix.live.sight import Given
from autofix.look import Slope, because
from autofix.probes import AUTO, chosen
from autofix.symptom import Diagnosis
from autofix.trace import Trace

logger = logging.getLogger(__name__)


def monitor(
    model: keras.Model,
    optimizer: Any,
    *,
    data: Any = None,
    probes: str | Iterable[str] = AUTO,
    every: int | None = None,
    log: bool = True,
) -> Monitor:
    """Watches a training loop of your own, says what stalls it, and changes nothing in it.

    Args:
        model: The model that is trained; it need not be compiled.
        optimizer: What applies the gradients.
        data: Where at most 256 rows come from that the model is looked at on, in any form that `autofix.repair` takes.
            Without it, layer outputs and predictions are not seen.
        probes: What to measure, as in `Watch`.
        every: Steps between looks, whatever they cost; None leaves it to a schedule that takes a few percent of the
            time.
        log: Whether findings are logged.

    Returns:
        A `Monitor`; call its `step` after each step.

    Raises:
        FixYourCall: If an argument is wrong.

    Example:
        >>> watch = autofix.monitor(model, optimizer)
        >>> for x, y in dataset:
        ...     with tf.GradientTape() as tape:
        ...         loss = loss_fn(y, model(x, training=True))
        ...     gradients = tape.gradient(loss, model.trainable_variables)
        ...     optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        ...     watch.step(loss=loss, gradients=gradients)
        >>> watch.diagnosis
    """
    if not isinstance(model, keras.Model):
        raise FixYourCall(f"`model` must be a `keras.Model`. Received: {type(model).__name__}.")
    if not hasattr(optimizer, "learning_rate"):
        raise FixYourCall(f"`optimizer` must be a `keras.optimizers.Optimizer`. Received: {type(optimizer).__name__}.")
    check_data(data)
    return Monitor(model, optimizer, data=data, probes=probes, every=every, log=log)


class Monitor:
    """Watches a loop; made by `autofix.monitor`.

    Args:
        model: The model.
        optimizer: What trains it.
        data: Where reference rows come from, or None.
        probes: What to measure.
        every: Steps between looks, or None.
        log: Whether findings are logged.
    """

    def __init__(
        self,
        model: keras.Model,
        optimizer: Any,
        *,
        data: Any,
        probes: str | Iterable[str],
        every: int | None,
        log: bool,
    ) -> None:
        self._run = Run(model, optimizer, {}, data, None, probes=probes, every=every, log=log)
        self._model = model
        self._steps = 0
        self._is_off = not chosen(probes)
        if not self._is_off:
            self._run.begin()

    @property
    def diagnosis(self) -> tuple[Diagnosis, ...]:
        """What is wrong with the run so far, the surest and most severe first."""
        if self._run.record.steps < self._steps:
            self._run.judge(self._steps)
        return self._run.diagnosis

    @property
    def trace(self) -> Trace:
        """What was seen of the run so far."""
        return self._run.record.trace()

    def step(self, *, loss: Any, gradients: Sequence[Any] | None = None) -> None:
        """Takes in one step, after it was applied.

        Args:
            loss: Loss of the step: a number or a tensor with one value.
            gradients: One gradient per entry of `model.trainable_variables`, in their order; None for one that the
                loss does not depend on. Leave it out where the loop does not hand them out.

        Raises:
            FixYourCall: If called while TensorFlow traces a function, or if gradients are missing or too many.
        """
        if not tf.executing_eagerly():
            raise FixYourCall(
                "`step` must be called outside of a `tf.function`. Received: a call while one is traced. "
                "Return loss and gradients from it and call `step` in the loop around it."
            )
        if gradients is not None and len(gradients) != len(self._model.trainable_variables):
            raise FixYourCall(
                "`gradients` must hold one entry per entry of `model.trainable_variables`. Received: "
                f"{len(gradients)} for {len(self._model.trainable_variables)}. Pass None for those that have none."
            )
        if self._is_off:
            return
        self._steps += 1
        run, value = self._run, float(np.asarray(loss))
        if run.record.curve.add(value):
            self._act(run.broke, gradients)
        elif abs(value) > run.alarm:
            self._act(run.suspects, gradients)
        elif self._steps >= run.schedule.due:
            self._act(run.due, gradients)

    def _act(self, act: Callable[[int, Given | None], Any], gradients: Sequence[Any] | None) -> None:
        def read() -> tuple[Slope, ...] | None:
            sight = self._run.sight
            if gradients is None or sight is None:
                return None
            return slopes_of(self._model.trainable_variables, gradients, sight.reader.layers)

        try:
            act(self._steps, read)
        except Exception as error:  # watching must never end the training
            logger.debug("a step could not be read", exc_info=True)
            self._run.record.note(f"step {self._steps}{because(error)}")
