"""Healthy: a classifier with batch normalization and dropout on standardized breast cancer measurements."""

from typing import Any

import keras
from keras import layers
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

import autofix

TASK = "binary"
FIT: dict[str, Any] = {"epochs": 20, "batch_size": 32}


def data(seed: int) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Breast cancer measurements, raw; the model standardizes them."""
    x, y = load_breast_cancer(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.3, stratify=y, random_state=seed)
    return (x_train, y_train), (x_test, y_test)


def model(seed: int) -> keras.Model:
    """A classifier that learns."""
    keras.utils.set_random_seed(seed)
    scale = layers.Normalization()
    scale.adapt(data(seed)[0][0])
    net = keras.Sequential([keras.Input((30,)), scale])
    for units in (32, 16):
        net.add(layers.Dense(units))
        net.add(layers.BatchNormalization())
        net.add(layers.Activation("relu"))
        net.add(layers.Dropout(0.2))
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile(keras.optimizers.Adam(3e-3), loss="binary_crossentropy", metrics=["accuracy"])
    return net


def main() -> None:
    """Ask for a repair of a run that needs none."""
    train, _ = data(0)
    print(autofix.repair(model(0), train, **FIT))


if __name__ == "__main__":
    main()
