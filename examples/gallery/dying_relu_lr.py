"""Momentum SGD at a rate that kills every ReLU in the first epoch of a regression.

The first large steps push the biases so far down that all units are off for good; from then on the model predicts a
constant, the mean, and the loss rests at the variance of the target. By hand: a twentieth of the rate. CS231n notes on
neural networks, "dead ReLU units".
"""

from typing import Any

import keras
from keras import layers
from sklearn.datasets import make_friedman1
from sklearn.model_selection import train_test_split

import autofix

TASK = "regression"
FIT: dict[str, Any] = {"epochs": 20, "batch_size": 32}
REFERENCE_FIT = FIT


def data(seed: int) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Friedman's first problem: features 0..1, targets 0..30."""
    x, y = make_friedman1(n_samples=1200, n_features=6, noise=0.5, random_state=seed)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.4, random_state=seed)
    return (x_train, y_train), (x_test, y_test)


def build(learning_rate: float) -> keras.Model:
    """A regressor of three hidden layers."""
    net = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(32, activation="relu", kernel_initializer="he_normal"),
            layers.Dense(32, activation="relu", kernel_initializer="he_normal"),
            layers.Dense(32, activation="relu", kernel_initializer="he_normal"),
            layers.Dense(1),
        ]
    )
    net.compile(keras.optimizers.SGD(learning_rate, momentum=0.9), loss="mse", metrics=["mae"])
    return net


def model(seed: int) -> keras.Model:
    """The author's program."""
    keras.utils.set_random_seed(seed)
    return build(0.01)


def reference(seed: int) -> keras.Model:
    """The program mended by hand."""
    keras.utils.set_random_seed(seed)
    return build(0.0005)


def main() -> None:
    """Repair the run and print the change log."""
    train, _ = data(0)
    print(autofix.repair(model(0), train, **FIT))


if __name__ == "__main__":
    main()
