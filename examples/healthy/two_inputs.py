"""Healthy: a functional model with two inputs, a picture and a table row, given as a dictionary."""

from typing import Any

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import autofix

TASK = "binary"
FIT: dict[str, Any] = {"epochs": 12, "batch_size": 32}


def data(seed: int) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Digits and a pair of numbers; is the digit larger than the threshold that the pair adds up to?"""
    digits = load_digits()
    rng = np.random.default_rng(seed)
    pair = rng.uniform(1, 4, size=(len(digits.target), 2))
    y = (digits.target > pair.sum(axis=1)).astype("int64")
    rows_train, rows_test = train_test_split(np.arange(len(y)), test_size=0.3, stratify=y, random_state=seed)

    def part(rows: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
        images = (digits.images[rows, :, :, None] / 16).astype("float32")
        return {"image": images, "pair": pair[rows].astype("float32")}, y[rows]

    return part(rows_train), part(rows_test)


def model(seed: int) -> keras.Model:
    """Two branches that meet."""
    keras.utils.set_random_seed(seed)
    image = keras.Input((8, 8, 1), name="image")
    pair = keras.Input((2,), name="pair")
    seen = layers.Conv2D(16, 3, activation="relu")(image)
    seen = layers.Dense(32, activation="relu")(layers.Flatten()(seen))
    both = layers.Concatenate()([seen, layers.Dense(8, activation="relu")(pair)])
    larger = layers.Dense(1, activation="sigmoid", name="larger")(layers.Dense(32, activation="relu")(both))
    net = keras.Model({"image": image, "pair": pair}, larger)
    net.compile(keras.optimizers.Adam(3e-3), loss="binary_crossentropy", metrics=["accuracy"])
    return net


def main() -> None:
    """Ask for a repair of a run that needs none."""
    train, _ = data(0)
    print(autofix.repair(model(0), train, **FIT))


if __name__ == "__main__":
    main()
