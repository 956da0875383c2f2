"""The models that are timed: each with data of its shape and the products that a step of it cannot do without."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers

from .floor import Block, Convolution, Dense, Lstm

BATCH = 32


@dataclass(frozen=True)
class Model:
    """One model.

    Attributes:
        name: Name in the table.
        build: Builds it, compiled.
        inputs: Draws inputs for a number of rows.
        classes: Number of classes; 2 means one unit.
        floor: The products of a step.
        xla: Whether the floor is also tried with XLA.
    """

    name: str
    build: Callable[[], keras.Model]
    inputs: Callable[[np.random.Generator, int], Any]
    classes: int
    floor: tuple[Block, ...]
    xla: bool = True

    def data(self, rows: int) -> tuple[Any, np.ndarray]:
        """Inputs and labels; both are noise, which costs a step as much as anything else."""
        rng = np.random.default_rng(0)
        return self.inputs(rng, rows), rng.integers(self.classes, size=rows)


def _compiled(network: keras.Model, binary: bool = False, optimizer: str = "adam") -> keras.Model:
    # With the metric that nearly every program has; the engine leaves it out, because a search needs weights alone.
    loss = "binary_crossentropy" if binary else "sparse_categorical_crossentropy"
    network.compile(optimizer, loss, metrics=["accuracy"])
    return network


def _dense(widths: tuple[int, ...], optimizer: str = "adam") -> keras.Model:
    hidden = [layers.Dense(width, activation="relu") for width in widths[1:-1]]
    return _compiled(
        keras.Sequential([keras.Input((widths[0],)), *hidden, layers.Dense(widths[-1], activation="softmax")]),
        optimizer=optimizer,
    )


def _normal(*shape: int) -> Callable[[np.random.Generator, int], Any]:
    return lambda rng, rows: rng.normal(size=(rows, *shape)).astype("float32")


def _lstm() -> keras.Model:
    return _compiled(keras.Sequential([keras.Input((30, 8)), layers.LSTM(32), layers.Dense(10, activation="softmax")]))


def _cnn() -> keras.Model:
    return _compiled(
        keras.Sequential(
            [
                keras.Input((28, 28, 1)),
                layers.Conv2D(16, 3, padding="same", activation="relu"),
                layers.MaxPooling2D(),
                layers.Conv2D(32, 3, padding="same", activation="relu"),
                layers.Flatten(),
                layers.Dense(10, activation="softmax"),
            ]
        )
    )


def _text() -> keras.Model:
    return _compiled(
        keras.Sequential(
            [
                keras.Input((80,), dtype="int32"),
                layers.Embedding(500, 16),
                layers.GlobalAveragePooling1D(),
                layers.Dense(16, activation="relu"),
                layers.Dense(1, activation="sigmoid"),
            ]
        ),
        binary=True,
    )


def _two_inputs() -> keras.Model:
    image, table = keras.Input((28, 28), name="image"), keras.Input((12,), name="table")
    seen = layers.Dense(32, activation="relu")(layers.Dense(128, activation="relu")(layers.Flatten()(image)))
    both = layers.Concatenate()([seen, layers.Dense(32, activation="relu")(table)])
    both = layers.Dense(32, activation="relu")(both)
    return _compiled(keras.Model([image, table], layers.Dense(10, activation="softmax")(both)))


_SMALL = (64, 64, 64, 64, 64, 64, 64, 10)
_LARGE = (784, 1024, 1024, 10)

MODELS: tuple[Model, ...] = (
    Model("mlp_6x64", lambda: _dense(_SMALL), _normal(64), 10, (Dense(BATCH, _SMALL),)),
    # The floor holds products only. With Adam, reading and writing its slots costs as much again, in `fit` too.
    Model("mlp_large_sgd", lambda: _dense(_LARGE, "sgd"), _normal(784), 10, (Dense(BATCH, _LARGE),)),
    Model("mlp_large_adam", lambda: _dense(_LARGE), _normal(784), 10, (Dense(BATCH, _LARGE),)),
    Model("lstm", _lstm, _normal(30, 8), 10, (Lstm(BATCH, 30, 8, 32), Dense(BATCH, (32, 10), first=False))),
    # On a CPU, XLA's convolutions are many times slower than TensorFlow's own.
    Model(
        "cnn",
        _cnn,
        _normal(28, 28, 1),
        10,
        (
            Convolution(BATCH, 28, 1, 16),
            Convolution(BATCH, 14, 16, 32, first=False),
            Dense(BATCH, (14 * 14 * 32, 10), first=False),
        ),
        xla=False,
    ),
    Model(
        "text",
        _text,
        lambda rng, rows: rng.integers(500, size=(rows, 80)).astype("int32"),
        2,
        (Dense(BATCH, (16, 16, 1), first=False),),
    ),
    Model(
        "two_inputs",
        _two_inputs,
        lambda rng, rows: [_normal(28, 28)(rng, rows), _normal(12)(rng, rows)],
        10,
        (Dense(BATCH, (784, 128, 32)), Dense(BATCH, (12, 32)), Dense(BATCH, (64, 32, 10), first=False)),
    ),
)
