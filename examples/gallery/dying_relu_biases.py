"""ReLU layers whose biases start at -10: every unit is off for every row.

A ReLU that is never on has no gradient and stays off; only the output biases train. By hand: biases of zero. Lu et
al., "Dying ReLU and initialization", 2020.
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


def build(bias: float) -> keras.Model:
    """Two hidden layers with a bias of the author's choice."""
    start = keras.initializers.Constant(bias)
    net = keras.Sequential(
        [
            keras.Input((64,)),
            layers.Dense(64, activation="relu", bias_initializer=start),
            layers.Dense(64, activation="relu", bias_initializer=start),
            layers.Dense(10, activation="softmax"),
        ]
    )
    net.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return net


def model(seed: int) -> keras.Model:
    """The author's program."""
    keras.utils.set_random_seed(seed)
    return build(-10.0)


def reference(seed: int) -> keras.Model:
    """The program mended by hand."""
    keras.utils.set_random_seed(seed)
    return build(0.0)


def main() -> None:
    """Repair the run and print the change log."""
    train, _ = data(0)
    print(autofix.repair(model(0), train, **FIT))


if __name__ == "__main__":
    main()
