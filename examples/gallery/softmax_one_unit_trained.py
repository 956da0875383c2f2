"""The same fault in a model that comes trained: a softmax on one unit, noticed after the fact.

Keras trained on the logits behind the softmax, so the weights are good and only the last activation hides it. By hand:
a sigmoid in place of the softmax, on the same weights; nothing needs to be trained again.
"""

from typing import Any

import keras
import numpy as np
from keras import layers

import autofix

TASK = "binary"
FIT: dict[str, Any] = {"epochs": 20, "batch_size": 32}
REFERENCE_FIT = FIT


def moons(rows: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two interleaved half circles and three columns of noise."""
    y = np.arange(rows) % 2
    angle = rng.uniform(0, np.pi, size=rows)
    horizontal = np.where(y == 0, np.cos(angle), 1 - np.cos(angle))
    vertical = np.where(y == 0, np.sin(angle), 0.5 - np.sin(angle))
    x = np.column_stack([horizontal, vertical, np.zeros((rows, 3))]) + 0.2 * rng.normal(size=(rows, 5))
    return x.astype("float32"), y


def data(seed: int) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Eight hundred points to learn from, a thousand held back."""
    rng = np.random.default_rng(seed)
    return moons(800, rng), moons(1000, rng)


def build(activation: str) -> keras.Model:
    """A classifier for points."""
    inputs = keras.Input((5,))
    x = layers.Dense(32, activation="relu")(inputs)
    x = layers.Dense(32, activation="relu")(x)
    outputs = layers.Dense(1, activation=activation, name="class")(x)
    net = keras.Model(inputs, outputs)
    net.compile(keras.optimizers.Adam(5e-3), loss="binary_crossentropy", metrics=["accuracy"])
    return net


def model(seed: int) -> keras.Model:
    """The author's program, after its training."""
    keras.utils.set_random_seed(seed)
    net = build("softmax")
    net.fit(*data(seed)[0], verbose=0, **FIT)
    return net


def reference(seed: int) -> keras.Model:
    """The program mended by hand."""
    keras.utils.set_random_seed(seed)
    return build("sigmoid")


def main() -> None:
    """Repair the run and print the change log."""
    train, _ = data(0)
    print(autofix.repair(model(0), train, **FIT))


if __name__ == "__main__":
    main()
