"""Calls a live model on the reference rows, and leaves no trace in it: layer outputs, gradients, penalty, outputs."""

from __future__ import annotations

import contextlib
import inspect
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from autofix.live.graph import LayerOutputs, in_order
from autofix.live.reference import Rows
from autofix.look import Kernel, Slope
from autofix.trainer.leaves import Leaf, as_array, kernels_of, leaves


@dataclass(frozen=True, eq=False)
class Call:
    """What one call of the model gave.

    Attributes:
        layers: Output of each layer by path, in order; empty where layers cannot be seen.
        outputs: Raw outputs of the model.
        gradients: Gradients of the loss; None where it was not computed.
        penalty: Sum of the regularization losses; None likewise.
    """

    layers: Mapping[str, np.ndarray]
    outputs: tuple[np.ndarray, ...]
    gradients: tuple[Slope, ...] | None = None
    penalty: float | None = None


class Reader:
    """Calls a live model.

    Whatever a call would change (running statistics, seed generators, metrics) is caught by a `StatelessScope` and
    dropped, and the generators of Python, NumPy and TensorFlow are given back as they were.

    Args:
        model: The user's model, built.
        outputs: Sees its layers.
    """

    def __init__(self, model: keras.Model, outputs: LayerOutputs) -> None:
        self._model = model
        self._shown = outputs
        self._leaves = leaves(model)

    @property
    def layers(self) -> tuple[Leaf, ...]:
        """The layers, in order."""
        return self._leaves

    @property
    def can_differentiate(self) -> bool:
        """Whether the loss can be computed without making a variable that training would make later."""
        compiled = getattr(self._model, "_compile_loss", None)
        return compiled is None or bool(getattr(compiled, "built", True))

    def kernels(self) -> Mapping[str, Kernel]:
        """Returns entries of every kernel, by layer path."""
        return kernels_of(self._leaves)

    def call(self, x: Any) -> Call:
        """Calls the model as in inference."""
        with untouched(), keras.StatelessScope():
            seen, end = self._called(x)
        return Call(self._ordered(seen), _arrays(end))

    def differentiate(self, rows: Rows) -> Call:
        """Calls the model as in inference, and differentiates its loss."""
        model = self._model
        variables = list(model.trainable_variables)
        values = [tf.convert_to_tensor(variable.value) for variable in variables]
        scope = keras.StatelessScope(list(zip(variables, values, strict=True)), collect_losses=True)
        with untouched(), tf.GradientTape(watch_accessed_variables=False) as tape, scope:
            tape.watch(values)
            seen, end = self._called(rows.x)
            more = {"training": False} if "training" in inspect.signature(model.compute_loss).parameters else {}
            loss = model.compute_loss(x=rows.x, y=rows.y, y_pred=end, sample_weight=rows.weight, **more)
            penalty = sum(float(item) for item in model.losses)
        gradients = tape.gradient(loss, values)
        return Call(self._ordered(seen), _arrays(end), slopes_of(variables, gradients, self._leaves), penalty)

    def _called(self, x: Any) -> tuple[dict[str, Any], Any]:
        """Calls the model; returns layer outputs by path and the model's own output."""
        if self._shown.sees:
            return self._shown(x)
        has_training = "training" in inspect.signature(self._model.call).parameters
        return {}, self._model(x, training=False) if has_training else self._model(x)

    def _ordered(self, seen: Mapping[str, Any]) -> dict[str, np.ndarray]:
        shown = in_order(seen, [leaf.path for leaf in self._leaves])
        return {path: as_array(output) for path, output in shown.items()}


def slopes_of(variables: Sequence[Any], gradients: Sequence[Any], layers: Sequence[Leaf]) -> tuple[Slope, ...]:
    """Returns gradients with the layers that they belong to.

    Args:
        variables: What was differentiated by.
        gradients: Their gradients, in the same order; None where the loss does not depend on one.
        layers: The layers of the model.
    """
    kernels = {id(leaf.kernel): leaf.path for leaf in layers if leaf.kernel is not None and leaf.kernel.trainable}
    owners = {id(weight): leaf.path for leaf in layers for weight in leaf.layer.weights} | kernels
    return tuple(
        Slope(variable.path, owners.get(id(variable)), id(variable) in kernels, _array(gradient))
        for variable, gradient in zip(variables, gradients, strict=True)
    )


def _array(gradient: Any) -> np.ndarray | None:
    # Of a sparse gradient the values alone: rows of an embedding that were not looked up have none.
    return None if gradient is None else as_array(getattr(gradient, "values", gradient))


def _arrays(end: Any) -> tuple[np.ndarray, ...]:
    return tuple(as_array(value) for value in tf.nest.flatten(end))


@contextlib.contextmanager
def untouched() -> Iterator[None]:
    """Gives the global random generators back as they were: a layer may draw from any of them when it is called."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 (kept as the user has it)
    eager = _eager_generator()
    operations = None if eager is None else eager.getstate()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002 (handed back)
        if eager is not None:
            eager.setstate(operations)


def _eager_generator() -> Any:
    """Returns the generator of the seeds that TensorFlow gives to operations, None where it keeps it elsewhere."""
    from tensorflow.python.eager import context

    return getattr(context.context(), "_rng", None)
