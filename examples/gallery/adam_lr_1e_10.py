"""Adam with a learning rate of 1e-10 on a regression: the weights do not move at all in float32.

A step of 1e-10 is lost in the rounding of a weight of size 0.1. The model predicts what its initial weights predict.
By hand: a learning rate of 0.01.
"""

from typing import Any

import keras
import numpy as np
from keras import layers

import autofix

TASK = "regression"
FIT: dict[str, Any] = {"epochs": 30, "batch_size": 32}
REFERENCE_FIT = FIT


def house_prices(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Standardized facts about houses and a price around zero."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 6))
    area, rooms, age, distance, noise_level, garden = x.T
    price = 0.9 * area + 0.3 * rooms - 0.4 * age * (age > 0) - 0.5 * distance + 0.3 * area * garden - 0.2 * noise_level
    return x.astype("float32"), (price + 0.3 * rng.normal(size=rows)).astype("float32")


def data(seed: int) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """A thousand houses to learn from, five hundred held back."""
    x, y = house_prices(1500, seed)
    return (x[:1000], y[:1000]), (x[1000:], y[1000:])


def build(learning_rate: float) -> keras.Model:
    """Two hidden layers and a linear output."""
    features = keras.Input((6,), name="features")
    h = layers.Dense(32, activation="relu")(features)
    h = layers.Dense(16, activation="relu")(h)
    price = layers.Dense(1, name="price")(h)
    regressor = keras.Model(features, price)
    regressor.compile(keras.optimizers.Adam(learning_rate), loss="mean_squared_error")
    return regressor


def model(seed: int) -> keras.Model:
    """The author's program."""
    keras.utils.set_random_seed(seed)
    return build(1e-10)


def reference(seed: int) -> keras.Model:
    """The program mended by hand."""
    keras.utils.set_random_seed(seed)
    return build(1e-2)


def main() -> None:
    """Repair the run and print the change log."""
    train, _ = data(0)
    print(autofix.repair(model(0), train, **FIT))


if __name__ == "__main__":
    main()
