"""Adam with a learning rate of 1e-6, a thousand times below its default.

Adam moves each weight by about the learning rate per step, so 400 steps move it by 0.0004: the loss goes down in the
fourth digit and the run looks like a plateau. By hand: the default 1e-3. Learning-rate faults in real programs are two
to three orders of magnitude off (17 of the 52 programs of the DeepFD collection).
"""

from typing import Any

import keras
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import autofix

TASK = "multiclass"
FIT: dict[str, Any] = {"epochs": 10, "batch_size": 32}
REFERENCE_FIT = FIT


def data(seed: int) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Digits as 8x8 images."""
    digits = load_digits()
    images = digits.images.reshape((-1, 8, 8, 1)).astype("float32")
    x_train, x_test, y_train, y_test = train_test_split(
        images, digits.target, test_size=0.3, stratify=digits.target, random_state=seed
    )
    return (x_train, y_train), (x_test, y_test)


def build(learning_rate: float) -> keras.Model:
    """The convolutional network of many tutorials, made small."""
    cnn = keras.models.Sequential()
    cnn.add(layers.Input(shape=(8, 8, 1)))
    cnn.add(layers.Rescaling(1.0 / 16))
    cnn.add(layers.Conv2D(16, (3, 3), activation="relu", padding="same"))
    cnn.add(layers.Conv2D(32, (3, 3), activation="relu"))
    cnn.add(layers.MaxPooling2D((2, 2)))
    cnn.add(layers.Flatten())
    cnn.add(layers.Dense(64, activation="relu"))
    cnn.add(layers.Dense(10, activation="softmax"))
    optimizer = keras.optimizers.Adam(learning_rate=learning_rate)
    cnn.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return cnn


def model(seed: int) -> keras.Model:
    """The author's program."""
    keras.utils.set_random_seed(seed)
    return build(1e-6)


def reference(seed: int) -> keras.Model:
    """The program mended by hand."""
    keras.utils.set_random_seed(seed)
    return build(1e-3)


def main() -> None:
    """Repair the run and print the change log."""
    train, _ = data(0)
    print(autofix.repair(model(0), train, **FIT))


if __name__ == "__main__":
    main()
