"""All kernels drawn between -0.0001 and 0.0001: signal and gradient die out within a few layers.

Every layer leaves less than a thousandth of what passes through it, so the logits are zero to the last digit and SGD
gets nothing to work with. By hand: He initialization for the ReLU layers. He et al., "Delving deep into rectifiers",
ICCV 2015.
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
    """Digits with pixels between 0 and 1 and one-hot labels."""
    x, labels = load_digits(return_X_y=True)
    y = keras.utils.to_categorical(labels, 10)
    x_train, x_test, y_train, y_test = train_test_split(
        x.astype("float32") / 16, y, test_size=0.3, stratify=labels, random_state=seed
    )
    return (x_train, y_train), (x_test, y_test)


def build(initializer: Any) -> keras.Model:
    """Four hidden layers, trained with SGD."""
    net = keras.Sequential(
        [
            keras.Input((64,)),
            layers.Dense(128, activation="relu", kernel_initializer=initializer),
            layers.Dense(64, activation="relu", kernel_initializer=initializer),
            layers.Dense(64, activation="relu", kernel_initializer=initializer),
            layers.Dense(32, activation="relu", kernel_initializer=initializer),
            layers.Dense(10, activation="softmax", kernel_initializer=initializer),
        ]
    )
    sgd = keras.optimizers.SGD(learning_rate=0.01, momentum=0.9)
    net.compile(loss="categorical_crossentropy", optimizer=sgd, metrics=["accuracy"])
    return net


def model(seed: int) -> keras.Model:
    """The author's program."""
    keras.utils.set_random_seed(seed)
    return build(keras.initializers.RandomUniform(-1e-4, 1e-4))


def reference(seed: int) -> keras.Model:
    """The program mended by hand."""
    keras.utils.set_random_seed(seed)
    return build("he_uniform")


def main() -> None:
    """Repair the run and print the change log."""
    train, _ = data(0)
    print(autofix.repair(model(0), train, **FIT))


if __name__ == "__main__":
    main()
