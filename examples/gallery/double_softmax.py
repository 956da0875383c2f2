"""Two softmaxes, one behind the other, and a loss that asks for logits.

Keras undoes the softmax of a last layer by itself, so a single softmax with `from_logits=True` does no harm (it
warns). With two of them, the loss takes the probabilities of the first for logits: it cannot fall below 1.46 for ten
classes and its gradient is a fraction of what it should be. By hand: linear outputs, the one softmax in the loss.
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


def build(head: list[layers.Layer]) -> keras.Model:
    """Two hidden layers, a head, and a loss that expects logits."""
    net = keras.Sequential(
        [
            keras.Input((64,)),
            layers.Dense(64, activation="relu"),
            layers.Dense(32, activation="relu"),
            *head,
        ]
    )
    net.compile(
        optimizer=keras.optimizers.SGD(0.05),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return net


def model(seed: int) -> keras.Model:
    """The author's program."""
    keras.utils.set_random_seed(seed)
    return build([layers.Dense(10, activation="softmax"), layers.Softmax()])


def reference(seed: int) -> keras.Model:
    """The program mended by hand."""
    keras.utils.set_random_seed(seed)
    return build([layers.Dense(10)])


def main() -> None:
    """Repair the run and print the change log."""
    train, _ = data(0)
    print(autofix.repair(model(0), train, **FIT))


if __name__ == "__main__":
    main()
