"""The exclusive or of two measurements with two ReLU units.

Two ReLU units can cut off two half planes but not two opposite quadrants, and two idle columns are in the way, so the
run levels off around three quarters. By hand: a hidden layer of 32. Goodfellow et al., "Deep Learning", section 6.1,
for XOR.
"""

from typing import Any

import keras
import numpy as np
from keras import layers

import autofix

TASK = "binary"
FIT: dict[str, Any] = {"epochs": 30, "batch_size": 32}
REFERENCE_FIT = FIT


def quadrants(rows: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Points of a cube in four dimensions; the class says whether the first two signs differ."""
    points = rng.uniform(-1, 1, size=(rows, 4))
    labels = (points[:, 0] * points[:, 1] < 0).astype("int64")
    return points.astype("float32"), labels


def data(seed: int) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """A thousand points to learn from, a thousand held back."""
    rng = np.random.default_rng(seed)
    return quadrants(1000, rng), quadrants(1000, rng)


def build(units: int) -> keras.Model:
    """One hidden layer."""
    net = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(units, activation="relu"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    net.compile(optimizer=keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
    return net


def model(seed: int) -> keras.Model:
    """The author's program."""
    keras.utils.set_random_seed(seed)
    return build(2)


def reference(seed: int) -> keras.Model:
    """The program mended by hand."""
    keras.utils.set_random_seed(seed)
    return build(32)


def main() -> None:
    """Repair the run and print the change log."""
    train, _ = data(0)
    print(autofix.repair(model(0), train, **FIT))


if __name__ == "__main__":
    main()
