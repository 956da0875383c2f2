"""SGD with momentum and a small learning rate, stopped after three epochs.

Nothing is wrong but the patience: the loss was still falling steeply when the run ended. By hand: sixty epochs. "Too
few epochs" is the second most frequent fault of the DeepFD collection (18 of 52 programs).
"""

from typing import Any

import keras
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import autofix

TASK = "multiclass"
FIT: dict[str, Any] = {"epochs": 3, "batch_size": 64}
REFERENCE_FIT: dict[str, Any] = {"epochs": 60, "batch_size": 64}


def data(seed: int) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Digits with pixels between 0 and 1."""
    x, y = load_digits(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x / 16.0, y, test_size=0.3, stratify=y, random_state=seed)
    return (x_train, y_train), (x_test, y_test)


def model(seed: int) -> keras.Model:
    """The author's program."""
    keras.utils.set_random_seed(seed)
    mlp = keras.Sequential()
    mlp.add(keras.Input((64,)))
    mlp.add(layers.Dense(128, activation="relu"))
    mlp.add(layers.Dense(64, activation="relu"))
    mlp.add(layers.Dense(10, activation="softmax"))
    opt = keras.optimizers.SGD(learning_rate=1e-3, momentum=0.9)
    mlp.compile(optimizer=opt, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return mlp


def reference(seed: int) -> keras.Model:
    """The same model; the hand-made fix is in `REFERENCE_FIT`."""
    return model(seed)


def main() -> None:
    """Repair the run and print the change log."""
    train, _ = data(0)
    print(autofix.repair(model(0), train, **FIT))


if __name__ == "__main__":
    main()
