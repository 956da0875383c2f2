"""Keras' own `fit`, for data that does not fit into memory."""

from __future__ import annotations

import time
from typing import Any

import keras

from autofix.errors import FixYourData
from autofix.recipe import Recipe


class _Deadline(keras.callbacks.Callback):
    """Ends a fit when its time is up."""

    def __init__(self, deadline: float) -> None:
        super().__init__()
        self.deadline = deadline
        self.cut = False

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if time.monotonic() > self.deadline:
            self.cut = self.model.stop_training = True


def fit_source(model: keras.Model, recipe: Recipe, source: Any, deadline: float) -> bool:
    """Fits a compiled model on the user's data as it is; returns whether the time was up before the end.

    Args:
        model: The model; it is trained.
        recipe: Its settings of `fit`.
        source: What `fit` takes: arrays, a `tf.data.Dataset`, a `keras.utils.PyDataset`.
        deadline: In seconds of `time.monotonic`.

    Raises:
        FixYourData: If the recipe needs the rows in another form, or chosen anew each epoch.
    """
    if recipe.transforms.get("labels") or recipe.fit.get("oversample") or recipe.fit.get("patience"):
        raise FixYourData("labels to encode, repeated rows and early stopping need all rows in memory")
    settings: dict[str, Any] = {"epochs": int(recipe.fit["epochs"]), "verbose": 0}
    if recipe.fit.get("class_weight") is not None:
        settings["class_weight"] = {int(key): float(value) for key, value in recipe.fit["class_weight"].items()}
    arrays = source if isinstance(source, tuple) else (source,)
    if hasattr(arrays[0], "shape") or isinstance(arrays[0], list | dict):
        settings |= {"batch_size": int(recipe.fit["batch_size"]), "shuffle": bool(recipe.fit.get("shuffle", True))}
        settings |= dict(zip(("sample_weight",), arrays[2:], strict=False))
        arrays = (arrays[0], arrays[1] if len(arrays) > 1 else arrays[0])
    stop = _Deadline(deadline)
    model.fit(*arrays, callbacks=[stop], **settings)
    return stop.cut
