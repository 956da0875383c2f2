"""Hopeless: the diabetes table with its targets shuffled."""

from typing import Any

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

import autofix

TASK = "regression"
FIT: dict[str, Any] = {"epochs": 20, "batch_size": 32}


def data(seed: int) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Real inputs and somebody else's targets."""
    x, y = load_diabetes(return_X_y=True)
    y = np.random.default_rng(seed).permutation((y - 152.0) / 77.0)
    x_train, x_test, y_train, y_test = train_test_split(x * 20, y, test_size=0.4, random_state=seed)
    return (x_train, y_train), (x_test, y_test)


def model(seed: int) -> keras.Model:
    """A regressor without a fault."""
    keras.utils.set_random_seed(seed)
    net = keras.Sequential([keras.Input((10,)), layers.Dense(16, activation="relu"), layers.Dense(1)])
    net.compile(optimizer="adam", loss="mse", metrics=["mae"])
    return net


def main() -> None:
    """Ask for a repair that nobody can make."""
    train, _ = data(0)
    print(autofix.repair(model(0), train, **FIT))


if __name__ == "__main__":
    main()
