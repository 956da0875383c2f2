"""Two thousand units for eighty rows, no regularization.

A million weights learn the noise of eighty targets by heart: the training loss goes to zero while new rows are
answered worse than by a ridge regression. By hand: an L2 penalty of 0.05 on every kernel.
"""

from typing import Any

import keras
import numpy as np
from keras import layers

import autofix

TASK = "regression"
FIT: dict[str, Any] = {"epochs": 60, "batch_size": 16}
REFERENCE_FIT = FIT


def trials(rows: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Four measurements a patient, of which two matter, and a noisy response."""
    x = rng.normal(size=(rows, 4))
    response = np.sin(1.5 * x[:, 0]) + 0.7 * x[:, 1] + 0.8 * rng.normal(size=rows)
    return x.astype("float32"), response.astype("float32")


def data(seed: int) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Eighty patients to learn from, a thousand held back."""
    rng = np.random.default_rng(seed)
    return trials(80, rng), trials(1000, rng)


def build(penalty: keras.regularizers.Regularizer | None) -> keras.Model:
    """Two hidden layers of a thousand units."""
    net = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(1000, activation="relu", kernel_regularizer=penalty),
            layers.Dense(1000, activation="relu", kernel_regularizer=penalty),
            layers.Dense(1, kernel_regularizer=penalty),
        ]
    )
    net.compile(optimizer="adam", loss="mse", metrics=["mae"])
    return net


def model(seed: int) -> keras.Model:
    """The author's program."""
    keras.utils.set_random_seed(seed)
    return build(None)


def reference(seed: int) -> keras.Model:
    """The program mended by hand."""
    keras.utils.set_random_seed(seed)
    return build(keras.regularizers.L2(0.05))


def main() -> None:
    """Repair the run and print the change log."""
    train, _ = data(0)
    print(autofix.repair(model(0), train, **FIT))


if __name__ == "__main__":
    main()
