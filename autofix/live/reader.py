"""One full reading of a live model on the reference rows: layer outputs, gradients, penalty, predictions, score."""

from __future__ import annotations

import contextlib
import inspect
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from autofix.live.graph import LayerOutputs, in_order
from autofix.live.reference import Rows
from autofix.probes.activations import read_activations
from autofix.trace import LayerReading
from autofix.trainer.leaves import Leaf, leaves

# Entries of a kernel that are kept to tell how far it moved: the norm of a change is then known to 1 %.
ENTRIES = 2**14
# Positions of a layer's output that statistics are taken of: a unit that is on at one in 1,000 of them is still seen.
POSITIONS = 2**12


@dataclass(frozen=True)
class Gradients:
    """Gradients of one step, or of the reference rows.

    Attributes:
        norms: Euclidean norm of the gradient of each kernel, by layer path.
        total: Global norm.
        disconnected: Paths of the layers (of the variables, where no layer owns them) that the loss does not depend on.
    """

    norms: Mapping[str, float]
    total: float
    disconnected: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """What one look at the model gave.

    Attributes:
        step: Training steps done.
        kernels: Sampled entries of each kernel, by layer path.
        layers: Layer readings; empty where layers cannot be seen.
        gradients: What the gradients are like; None where they were not read.
        penalty: Sum of the regularization losses; None likewise.
        outputs: Raw outputs on the reference rows; empty where there are none.
    """

    step: int
    kernels: Mapping[str, np.ndarray]
    layers: tuple[LayerReading, ...] = ()
    gradients: Gradients | None = None
    penalty: float | None = None
    outputs: tuple[np.ndarray, ...] = ()


class Reader:
    """Looks at a live model and leaves no trace in it.

    Whatever a call would change (running statistics, seed generators, metrics) is caught by a `StatelessScope` and
    dropped, and the generators of Python, NumPy and TensorFlow are given back as they were.

    Args:
        model: The user's model, built.
        outputs: Sees its layers.
        activations: Snake-case activation by layer path.
    """

    def __init__(self, model: keras.Model, outputs: LayerOutputs, activations: Mapping[str, str]) -> None:
        self._model = model
        self._shown = outputs
        self._activations = activations
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

    def read(self, step: int, rows: Rows | None, *, gradients: bool) -> Reading:
        """Takes a reading.

        Args:
            step: Training steps done.
            rows: The reference rows; None leaves it at the weights.
            gradients: Whether to compute the loss and its gradients on them.
        """
        reading = Reading(step, kernels_of(self._leaves))
        if rows is None:
            return reading
        if gradients and rows.y is not None:
            seen, end, loss = self._differentiated(rows)
        else:
            seen, end, loss = *self.forward(rows.x), {}
        outputs = tuple(as_array(value) for value in tf.nest.flatten(end))
        return replace(reading, layers=self._layers(seen, step), outputs=outputs, **loss)

    def outputs(self, x: Any) -> tuple[np.ndarray, ...]:
        """Returns the raw outputs, one array per output."""
        return tuple(as_array(value) for value in tf.nest.flatten(self.forward(x)[1]))

    def forward(self, x: Any) -> tuple[dict[str, Any], Any]:
        """Calls the model as in inference; returns layer outputs by path and the model's own output."""
        with untouched(), keras.StatelessScope():
            return self._call(x)

    def _call(self, x: Any) -> tuple[dict[str, Any], Any]:
        if self._shown.sees:
            return self._shown(x)
        has_training = "training" in inspect.signature(self._model.call).parameters
        return {}, self._model(x, training=False) if has_training else self._model(x)

    def _differentiated(self, rows: Rows) -> tuple[dict[str, Any], Any, dict[str, Any]]:
        """Calls the model under a tape; returns layer outputs, the model's output, and what the loss gives."""
        model = self._model
        variables = list(model.trainable_variables)
        values = [tf.convert_to_tensor(variable.value) for variable in variables]
        scope = keras.StatelessScope(list(zip(variables, values, strict=True)), collect_losses=True)
        with untouched(), tf.GradientTape(watch_accessed_variables=False) as tape, scope:
            tape.watch(values)
            seen, end = self._call(rows.x)
            more = {"training": False} if "training" in inspect.signature(model.compute_loss).parameters else {}
            loss = model.compute_loss(x=rows.x, y=rows.y, y_pred=end, sample_weight=rows.weight, **more)
            penalty = sum(float(item) for item in model.losses)
        gradients = tape.gradient(loss, values)
        return seen, end, {"gradients": read_gradients(variables, gradients, self._leaves), "penalty": penalty}

    def _layers(self, seen: Mapping[str, Any], step: int) -> tuple[LayerReading, ...]:
        """Reads statistics off outputs at hand, through the probe that reads them off layers as they are called."""
        shown = in_order(seen, [leaf.path for leaf in self._leaves])
        stands = {path: _Shown(path, self._kernel(path)) for path in shown}

        def forward() -> None:
            for path, output in shown.items():
                stands[path].layer.call(thinned(as_array(output)))

        readings = read_activations(tuple(stands.values()), forward, step, activations=self._activations)
        return tuple(replace(item, weight_norm=item.weight_norm * stands[item.layer].scale) for item in readings)

    def _kernel(self, path: str) -> Any:
        return next((leaf.kernel for leaf in self._leaves if leaf.path == path), None)


class _Shown:
    """Stands in for a layer whose output is at hand, with sampled entries for its kernel."""

    def __init__(self, path: str, kernel: Any) -> None:
        self.path = path
        self.layer = _Echo()
        self.kernel = None if kernel is None else sampled(kernel)
        size = 0 if kernel is None else math.prod(kernel.shape)
        self.scale = math.sqrt(size / len(self.kernel)) if self.kernel is not None and len(self.kernel) else 1.0


class _Echo:
    """A layer whose `call` gives back what it gets."""

    def __init__(self) -> None:
        self.call: Callable[[Any], Any] = lambda value: value


def kernels_of(layers: Sequence[Leaf]) -> Mapping[str, np.ndarray]:
    """Returns sampled entries of every trainable kernel, by layer path."""
    kernels = ((leaf.path, leaf.kernel) for leaf in layers if leaf.kernel is not None and leaf.kernel.trainable)
    return MappingProxyType({path: sampled(kernel) for path, kernel in kernels})


def sampled(kernel: Any) -> np.ndarray:
    """Returns a copy of at most some thousand entries of a variable, always the same ones."""
    flat = np.asarray(kernel.value).reshape(-1)
    return np.array(flat[:: max(1, -(-flat.size // ENTRIES))], "float32")


def thinned(output: np.ndarray) -> np.ndarray:
    """Returns the units at some positions of an output that has more (pixels, time steps) than statistics need."""
    if output.ndim <= 2:
        return output
    units = output.reshape(-1, output.shape[-1])
    # An odd stride meets every column of an image of even width.
    return units[:: -(-len(units) // POSITIONS) | 1] if len(units) > POSITIONS else units


def as_array(value: Any) -> np.ndarray:
    """Returns a tensor as an array; half-precision floats in 32 bits, which NumPy can count with."""
    if value.dtype.is_floating and value.dtype.size < 4:
        value = tf.cast(value, "float32")
    return np.asarray(value)


def read_gradients(variables: Sequence[Any], gradients: Sequence[Any], layers: Sequence[Leaf]) -> Gradients:
    """Reads gradients.

    Args:
        variables: What was differentiated by.
        gradients: Their gradients, in the same order; None where the loss does not depend on one.
        layers: The layers of the model; those with a trainable kernel get a norm.
    """
    each = {id(variable): _norm(gradient) for variable, gradient in zip(variables, gradients, strict=True)}
    kernels = ((leaf.path, leaf.kernel) for leaf in layers if leaf.kernel is not None and leaf.kernel.trainable)
    owners = {id(weight): leaf.path for leaf in layers for weight in leaf.layer.weights}
    none = (v for v, gradient in zip(variables, gradients, strict=True) if gradient is None)
    return Gradients(
        {path: each.get(id(kernel), 0.0) for path, kernel in kernels},
        math.hypot(*each.values()),
        tuple(dict.fromkeys(owners.get(id(variable), variable.path) for variable in none)),
    )


def _norm(gradient: Any) -> float:
    if gradient is None:
        return 0.0
    return float(np.linalg.norm(as_array(getattr(gradient, "values", gradient)).reshape(-1)))


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
