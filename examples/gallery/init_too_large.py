"""All kernels drawn between -5 and 5: the first loss is near twenty thousand and Adam cannot walk back in time.

Three layers of weights this large multiply the input by tens of thousands; the softmax is one-hot from the first step
and mostly wrong. By hand: the default initialization. LeCun et al., "Efficient BackProp", 1998, section 4.6.
"""

from typing import Any

import keras
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import autofix

TASK = "multiclass"
FIT: dict[str, Any] = {"epochs": 12, "batch_size": 32}
REFERENCE_FIT = FIT


def data(seed: int) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Digits with pixels between 0 and 1."""
    x, y = load_digits(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x / 16.0, y, test_size=0.3, stratify=y, random_state=seed)
    return (x_train, y_train), (x_test, y_test)


def build(initializer: Any) -> keras.Model:
    """Three hidden layers and Adam."""
    net = keras.Sequential(name="digit_classifier")
    net.add(keras.Input((64,)))
    for units in (64, 64, 32):
        net.add(layers.Dense(units, activation="relu", kernel_initializer=initializer))
    net.add(layers.Dense(10, activation="softmax", kernel_initializer=initializer))
    net.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return net


def model(seed: int) -> keras.Model:
    """The author's program."""
    keras.utils.set_random_seed(seed)
    return build(keras.initializers.RandomUniform(-5.0, 5.0))


def reference(seed: int) -> keras.Model:
    """The program mended by hand."""
    keras.utils.set_random_seed(seed)
    return build("glorot_uniform")


def main() -> None:
    """Repair the run and print the change log."""
    train, _ = data(0)
    print(autofix.repair(model(0), train, **FIT))


if __name__ == "__main__":
    main()
