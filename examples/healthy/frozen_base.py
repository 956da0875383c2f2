"""Healthy: a base pretrained on the digits 0..4 and frozen, with a new head for the digits 5..9.

The usual first stage of transfer learning. The base is frozen on purpose and the head learns well on top of it.
"""

from typing import Any

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import autofix

TASK = "multiclass"
FIT: dict[str, Any] = {"epochs": 20, "batch_size": 32}


def digits_between(low: int, high: int) -> tuple[np.ndarray, np.ndarray]:
    """Images of some digits and labels that count from 0."""
    digits = load_digits()
    chosen = (digits.target >= low) & (digits.target <= high)
    return (digits.images[chosen, :, :, None] / 16).astype("float32"), digits.target[chosen] - low


def data(seed: int) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """The digits 5..9, 30 % held back."""
    x, y = digits_between(5, 9)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.3, stratify=y, random_state=seed)
    return (x_train, y_train), (x_test, y_test)


def pretrained_base() -> keras.Model:
    """A convolutional base that has learned to read the digits 0..4."""
    base = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
        ],
        name="base",
    )
    reader = keras.Sequential([base, layers.Dense(5, activation="softmax")])
    reader.compile("adam", "sparse_categorical_crossentropy")
    reader.fit(*digits_between(0, 4), epochs=8, batch_size=32, verbose=0)
    return base


def model(seed: int) -> keras.Model:
    """The frozen base with a head that is still to be trained."""
    keras.utils.set_random_seed(seed)
    base = pretrained_base()
    base.trainable = False
    inputs = keras.Input((8, 8, 1))
    features = base(inputs, training=False)
    hidden = layers.Dense(32, activation="relu")(features)
    net = keras.Model(inputs, layers.Dense(5, activation="softmax")(hidden))
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net


def main() -> None:
    """Ask for a repair of a run that needs none."""
    train, _ = data(0)
    print(autofix.repair(model(0), train, **FIT))


if __name__ == "__main__":
    main()
