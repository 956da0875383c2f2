"""The demonstration behind `autofix demo`: a real data set, a classifier stuck at chance, and its repair.

The model is written as a newcomer might write it. Three things are wrong with it at once: the pixels come in as they
are stored (0 to 16), every hidden layer is a sigmoid, and six of those leave plain SGD with next to no gradient.
"""

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import autofix

EPOCHS = 15
BATCH_SIZE = 32


@dataclass(frozen=True, kw_only=True)
class Demonstration:
    """What the demonstration showed.

    Args:
        test_images: Number of images that neither `fit` nor `autofix.repair` was given.
        accuracy_before: Share of them that the stuck model gets right, 0 to 1.
        accuracy_after: Share of them that the repaired model gets right, 0 to 1.
        change_log: What `autofix.repair` found, changed and measured, as text.
        repaired: Whether `autofix.repair` claims a repair.
    """

    test_images: int
    accuracy_before: float
    accuracy_after: float
    change_log: str
    repaired: bool

    def __str__(self) -> str:
        return (
            f"{self.change_log.rstrip()}\n\n"
            f"On {self.test_images} images that neither `fit` nor `autofix.repair` has seen:\n"
            f"  before  {self.accuracy_before:6.1%} right\n"
            f"  after   {self.accuracy_after:6.1%} right"
        )


def stuck_classifier() -> keras.Model:
    """Builds and compiles a classifier of 8x8 digits that does not learn."""
    model = keras.Sequential(
        [
            keras.Input(shape=(64,)),
            *[keras.layers.Dense(64, activation="sigmoid") for _ in range(6)],
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=0.01),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def run(*, seed: int, say: Callable[[str], None]) -> Demonstration:
    """Fits the stuck classifier, repairs it, and compares the two on images held back from both.

    Args:
        seed: Seed of the split, of the first weights, of `fit` and of the repair.
        say: Called with each line of progress.

    Returns:
        The change log and both accuracies.
    """
    x, y = load_digits(return_X_y=True)
    x, x_test, y, y_test = train_test_split(x, y, test_size=0.2, stratify=y, random_state=seed)
    keras.utils.set_random_seed(seed)  # Here autofix plays the user, to whom the global generator belongs.

    model = stuck_classifier()
    say(f"model.fit(x, y, epochs={EPOCHS}, batch_size={BATCH_SIZE}) on {len(x)} handwritten digits ...")
    model.fit(x, y, epochs=EPOCHS, batch_size=BATCH_SIZE, verbose=0)
    before = _accuracy(model, x_test, y_test)
    say(f"  {before:.1%} of {len(x_test)} test images right; guessing gets 10%. The run is stuck.")

    say(f"autofix.repair(model, (x, y), epochs={EPOCHS}, batch_size={BATCH_SIZE}) ...")
    result = autofix.repair(model, (x, y), epochs=EPOCHS, batch_size=BATCH_SIZE, seed=seed)
    return Demonstration(
        test_images=len(x_test),
        accuracy_before=before,
        accuracy_after=_accuracy(result.model, x_test, y_test),
        change_log=str(result),
        repaired=result.status == "repaired",
    )


def _accuracy(model: keras.Model, x: np.ndarray, y: np.ndarray) -> float:
    """Returns the share of the rows of `x` to which `model` gives the highest probability for the label in `y`."""
    return float(np.mean(np.argmax(model.predict(x, verbose=0), axis=-1) == y))
