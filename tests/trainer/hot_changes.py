"""Changes of a program that need no compiled program of their own, and the program they are made to."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

L, R = keras.layers, keras.regularizers
RATE = "compile/optimizer/learning_rate"
BEFORE = "layers/table/after"
EVEN, UNEVEN = np.arange(60) % 3, np.minimum(np.arange(60) // 20, np.arange(60) % 10 // 5 * 2)


def penalised() -> keras.Model:
    """A network with a regularizer of each kind; its dropout layer keeps a state that has to be reset."""
    model = keras.Sequential(
        [
            keras.Input((4,), name="table"),
            L.Dense(6, "tanh", kernel_regularizer=R.L2(0.05), bias_regularizer=R.L1(0.02), name="hidden"),
            L.Dropout(0.2, name="dropout"),
            L.Dense(5, "tanh", kernel_regularizer=R.L1L2(0.01, 0.02), activity_regularizer=R.L2(0.01), name="middle"),
            L.Dense(3, "softmax", name="head"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.1, momentum=0.5), "sparse_categorical_crossentropy")
    return model


def far(count: int = 60) -> np.ndarray:
    """A table in units that call for a scale, float32 array [count, 4]."""
    return (50.0 + 30.0 * np.random.default_rng(0).normal(size=(count, 4))).astype("float32")


def layer(name: str, /, **config: Any) -> dict[str, Any]:
    found = keras.saving.serialize_keras_object(getattr(L, name)(**config))
    return {key: found[key] for key in ("module", "class_name", "config", "registered_name")}


def regularizer(kind: str, **factors: float) -> dict[str, Any]:
    return {"module": "keras.regularizers", "class_name": kind, "config": factors, "registered_name": None}


def wide() -> dict[str, Any]:
    return keras.saving.serialize_keras_object(keras.initializers.RandomNormal(stddev=0.9))


MEAN, VARIANCE = [50.0, 49.0, 51.0, 50.5], [900.0, 800.0, 1000.0, 950.0]
HOT: dict[str, tuple[str, Any]] = {
    "learning rate": (RATE, 0.003),
    "initializer": ("layers/hidden/kernel_initializer", wide()),
    "epochs": ("fit/epochs", 7),
    "patience": ("fit/patience", 2),
    "shuffle": ("fit/shuffle", True),
    "batch size": ("fit/batch_size", 8),
    "a stronger L2": ("layers/hidden/kernel_regularizer", regularizer("L2", l2=0.4)),
    "no L2": ("layers/hidden/kernel_regularizer", None),
    "an L2 of zero": ("layers/hidden/kernel_regularizer", regularizer("L2", l2=0.0)),
    "a weaker L1 on the bias": ("layers/hidden/bias_regularizer", regularizer("L1", l1=0.001)),
    "L1L2 in proportion": ("layers/middle/kernel_regularizer", regularizer("L1L2", l1=0.05, l2=0.1)),
    "no L1L2": ("layers/middle/kernel_regularizer", None),
    "one factor": (BEFORE, [layer("Rescaling", scale=1 / 255, name="small")]),
    "one factor and an offset": (BEFORE, [layer("Rescaling", scale=1 / 127.5, offset=-1.0, name="small")]),
    "standardized": (BEFORE, [layer("Normalization", mean=MEAN, variance=VARIANCE, name="scaled")]),
    "standardized as one": (BEFORE, [layer("Normalization", mean=50.0, variance=900.0, axis=None, name="scaled")]),
    "a feature that does not vary": (BEFORE, [layer("Normalization", mean=MEAN, variance=[0.01] * 4, name="scaled")]),
}
