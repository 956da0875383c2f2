"""AutoTrainer's symptoms, as its papers and its code describe them (ICSE 2021, TDSC 2024).

Looked for every third epoch on one batch, after 30 % of the epochs, and never in a shorter program.

Simplified: where AutoTrainer reads the accuracy on the training rows, this reads the suite's score on the validation
rows (balanced accuracy or R2), so that regression is served too; a training ends at its first symptom, which only
saves time; where the weights are NaN, abnormal data are looked for at the first weights.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from .peer_program import leaves
from .peer_race import Epoch

EVERY_EPOCHS = 3
BEFORE_SHARE = 0.3
# Norm of the first layer's gradient over that of the last one's.
EXPLODING_RATIO = 70.0
VANISHING_RATIO = 1e-3
VANISHING_NORM = 1e-4
# A loss as large as this counts as NaN.
NAN_LOSS = 1000.0
# Share of gradient entries that are exactly 0.
DEAD_SHARE = 0.7
SWING = 0.03
SWING_SHARE = 0.2
SLOW_ACCURACY = 0.7
SLOW_GAIN = 0.01
# Mean absolute output of a hidden layer.
ABNORMAL_OUTPUT = 10.0
# ReLU and its relatives are what can die.
RECTIFIERS = ("relu", "leaky_relu")


class Symptom(Enum):
    """What can be wrong."""

    ABNORMAL_DATA = "abnormal data"
    VANISHING = "vanishing gradient"
    EXPLODING = "exploding gradient"
    DYING_RELU = "dying ReLU"
    OSCILLATING = "oscillating"
    SLOW = "slow"
    CRASHED = "crashed"


@dataclass(frozen=True)
class Gradients:
    """Of the kernels, on one batch: norms of the first and the last one, and the share of entries that are 0."""

    first: float
    last: float
    zeros: float


def judge(gradients: Gradients | None, loss: float, scores: Sequence[float], rectified: bool) -> Symptom | None:
    """The first symptom that these readings show; zeros that a ReLU explains are no vanishing gradient."""
    if rectified and gradients is not None and gradients.zeros >= DEAD_SHARE:
        return Symptom.DYING_RELU
    broken = not np.isfinite(loss) or abs(loss) >= NAN_LOSS
    if gradients is not None and np.isfinite([gradients.first, gradients.last]).all() and not broken:
        ratio = gradients.first / gradients.last if gradients.last > 0 else 0.0
        if ratio < VANISHING_RATIO and gradients.first < VANISHING_NORM:
            return Symptom.VANISHING
        broken = ratio > EXPLODING_RATIO
    elif gradients is not None:
        broken = True
    if broken:
        return Symptom.EXPLODING
    if swings(scores) >= SWING_SHARE:
        return Symptom.OSCILLATING
    if max(scores) < SLOW_ACCURACY and max(np.diff(scores), default=0.0) < SLOW_GAIN:
        return Symptom.SLOW
    return None


def swings(scores: Sequence[float]) -> float:
    """Share of the epochs at which a score turns, away from the last turn by at least `SWING`."""
    inner = zip(scores, scores[1:], scores[2:], strict=False)
    turns = [b for a, b, c in inner if (b - a) * (c - b) < 0]
    return sum(abs(b - a) >= SWING for a, b in itertools.pairwise(turns)) / max(len(scores), 1)


@dataclass
class Monitor:
    """Watches one training; `found` is its first symptom.

    Attributes:
        batch: Inputs and targets of one batch.
        epochs: Epochs of this training.
        fresh: Builds the model with its first weights, to look for abnormal data in; None for not to look for them.
        scores: Scores of the epochs so far.
        found: The symptom, once there is one.
    """

    batch: tuple[Any, Any]
    epochs: int
    fresh: Callable[[], keras.Model] | None
    scores: list[float] = field(default_factory=list)
    found: Symptom | None = None

    def __call__(self, epoch: Epoch) -> bool:
        """Look at a model after an epoch; says whether to stop."""
        self.scores.append(epoch.score)
        past = epoch.number + 1
        if not (epoch.finite and np.isfinite(epoch.loss)):
            # Weights that are NaN stay so: the next look is taken at once, if there were one.
            self.found = self._explain() if self.epochs >= EVERY_EPOCHS else None
        elif past % EVERY_EPOCHS == 0 and past >= BEFORE_SHARE * self.epochs:
            self.found = self._look(epoch)
        return self.found is not None

    def _explain(self) -> Symptom:
        data = self.fresh is not None and hidden_output(self.fresh(), self.batch[0]) >= ABNORMAL_OUTPUT
        return Symptom.ABNORMAL_DATA if data else Symptom.EXPLODING

    def _look(self, epoch: Epoch) -> Symptom | None:
        if self.fresh is not None and hidden_output(epoch.model, self.batch[0]) >= ABNORMAL_OUTPUT:
            return Symptom.ABNORMAL_DATA
        used = [getattr(layer, "activation", None) for layer in leaves(epoch.model)]
        rectified = any(getattr(function, "__name__", "") in RECTIFIERS for function in used)
        rectified |= any(type(layer).__name__ in ("ReLU", "LeakyReLU") for layer in leaves(epoch.model))
        return judge(gradients(epoch.model, *self.batch), epoch.loss, self.scores, rectified)


def gradients(model: keras.Model, x: Any, y: Any) -> Gradients | None:
    """Gradients of the model's own loss; None for a model without kernels to train."""
    kernels = [variable.value for variable in model.trainable_variables if len(variable.shape) > 1]
    if not kernels:
        return None
    y = tf.convert_to_tensor(y)
    with tf.GradientTape() as tape:
        loss = model.compute_loss(x=x, y=y, y_pred=model(x, training=True), training=True)
    found = tape.gradient(loss, kernels, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    arrays = [np.asarray(tf.convert_to_tensor(gradient)) for gradient in found]
    zeros = sum(int((array == 0).sum()) for array in arrays) / sum(array.size for array in arrays)
    return Gradients(float(np.linalg.norm(arrays[0])), float(np.linalg.norm(arrays[-1])), zeros)


def hidden_output(model: keras.Model, x: Any) -> float:
    """The largest mean absolute output of a hidden layer with weights; 0 where there is none to look into."""
    hidden = [layer for layer in model.layers[:-1] if layer.trainable_variables and not hasattr(layer, "layers")]
    if not hidden:
        return 0.0
    # Keras warns where one array meets a list of one input.
    inputs = model.inputs[0] if len(model.inputs) == 1 else model.input
    outputs = keras.Model(inputs, [layer.output for layer in hidden])(x)
    means = [float(np.mean(np.abs(np.asarray(part)))) for part in keras.tree.flatten(outputs)]
    return max((mean for mean in means if np.isfinite(mean)), default=0.0)
