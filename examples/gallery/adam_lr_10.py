"""Adam with a learning rate of 10: every step throws the weights far past any minimum.

The loss jumps between thousands and the classes predicted change from epoch to epoch. By hand: the default 1e-3.
"""

from typing import Any

import keras
from keras import layers
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split

import autofix

TASK = "multiclass"
FIT: dict[str, Any] = {"epochs": 50, "batch_size": 16}
REFERENCE_FIT = FIT


def data(seed: int) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """The wine table, raw, with one-hot cultivars."""
    x, cultivar = load_wine(return_X_y=True)
    y = keras.utils.to_categorical(cultivar)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.4, stratify=cultivar, random_state=seed)
    return (x_train, y_train), (x_test, y_test)


def build(learning_rate: float, x: Any) -> keras.Model:
    """A classifier that standardizes its own inputs."""
    normalizer = layers.Normalization()
    normalizer.adapt(x)
    clf = keras.Sequential(
        [
            keras.Input((13,)),
            normalizer,
            layers.Dense(32, activation="relu"),
            layers.Dense(32, activation="relu"),
            layers.Dense(32, activation="relu"),
            layers.Dense(3, activation="softmax"),
        ]
    )
    clf.compile(keras.optimizers.Adam(learning_rate), loss="categorical_crossentropy", metrics=["accuracy"])
    return clf


def model(seed: int) -> keras.Model:
    """The author's program."""
    keras.utils.set_random_seed(seed)
    return build(10.0, data(seed)[0][0])


def reference(seed: int) -> keras.Model:
    """The program mended by hand."""
    keras.utils.set_random_seed(seed)
    return build(0.001, data(seed)[0][0])


def main() -> None:
    """Repair the run and print the change log."""
    train, _ = data(0)
    print(autofix.repair(model(0), train, **FIT))


if __name__ == "__main__":
    main()
