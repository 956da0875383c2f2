"""Benign or malignant, with a softmax on a single unit.

A softmax over one unit is always 1, so every tumour gets the same class. Keras computes the loss from the logits
behind the softmax, which is why the loss falls while the accuracy never moves. By hand: a sigmoid. The most frequent
fault of all: 26 of the 109 Stack Overflow programs of the deepmufl collection.
"""

from typing import Any

import keras
from keras import layers
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import autofix

TASK = "binary"
FIT: dict[str, Any] = {"epochs": 20, "batch_size": 32}
REFERENCE_FIT = FIT


def data(seed: int) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Breast cancer measurements, standardized the usual way before the model."""
    x, y = load_breast_cancer(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.35, stratify=y, random_state=seed)
    scaler = StandardScaler().fit(x_train)
    return (scaler.transform(x_train), y_train), (scaler.transform(x_test), y_test)


def build(activation: str) -> keras.Model:
    """A small classifier for tables."""
    classifier = keras.Sequential()
    classifier.add(keras.Input((30,)))
    classifier.add(layers.Dense(16, activation="relu"))
    classifier.add(layers.Dropout(0.1))
    classifier.add(layers.Dense(8, activation="relu"))
    classifier.add(layers.Dense(1, activation=activation))
    classifier.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    return classifier


def model(seed: int) -> keras.Model:
    """The author's program."""
    keras.utils.set_random_seed(seed)
    return build("softmax")


def reference(seed: int) -> keras.Model:
    """The program mended by hand."""
    keras.utils.set_random_seed(seed)
    return build("sigmoid")


def main() -> None:
    """Repair the run and print the change log."""
    train, _ = data(0)
    print(autofix.repair(model(0), train, **FIT))


if __name__ == "__main__":
    main()
