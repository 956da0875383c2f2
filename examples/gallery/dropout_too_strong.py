"""Dropout 0.9 after every hidden layer: the author read "keep probability 0.9".

Of 64 units six are left, scaled up tenfold, in each of three layers, so the gradient is mostly noise. By hand: 0.1.
The first versions of TensorFlow did take the probability to keep; Keras has always taken the one to drop.
"""

from typing import Any

import keras
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import autofix

TASK = "multiclass"
FIT: dict[str, Any] = {"epochs": 15, "batch_size": 32}
REFERENCE_FIT = FIT


def data(seed: int) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Digits with pixels between 0 and 1."""
    x, y = load_digits(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x / 16.0, y, test_size=0.3, stratify=y, random_state=seed)
    return (x_train, y_train), (x_test, y_test)


def build(rate: float) -> keras.Model:
    """Three hidden layers with dropout in between."""
    inputs = keras.Input((64,))
    x = inputs
    for _ in range(3):
        x = layers.Dense(64, activation="relu")(x)
        x = layers.Dropout(rate)(x)
    outputs = layers.Dense(10, activation="softmax")(x)
    net = keras.Model(inputs, outputs)
    net.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return net


def model(seed: int) -> keras.Model:
    """The author's program."""
    keras.utils.set_random_seed(seed)
    return build(0.9)


def reference(seed: int) -> keras.Model:
    """The program mended by hand."""
    keras.utils.set_random_seed(seed)
    return build(0.1)


def main() -> None:
    """Repair the run and print the change log."""
    train, _ = data(0)
    print(autofix.repair(model(0), train, **FIT))


if __name__ == "__main__":
    main()
