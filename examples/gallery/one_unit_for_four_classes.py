"""One sigmoid unit and binary cross-entropy for four classes numbered 0..3.

A binary head copied from a tutorial: labels 2 and 3 lie outside what the loss is made for, its value goes to minus
infinity and the unit to 1. By hand: four units, a softmax, sparse categorical cross-entropy.
"""

from typing import Any

import keras
import numpy as np
from keras import layers

import autofix

TASK = "multiclass"
FIT: dict[str, Any] = {"epochs": 25, "batch_size": 32}
REFERENCE_FIT = FIT


def machine_states(rows: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Sensor readings of a machine that idles, runs, heats up or vibrates."""
    state = np.arange(rows) % 4
    centres = np.array(
        [[-1, -1, 0, 0, 0.5], [1, -1, 0, 0.5, 0], [1, 1, 0.5, 0, 0], [-1, 1, 0, -0.5, -0.5]], dtype="float64"
    )
    readings = centres[state] + 0.55 * rng.normal(size=(rows, 5))
    return readings.astype("float32"), state


def data(seed: int) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """A thousand readings to learn from, a thousand held back."""
    rng = np.random.default_rng(seed)
    return machine_states(1000, rng), machine_states(1000, rng)


def build(head: layers.Layer, loss: str) -> keras.Model:
    """Two hidden layers and a head."""
    net = keras.Sequential(
        [keras.Input((5,)), layers.Dense(32, activation="relu"), layers.Dense(16, activation="relu")]
    )
    net.add(head)
    net.compile(optimizer="adam", loss=loss, metrics=["accuracy"])
    return net


def model(seed: int) -> keras.Model:
    """The author's program."""
    keras.utils.set_random_seed(seed)
    return build(layers.Dense(1, activation="sigmoid"), "binary_crossentropy")


def reference(seed: int) -> keras.Model:
    """The program mended by hand."""
    keras.utils.set_random_seed(seed)
    return build(layers.Dense(4, activation="softmax"), "sparse_categorical_crossentropy")


def main() -> None:
    """Repair the run and print the change log."""
    train, _ = data(0)
    print(autofix.repair(model(0), train, **FIT))


if __name__ == "__main__":
    main()
