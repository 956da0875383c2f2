"""Eight sigmoid layers on handwritten digits: the gradient has vanished before it reaches the first one.

The derivative of a sigmoid is at most 0.25, so every layer shrinks the gradient and plain SGD leaves the loss at ln
10. By hand: ReLU with He initialization. Glorot and Bengio, "Understanding the difficulty of training deep feedforward
neural networks", AISTATS 2010, figures 2 and 3.
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
    """The 8x8 digits, 30 % held back."""
    x, y = load_digits(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.3, stratify=y, random_state=seed)
    return (x_train, y_train), (x_test, y_test)


def build(activation: str, initializer: str) -> keras.Model:
    """A tower of eight equal layers."""
    network = keras.Sequential([keras.Input((64,)), layers.Rescaling(1 / 16)])
    for _ in range(8):
        network.add(layers.Dense(64, activation=activation, kernel_initializer=initializer))
    network.add(layers.Dense(10, activation="softmax"))
    network.compile(keras.optimizers.SGD(0.05), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return network


def model(seed: int) -> keras.Model:
    """The author's program."""
    keras.utils.set_random_seed(seed)
    return build("sigmoid", "glorot_uniform")


def reference(seed: int) -> keras.Model:
    """The program mended by hand."""
    keras.utils.set_random_seed(seed)
    return build("relu", "he_normal")


def main() -> None:
    """Repair the run and print the change log."""
    train, _ = data(0)
    print(autofix.repair(model(0), train, **FIT))


if __name__ == "__main__":
    main()
