"""A ReLU recurrent net over fifty steps whose loss is NaN in the first epoch.

The recurrent kernel starts with a spectral radius near 3, and a ReLU lets 3 to the power of 50 through. By hand: the
defaults of the layer (tanh, orthogonal kernel) and a clipped gradient norm. Pascanu et al., "On the difficulty of
training recurrent neural networks", ICML 2013.
"""

from typing import Any

import keras
import numpy as np
from keras import layers

import autofix

TASK = "regression"
FIT: dict[str, Any] = {"epochs": 8, "batch_size": 32}
REFERENCE_FIT = FIT
STEPS = 50


def waves(rows: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Noisy sines of different lengths; the target is the next value."""
    frequency = rng.uniform(0.05, 0.3, size=(rows, 1))
    phase = rng.uniform(0, 2 * np.pi, size=(rows, 1))
    t = np.arange(STEPS + 1)[None, :]
    series = np.sin(2 * np.pi * frequency * t / 2 + phase) + 0.05 * rng.normal(size=(rows, STEPS + 1))
    return series[:, :STEPS, None].astype("float32"), series[:, STEPS].astype("float32")


def data(seed: int) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """A thousand series to learn from, five hundred held back."""
    rng = np.random.default_rng(seed)
    return waves(1000, rng), waves(500, rng)


def model(seed: int) -> keras.Model:
    """The author's program."""
    keras.utils.set_random_seed(seed)
    forecaster = keras.Sequential(
        [
            keras.Input((STEPS, 1)),
            layers.SimpleRNN(32, activation="relu", recurrent_initializer=keras.initializers.RandomNormal(0.0, 0.5)),
            layers.Dense(16, activation="relu"),
            layers.Dense(1),
        ]
    )
    forecaster.compile(keras.optimizers.SGD(0.05), loss="mse")
    return forecaster


def reference(seed: int) -> keras.Model:
    """The program mended by hand."""
    keras.utils.set_random_seed(seed)
    forecaster = keras.Sequential(
        [
            keras.Input((STEPS, 1)),
            layers.SimpleRNN(32),
            layers.Dense(16, activation="relu"),
            layers.Dense(1),
        ]
    )
    forecaster.compile(keras.optimizers.SGD(0.05, clipnorm=1.0), loss="mse")
    return forecaster


def main() -> None:
    """Repair the run and print the change log."""
    train, _ = data(0)
    print(autofix.repair(model(0), train, **FIT))


if __name__ == "__main__":
    main()
