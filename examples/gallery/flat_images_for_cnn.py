"""Images flattened to 784 numbers, fed to a convolutional network that wants 28x28x1.

The data come from a CSV file with one row an image. Keras refuses the first batch: "expected shape=(None, 28, 28, 1),
found shape=(None, 784)". By hand: a reshape in front. A frequent question wherever MNIST is taught from a CSV.
"""

from typing import Any

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import autofix

TASK = "multiclass"
FIT: dict[str, Any] = {"epochs": 5, "batch_size": 32}
REFERENCE_FIT = FIT


def data(seed: int) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """The small digits enlarged to the format of MNIST: [rows, 784], pixels 0..1."""
    digits = load_digits()
    large = np.kron(digits.images / 16.0, np.ones((1, 3, 3)))
    flat = np.pad(large, ((0, 0), (2, 2), (2, 2))).reshape(len(large), 784).astype("float32")
    x_train, x_test, y_train, y_test = train_test_split(
        flat, digits.target, test_size=0.3, stratify=digits.target, random_state=seed
    )
    return (x_train, y_train), (x_test, y_test)


def convolutions() -> list[layers.Layer]:
    """The layers of the author's network."""
    return [
        layers.Conv2D(8, (5, 5), activation="relu"),
        layers.MaxPooling2D((2, 2)),
        layers.Conv2D(16, (3, 3), activation="relu"),
        layers.MaxPooling2D((2, 2)),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ]


def model(seed: int) -> keras.Model:
    """The author's program."""
    keras.utils.set_random_seed(seed)
    cnn = keras.Sequential([keras.Input((28, 28, 1)), *convolutions()])
    cnn.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return cnn


def reference(seed: int) -> keras.Model:
    """The program mended by hand."""
    keras.utils.set_random_seed(seed)
    cnn = keras.Sequential([keras.Input((784,)), layers.Reshape((28, 28, 1)), *convolutions()])
    cnn.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return cnn


def main() -> None:
    """Repair the run and print the change log."""
    train, _ = data(0)
    print(autofix.repair(model(0), train, **FIT))


if __name__ == "__main__":
    main()
