"""The wine table as it is: proline in the thousands next to hues around one.

One column drives every unit of the first layer, so the network sees little else and the loss levels off early. By
hand: a normalization layer. LeCun et al., "Efficient BackProp", section 4.3.
"""

from typing import Any

import keras
from keras import layers
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split

import autofix

TASK = "multiclass"
FIT: dict[str, Any] = {"epochs": 40, "batch_size": 16}
REFERENCE_FIT = FIT


def data(seed: int) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Thirteen chemical measurements as a data frame."""
    x, y = load_wine(return_X_y=True, as_frame=True)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.4, stratify=y, random_state=seed)
    return (x_train, y_train), (x_test, y_test)


def build(first: list[layers.Layer]) -> keras.Model:
    """A plain classifier, whatever comes first."""
    net = keras.Sequential(
        [
            keras.Input((13,)),
            *first,
            layers.Dense(32, activation="relu"),
            layers.Dense(16, activation="relu"),
            layers.Dense(3, activation="softmax"),
        ]
    )
    net.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return net


def model(seed: int) -> keras.Model:
    """The author's program."""
    keras.utils.set_random_seed(seed)
    return build([])


def reference(seed: int) -> keras.Model:
    """The program mended by hand."""
    keras.utils.set_random_seed(seed)
    scaling = layers.Normalization()
    scaling.adapt(data(seed)[0][0].to_numpy())
    return build([scaling])


def main() -> None:
    """Repair the run and print the change log."""
    train, _ = data(0)
    print(autofix.repair(model(0), train, **FIT))


if __name__ == "__main__":
    main()
