"""Hopeless: five classes drawn by lot over generated features."""

from typing import Any

import keras
import numpy as np
from keras import layers

import autofix

TASK = "multiclass"
FIT: dict[str, Any] = {"epochs": 15, "batch_size": 32}


def data(seed: int) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """A thousand rows to learn from, a thousand held back, nothing to find in either."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(2000, 12)).astype("float32")
    y = rng.integers(0, 5, size=2000)
    return (x[:1000], y[:1000]), (x[1000:], y[1000:])


def model(seed: int) -> keras.Model:
    """A classifier without a fault."""
    keras.utils.set_random_seed(seed)
    net = keras.Sequential(
        [
            keras.Input((12,)),
            layers.Dense(32, activation="relu"),
            layers.Dense(32, activation="relu"),
            layers.Dense(5, activation="softmax"),
        ]
    )
    net.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return net


def main() -> None:
    """Ask for a repair that nobody can make."""
    train, _ = data(0)
    print(autofix.repair(model(0), train, **FIT))


if __name__ == "__main__":
    main()
