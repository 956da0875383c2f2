"""A deep tanh stack whose weights start from a normal distribution of standard deviation 1.

With 64 inputs per unit the pre-activations spread over +-8, where tanh is flat: every hidden unit is stuck at +-1. By
hand: the default Glorot initialization. Glorot and Bengio 2010, section 4.2.
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
HIDDEN = (64, 64, 64, 64, 64, 64)


def data(seed: int) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Digits with pixels between 0 and 1."""
    digits = load_digits()
    pixels = (digits.data / 16.0).astype("float32")
    x_train, x_test, y_train, y_test = train_test_split(
        pixels, digits.target, test_size=0.3, stratify=digits.target, random_state=seed
    )
    return (x_train, y_train), (x_test, y_test)


def model(seed: int) -> keras.Model:
    """The author's program: N(0, 1) weights in every hidden layer."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((64,), name="pixels")
    x = inputs
    for number, units in enumerate(HIDDEN, start=1):
        start = keras.initializers.RandomNormal(mean=0.0, stddev=1.0, seed=seed + number)
        x = layers.Dense(units, activation="tanh", kernel_initializer=start, name=f"hidden_{number}")(x)
    outputs = layers.Dense(10, activation="softmax", name="digit")(x)
    net = keras.Model(inputs, outputs)
    net.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return net


def reference(seed: int) -> keras.Model:
    """The program mended by hand: Glorot initialization."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((64,), name="pixels")
    x = inputs
    for number, units in enumerate(HIDDEN, start=1):
        x = layers.Dense(units, activation="tanh", name=f"hidden_{number}")(x)
    outputs = layers.Dense(10, activation="softmax", name="digit")(x)
    net = keras.Model(inputs, outputs)
    net.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return net


def main() -> None:
    """Repair the run and print the change log."""
    train, _ = data(0)
    print(autofix.repair(model(0), train, **FIT))


if __name__ == "__main__":
    main()
