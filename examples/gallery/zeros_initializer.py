"""Every kernel starts at zero.

A hidden unit that puts out zero and passes back zero never changes: only the output biases train, to the class
frequencies. By hand: the default initialization, which exists to break this symmetry. Goodfellow et al., "Deep
Learning", section 8.4.
"""

from typing import Any

import keras
from keras import layers
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

import autofix

TASK = "binary"
FIT: dict[str, Any] = {"epochs": 20, "batch_size": 32}
REFERENCE_FIT = FIT


def data(seed: int) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Breast cancer measurements, raw."""
    x, y = load_breast_cancer(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.4, stratify=y, random_state=seed)
    return (x_train, y_train), (x_test, y_test)


def build(initializer: str, x: Any) -> keras.Model:
    """A classifier that standardizes its own inputs."""
    scale = layers.Normalization()
    scale.adapt(x)
    inputs = keras.Input((30,))
    h = layers.Dense(32, activation="relu", kernel_initializer=initializer)(scale(inputs))
    h = layers.Dense(16, activation="relu", kernel_initializer=initializer)(h)
    outputs = layers.Dense(1, activation="sigmoid", kernel_initializer=initializer)(h)
    net = keras.Model(inputs, outputs)
    net.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    return net


def model(seed: int) -> keras.Model:
    """The author's program."""
    keras.utils.set_random_seed(seed)
    return build("zeros", data(seed)[0][0])


def reference(seed: int) -> keras.Model:
    """The program mended by hand."""
    keras.utils.set_random_seed(seed)
    return build("glorot_uniform", data(seed)[0][0])


def main() -> None:
    """Repair the run and print the change log."""
    train, _ = data(0)
    print(autofix.repair(model(0), train, **FIT))


if __name__ == "__main__":
    main()
