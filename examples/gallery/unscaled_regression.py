"""Features a hundred times and targets ten times too large for plain SGD: the loss is NaN after a few batches.

The squared error of raw targets on raw features gives gradients in the millions. By hand: standardize the features and
the target. TheDeepChecker (2022) and the Tuning Playbook both put unscaled data first among the causes of divergence.
"""

from typing import Any

import keras
import numpy as np
from keras import layers
from sklearn.datasets import make_friedman1
from sklearn.model_selection import train_test_split

import autofix

TASK = "regression"
FIT: dict[str, Any] = {"epochs": 30, "batch_size": 32}
REFERENCE_FIT = FIT


def data(seed: int) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Friedman's first problem in raw units: features 0..100, targets 0..300."""
    x, y = make_friedman1(n_samples=1200, n_features=8, noise=0.5, random_state=seed)
    x_train, x_test, y_train, y_test = train_test_split(x * 100.0, y * 10.0, test_size=0.4, random_state=seed)
    return (x_train, y_train), (x_test, y_test)


def build(scaling: list[keras.layers.Layer]) -> keras.Model:
    """A regressor of two hidden layers."""
    regressor = keras.Sequential(
        [
            keras.Input((8,)),
            *scaling,
            layers.Dense(32, activation="relu"),
            layers.Dense(32, activation="relu"),
            layers.Dense(1),
        ]
    )
    regressor.compile(optimizer="sgd", loss="mse", metrics=["mae"])
    return regressor


def model(seed: int) -> keras.Model:
    """The author's program."""
    keras.utils.set_random_seed(seed)
    return build([])


def reference(seed: int) -> keras.Model:
    """The program mended by hand: features standardized by a layer."""
    keras.utils.set_random_seed(seed)
    normalization = layers.Normalization()
    normalization.adapt(data(seed)[0][0])
    return build([normalization])


def reference_data(x: Any, y: Any) -> tuple[Any, Any]:
    """Targets of about unit size, as the mended program is trained on."""
    return x, (np.asarray(y) - 144.0) / 49.0


def main() -> None:
    """Repair the run and print the change log."""
    train, _ = data(0)
    print(autofix.repair(model(0), train, **FIT))


if __name__ == "__main__":
    main()
