"""The CNN's training step in bare TensorFlow: what any engine on TensorFlow's own kernels has to pay for it.

The arithmetic floor counts products alone. A convolutional step has more that cannot be left out: pooling, activations,
their gradients, the sums of the biases and Adam. Here they stand without Keras, in one loop, so that what is above this
is what an engine adds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from .models import BATCH

RATE, BETA_1, BETA_2, EPSILON = 1e-3, 0.9, 0.999, 1e-7


def cnn(weights: list[np.ndarray], x: np.ndarray, y: np.ndarray) -> Callable[[int], float]:
    """Compile the loop; returns a function that trains a number of steps and returns the seconds of one.

    Args:
        weights: Kernels and biases of the convolutions and of the dense layer, as Keras orders them.
        x: Images, float array [rows, height, width, 1].
        y: Labels, int array [rows].
    """
    import tensorflow as tf

    images, labels = tf.constant(x), tf.constant(y.astype("int32"))
    variables = [tf.Variable(value) for value in weights]
    means = [tf.Variable(tf.zeros_like(value)) for value in weights]
    squares = [tf.Variable(tf.zeros_like(value)) for value in weights]
    done = tf.Variable(0.0)

    def loss(rows: Any) -> Any:
        first, first_bias, second, second_bias, dense, dense_bias = variables
        out = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(tf.gather(images, rows), first, 1, "SAME"), first_bias))
        out = tf.nn.max_pool2d(out, 2, 2, "VALID")
        out = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(out, second, 1, "SAME"), second_bias))
        logits = tf.nn.bias_add(tf.matmul(tf.reshape(out, [BATCH, -1]), dense), dense_bias)
        return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(tf.gather(labels, rows), logits))

    def step(rows: Any) -> Any:
        with tf.GradientTape() as tape:
            found = loss(rows)
        done.assign_add(1.0)
        rate = RATE * tf.sqrt(1.0 - BETA_2**done) / (1.0 - BETA_1**done)
        gradients = tape.gradient(found, variables)
        for variable, mean, square, gradient in zip(variables, means, squares, gradients, strict=True):
            mean.assign_add((gradient - mean) * (1.0 - BETA_1))
            square.assign_add((gradient * gradient - square) * (1.0 - BETA_2))
            variable.assign_sub(mean * rate / (tf.sqrt(square) + EPSILON))
        return found

    @tf.function(autograph=False, input_signature=[tf.TensorSpec([None], tf.int32), tf.TensorSpec([], tf.int32)])
    def loop(order: Any, steps: Any) -> Any:
        def body(i: Any, losses: Any) -> Any:
            return i + 1, losses.write(i, step(order[i * BATCH : (i + 1) * BATCH]))

        losses = tf.TensorArray(tf.float32, size=steps)
        return tf.while_loop(lambda i, _: i < steps, body, (0, losses), parallel_iterations=1)[1].stack()

    def seconds(steps: int) -> float:
        order = tf.constant(np.resize(np.arange(len(x)), steps * BATCH).astype("int32"))
        began = time.perf_counter()
        loop(order, steps).numpy()
        return (time.perf_counter() - began) / steps

    seconds(2)
    return seconds
