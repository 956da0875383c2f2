"""Hopeless: breast cancer measurements with the diagnoses drawn by lot."""

from typing import Any

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

import autofix

TASK = "binary"
FIT: dict[str, Any] = {"epochs": 15, "batch_size": 32}


def data(seed: int) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Real inputs, labels that have nothing to do with them."""
    x, _ = load_breast_cancer(return_X_y=True)
    y = np.random.default_rng(seed).integers(0, 2, size=len(x))
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.4, stratify=y, random_state=seed)
    return (x_train, y_train), (x_test, y_test)


def model(seed: int) -> keras.Model:
    """A classifier without a fault."""
    keras.utils.set_random_seed(seed)
    scale = layers.Normalization()
    scale.adapt(data(seed)[0][0])
    net = keras.Sequential(
        [keras.Input((30,)), scale, layers.Dense(32, activation="relu"), layers.Dense(1, activation="sigmoid")]
    )
    net.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    return net


def main() -> None:
    """Ask for a repair that nobody can make."""
    train, _ = data(0)
    print(autofix.repair(model(0), train, **FIT))


if __name__ == "__main__":
    main()
