"""The arithmetic floor: the matrix products of one training step, on the same shapes, and nothing else.

Of a layer these are the forward product, the gradient of the weights and, where a trained layer comes before it, the
gradient of the inputs. No activation, no loss, no optimizer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import numpy as np

# Different inputs that take turns, so that no compiler can move a product out of the loop.
VARIANTS = 8

Tensors = dict[str, Any]


class Block(Protocol):
    """Products of some layers that follow each other."""

    @property
    def multiply_adds(self) -> int:
        """Multiplications with an addition in one step."""

    def operands(self, draw: Callable[..., Any]) -> Tensors:
        """Draw the tensors that are multiplied; those that begin with `_` hold one entry a variant."""

    def products(self, given: Tensors) -> list[Any]:
        """Multiply; returns whatever would otherwise go unused and be left out."""


@dataclass(frozen=True)
class Dense:
    """Dense layers one after the other.

    Attributes:
        rows: Rows in a batch.
        widths: Inputs of the first layer, then the units of each.
        first: Whether no trained layer comes before: its inputs need no gradient.
    """

    rows: int
    widths: tuple[int, ...]
    first: bool = True

    @property
    def multiply_adds(self) -> int:
        """Three products a layer, two in a first one."""
        sizes = [a * b for a, b in pairwise(self.widths)]
        return self.rows * (3 * sum(sizes) - (sizes[0] if self.first else 0))

    def operands(self, draw: Callable[..., Any]) -> Tensors:
        """Inputs, output gradients and kernels."""
        kernels = {f"kernel{i}": draw(a, b, scale=a**-0.5) for i, (a, b) in enumerate(pairwise(self.widths))}
        ends = {"_x": draw(VARIANTS, self.rows, self.widths[0]), "_g": draw(VARIANTS, self.rows, self.widths[-1])}
        return kernels | ends

    def products(self, given: Tensors) -> list[Any]:
        """The linear network forward and backward."""
        import tensorflow as tf

        kernels = [given[f"kernel{i}"] for i in range(len(self.widths) - 1)]
        inputs = [given["_x"]]
        for kernel in kernels:
            inputs.append(tf.matmul(inputs[-1], kernel))
        results, gradient = [inputs[-1]], given["_g"]
        for index in reversed(range(len(kernels))):
            results.append(tf.matmul(inputs[index], gradient, transpose_a=True))
            if index or not self.first:
                gradient = tf.matmul(gradient, kernels[index], transpose_b=True)
        return results if self.first else [*results, gradient]


@dataclass(frozen=True)
class Lstm:
    """An LSTM as a first layer: the products of each time step.

    Attributes:
        rows: Rows in a batch.
        steps: Time steps.
        inputs: Features in a time step.
        units: Units.
    """

    rows: int
    steps: int
    inputs: int
    units: int

    @property
    def multiply_adds(self) -> int:
        """Inputs: forward and weight gradient; states: these and the gradient that goes back in time."""
        gates = 4 * self.units
        return self.rows * self.steps * gates * (2 * self.inputs + 3 * self.units)

    def operands(self, draw: Callable[..., Any]) -> Tensors:
        """Inputs, gate gradients and both kernels."""
        gates = 4 * self.units
        return {
            "kernel": draw(self.inputs, gates, scale=self.inputs**-0.5),
            "recurrent": draw(self.units, gates, scale=self.units**-0.5),
            "_x": draw(VARIANTS, self.steps, self.rows, self.inputs),
            "_g": draw(VARIANTS, self.steps, self.rows, gates),
        }

    def products(self, given: Tensors) -> list[Any]:
        """One time step after the other; sums only where products of several steps make one result."""
        import tensorflow as tf

        kernel, recurrent = given["kernel"], given["recurrent"]
        inputs, gradients = tf.unstack(given["_x"]), tf.unstack(given["_g"])
        states = [inputs[0][:, :1] * tf.zeros([1, self.units])]
        for x in inputs:
            states.append((tf.matmul(x, kernel) + tf.matmul(states[-1], recurrent))[:, : self.units])
        by_input = [tf.matmul(x, g, transpose_a=True) for x, g in zip(inputs, gradients, strict=True)]
        by_state = [tf.matmul(h, g, transpose_a=True) for h, g in zip(states[:-1], gradients, strict=True)]
        back = [tf.matmul(g, recurrent, transpose_b=True) for g in gradients]
        return [states[-1], tf.add_n(by_input), tf.add_n(by_state), tf.add_n(back)]


@dataclass(frozen=True)
class Convolution:
    """A 3x3 convolution that keeps the size of the image.

    Attributes:
        rows: Rows in a batch.
        size: Height and width.
        channels: Channels in.
        filters: Channels out.
        first: Whether no trained layer comes before.
    """

    rows: int
    size: int
    channels: int
    filters: int
    first: bool = True

    @property
    def multiply_adds(self) -> int:
        """Three products, two in a first layer; the border is counted as if it were not padded."""
        return (2 if self.first else 3) * self.rows * self.size**2 * 9 * self.channels * self.filters

    def operands(self, draw: Callable[..., Any]) -> Tensors:
        """Images, output gradients and filters."""
        return {
            "kernel": draw(3, 3, self.channels, self.filters, scale=(9 * self.channels) ** -0.5),
            "_x": draw(VARIANTS, self.rows, self.size, self.size, self.channels),
            "_g": draw(VARIANTS, self.rows, self.size, self.size, self.filters),
        }

    def products(self, given: Tensors) -> list[Any]:
        """The convolution and both its gradients."""
        import tensorflow as tf

        x, g, kernel = given["_x"], given["_g"], given["kernel"]
        options = {"strides": [1, 1, 1, 1], "padding": "SAME"}
        results = [
            tf.nn.conv2d(x, kernel, **options),
            tf.raw_ops.Conv2DBackpropFilter(input=x, filter_sizes=kernel.shape, out_backprop=g, **options),
        ]
        if not self.first:
            results.append(tf.nn.conv2d_transpose(g, kernel, x.shape, **options))
        return results


def multiply_adds(blocks: Sequence[Block]) -> int:
    """Sum up one training step."""
    return sum(block.multiply_adds for block in blocks)


def compiled(blocks: Sequence[Block], *, xla: bool) -> Callable[[int], None]:
    """Return a compiled function that does the products of a number of steps.

    Args:
        blocks: What a step is made of.
        xla: Whether to compile with XLA.
    """
    import tensorflow as tf

    rng = np.random.default_rng(0)

    def draw(*shape: int, scale: float = 1.0) -> Any:
        return tf.constant(scale * rng.standard_normal(math.prod(shape)).reshape(shape), tf.float32)

    operands = [block.operands(draw) for block in blocks]

    def step(index: Any) -> list[Any]:
        turn = index % VARIANTS
        results: list[Any] = []
        for block, tensors in zip(blocks, operands, strict=True):
            given = {name: value[turn] if name.startswith("_") else value for name, value in tensors.items()}
            results += block.products(given)
        return results

    @tf.function(jit_compile=xla, input_signature=[tf.TensorSpec([], tf.int32)])
    def loop(count: Any) -> Any:
        # Results go round the loop: what nobody asks for would be left out.
        began = (tf.constant(1), *step(tf.constant(0)))
        return tf.while_loop(lambda i, *_: i < count, lambda i, *_: (i + 1, *step(i)), began, parallel_iterations=1)[1:]

    def run(count: int) -> None:
        tf.nest.map_structure(lambda tensor: tensor.numpy(), loop(tf.constant(count, tf.int32)))

    return run
