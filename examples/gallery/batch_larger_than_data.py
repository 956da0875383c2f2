"""A batch of 512 for 400 rows: one step an epoch, fifteen steps in all.

The batch size came from a script for a large data set. By hand: a batch of 16.
"""

from typing import Any

import keras
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import autofix

TASK = "multiclass"
FIT: dict[str, Any] = {"epochs": 15, "batch_size": 512}
REFERENCE_FIT: dict[str, Any] = {"epochs": 15, "batch_size": 16}


def data(seed: int) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Four hundred digits to learn from, seven hundred held back."""
    x, y = load_digits(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(
        x / 16.0, y, train_size=400, test_size=700, stratify=y, random_state=seed
    )
    return (x_train, y_train), (x_test, y_test)


def model(seed: int) -> keras.Model:
    """The author's program."""
    keras.utils.set_random_seed(seed)
    net = keras.Sequential(
        [
            keras.Input((64,)),
            layers.Dense(64, activation="relu"),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    net.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return net


def reference(seed: int) -> keras.Model:
    """The same model; the hand-made fix is in `REFERENCE_FIT`."""
    return model(seed)


def main() -> None:
    """Repair the run and print the change log."""
    train, _ = data(0)
    print(autofix.repair(model(0), train, **FIT))


if __name__ == "__main__":
    main()
