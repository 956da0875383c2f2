"""One training step on rows held in memory: the model's own `train_step`, and the gradient norms it leaves behind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from autofix.trainer.feed import Batch
from autofix.trainer.hot import Affine
from autofix.trainer.leaves import Leaf


class Step:
    """Gathers rows, scales inputs that may be scaled, and calls `train_step`.

    Args:
        model: A compiled model; its optimizer's `apply` is intercepted to read the gradients.
        batch: All rows.
        weighted: Whether to feed sample weights.
        scaled: Shape of the factor by input name, for inputs that may be scaled.
        inputs: Names of the inputs in the model's order.
        watched: Layers whose gradient norms are read.
        probed: Whether gradients can be read at all.
    """

    def __init__(
        self,
        model: keras.Model,
        batch: Batch,
        *,
        weighted: bool,
        scaled: Mapping[str, tuple[int, ...]],
        inputs: tuple[str, ...],
        watched: tuple[Leaf, ...],
        probed: bool = True,
    ) -> None:
        self.model = model
        self.probed = probed
        self.width = len(watched) + 1
        self._batch = batch
        self._kernels = [leaf.kernel.path for leaf in watched if leaf.kernel is not None]
        self._watched = {leaf.path: leaf.kernel.path for leaf in watched if leaf.kernel is not None}
        self.disconnected: list[str] = []
        self._captured: dict[str, Any] = {}
        self._loss_scale: Any = 1.0
        self._scales = {
            name: (tf.Variable(tf.zeros(shape), trainable=False), tf.Variable(tf.ones(shape), trainable=False))
            for name, shape in scaled.items()
        }
        self._inputs = inputs
        rows = len(tf.nest.flatten(batch.x)[0])
        self.weight = None
        if weighted:
            given = tf.ones([rows]) if batch.weight is None else batch.weight
            self.weight = tf.Variable(given, trainable=False)
        self._given = batch.weight
        self._plain = model.optimizer.apply
        if probed:
            model.optimizer.apply = self._apply

    def set_scales(self, scales: Mapping[str, Affine]) -> None:
        """Scales the inputs of the given names; all others are fed as they are."""
        for name, (shift, factor) in self._scales.items():
            affine = scales.get(name)
            shift.assign(tf.zeros_like(shift) if affine is None else affine.shift.astype("float32"))
            factor.assign(tf.ones_like(factor) if affine is None else affine.factor.astype("float32"))

    def set_weight(self, weight: Any) -> None:
        """Weighs the rows; None weighs them alike."""
        if self.weight is not None and weight is not self._given:
            self.weight.assign(tf.ones_like(self.weight) if weight is None else weight)
            self._given = weight

    def inputs(self, index: Any) -> Any:
        """Returns the inputs of some rows as the model is to see them."""
        x = tf.nest.map_structure(lambda tensor: tf.gather(tensor, index), self._batch.x)
        if not self._scales:
            return x
        if isinstance(x, dict):
            return {name: self._scaled(name, value) for name, value in x.items()}
        if isinstance(x, list | tuple):
            return [self._scaled(name, value) for name, value in zip(self._inputs, x, strict=True)]
        return self._scaled(self._inputs[0], x)

    def __call__(self, index: Any) -> Any:
        """Trains on the given rows; returns their loss."""
        for metric in self.model.metrics:
            metric.reset_state()
        y = tf.nest.map_structure(lambda tensor: tf.gather(tensor, index), self._batch.y)
        data: tuple[Any, ...] = (self.inputs(index), y)
        if self.weight is not None:
            data = (*data, tf.gather(self.weight, index))
        logs = self.model.train_step(data)
        loss = logs["loss"] if isinstance(logs, dict) and "loss" in logs else np.nan
        return tf.cast(loss, tf.float32)

    def norms(self) -> Any:
        """Returns the gradient norms of the step just traced: one per watched layer, and the global one."""
        halves = {path: _half_square(gradient) for path, gradient in self._captured.items() if gradient is not None}
        zero = tf.constant(0.0)
        each = [halves.get(path, zero) for path in self._kernels]
        return tf.sqrt(2.0 * tf.stack([*each, tf.add_n([zero, *halves.values()])])) / self._loss_scale

    def build_losses(self, example: Any) -> None:
        """Keras makes loss trackers at the first loss; inside a compiled loop that would be too late."""
        y = tf.nest.map_structure(lambda tensor: tensor[:1], self._batch.y)
        weight = None if self.weight is None else self.weight[:1]
        outputs = self.model(example, training=False)
        self.model.compute_loss(x=example, y=y, y_pred=outputs, sample_weight=weight)

    def close(self) -> None:
        """Gives the optimizer its own `apply` back and lets go of the gradients."""
        if self.probed:
            del self.model.optimizer.apply
        self._captured.clear()

    def _scaled(self, name: str, value: Any) -> Any:
        if name not in self._scales:
            return value
        shift, factor = self._scales[name]
        return (tf.cast(value, tf.float32) - shift) * factor

    def _apply(self, grads: Any, trainable_variables: Any = None) -> Any:
        grads = list(grads)
        variables = self.model.trainable_variables if trainable_variables is None else list(trainable_variables)
        self._captured = {v.path: g for v, g in zip(variables, grads, strict=True)}
        self.disconnected = [path for path, kernel in self._watched.items() if self._captured.get(kernel, 0) is None]
        optimizer = self.model.optimizer
        scale = getattr(optimizer, "dynamic_scale", optimizer.loss_scale_factor)
        # As it is now: the update may change it.
        self._loss_scale = 1.0 if scale is None else tf.identity(tf.cast(scale, tf.float32))
        return self._plain(grads, trainable_variables)


def _half_square(gradient: Any) -> Any:
    """Returns half the sum of the squares of a gradient: one operation, where a norm takes five to trace and to run."""
    value = gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient
    return tf.nn.l2_loss(tf.cast(value, tf.float32))
