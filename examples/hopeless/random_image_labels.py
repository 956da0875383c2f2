"""Hopeless: digits with their labels shuffled. Zhang et al., "Understanding deep learning requires rethinking
generalization", ICLR 2017: a network can learn such labels by heart and will know nothing of new rows."""

from typing import Any

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import autofix

TASK = "multiclass"
FIT: dict[str, Any] = {"epochs": 8, "batch_size": 32}


def data(seed: int) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Real images and somebody else's labels."""
    digits = load_digits()
    y = np.random.default_rng(seed).permutation(digits.target)
    images = digits.images[..., None] / 16.0
    x_train, x_test, y_train, y_test = train_test_split(images, y, test_size=0.4, stratify=y, random_state=seed)
    return (x_train, y_train), (x_test, y_test)


def model(seed: int) -> keras.Model:
    """A convolutional network without a fault."""
    keras.utils.set_random_seed(seed)
    net = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(16, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(32, activation="relu"),
            layers.Dense(10, activation="softmax"),
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
