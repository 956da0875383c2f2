"""A sigmoid output for targets between 0 and 30.

The output cannot leave (0, 1): it goes to 1 for every row and its gradient to 0. By hand: a linear output. 24 of the
109 programs of the deepmufl collection have a bounded or rectified output under a regression loss.
"""

from typing import Any

import keras
from keras import layers
from sklearn.datasets import make_friedman1
from sklearn.model_selection import train_test_split

import autofix

TASK = "regression"
FIT: dict[str, Any] = {"epochs": 40, "batch_size": 32}
REFERENCE_FIT = FIT


def data(seed: int) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Friedman's first problem: features 0..1, targets 0..30."""
    x, y = make_friedman1(n_samples=1200, n_features=6, noise=0.5, random_state=seed)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.4, random_state=seed)
    return (x_train, y_train), (x_test, y_test)


def build(activation: str) -> keras.Model:
    """A regressor of two hidden layers."""
    net = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(64, activation="relu"),
            layers.Dense(32, activation="relu"),
            layers.Dense(1, activation=activation),
        ]
    )
    net.compile(optimizer=keras.optimizers.Adam(3e-3), loss="mse", metrics=["mae"])
    return net


def model(seed: int) -> keras.Model:
    """The author's program."""
    keras.utils.set_random_seed(seed)
    return build("sigmoid")


def reference(seed: int) -> keras.Model:
    """The program mended by hand."""
    keras.utils.set_random_seed(seed)
    return build("linear")


def main() -> None:
    """Repair the run and print the change log."""
    train, _ = data(0)
    print(autofix.repair(model(0), train, **FIT))


if __name__ == "__main__":
    main()
