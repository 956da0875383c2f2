"""Wine cultivars numbered 1, 2, 3 and a softmax of three units.

Sparse categorical cross-entropy counts from 0: class 3 lies outside the output, so TensorFlow refuses the batch on a
CPU and yields NaN on a GPU. By hand: subtract 1 from the labels.
"""

from typing import Any

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split

import autofix

TASK = "multiclass"
FIT: dict[str, Any] = {"epochs": 40, "batch_size": 16}
REFERENCE_FIT = FIT


def data(seed: int) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """The wine table with its cultivars as the original file numbers them."""
    x, y = load_wine(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x, y + 1, test_size=0.4, stratify=y, random_state=seed)
    return (x_train, y_train), (x_test, y_test)


def model(seed: int) -> keras.Model:
    """The author's program."""
    keras.utils.set_random_seed(seed)
    normalization = layers.Normalization()
    normalization.adapt(data(seed)[0][0])
    inputs = keras.Input((13,))
    hidden = layers.Dense(24, activation="relu")(normalization(inputs))
    cultivar = layers.Dense(3, activation="softmax")(hidden)
    net = keras.Model(inputs, cultivar)
    net.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return net


def reference(seed: int) -> keras.Model:
    """The same model; the hand-made fix is in the labels."""
    return model(seed)


def reference_data(x: Any, y: Any) -> tuple[Any, Any]:
    """Labels that count from 0."""
    return x, np.asarray(y) - 1


def main() -> None:
    """Repair the run and print the change log."""
    train, _ = data(0)
    print(autofix.repair(model(0), train, **FIT))


if __name__ == "__main__":
    main()
