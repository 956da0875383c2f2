"""Small stuck programs and their repairs, each made once per process and looked at by several tests.

A `Run` keeps what the user's things were like before the call, so that the laws can be held against every repair.
"""

from __future__ import annotations

import functools
import json
import random
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from unittest import mock

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from sklearn.datasets import load_iris, load_wine, make_blobs

import autofix
from autofix.result import RepairResult

L = keras.layers
TINY_RATE = 1e-7
# One candidate, one remedy: enough for a run whose only fault is its learning rate. The networks are wide and the
# runs long, so that any sane rate will do.
QUICK: Mapping[str, Any] = {
    "strategies": ["learning_rate"],
    "budget": autofix.Budget(trials=1),
    "batch_size": 16,
    "epochs": 25,
}
WIDE = 32


@dataclass(frozen=True, eq=False)
class Run:
    """One repair, and what it found and left.

    Attributes:
        model: The user's model; of a function, one that it built.
        given: What was passed as `model`.
        x: The user's inputs, as NumPy would see them.
        y: The user's targets.
        result: What came back.
        before: The user's things before the call.
        after: The same after it.
        seconds: Wall time of the call.
    """

    model: keras.Model
    given: Any
    x: Any
    y: Any
    result: RepairResult
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    seconds: float


@functools.cache
def run(name: str) -> Run:
    """Returns the repair of the program called `name`, one of `PROGRAMS`."""
    keras.utils.set_random_seed(7)
    given, data, x, y, settings = PROGRAMS[name]()
    model = given if isinstance(given, keras.Model) else given()
    before, began = snapshot(model, data), time.monotonic()
    # Looking through all of TensorFlow's objects after each repair would take a quarter of the time of these tests.
    with mock.patch("autofix.trainer.store.gc"):
        result = autofix.repair(given, data, progress=False, **settings)
    seconds = time.monotonic() - began
    return Run(model, given, x, y, result, before, snapshot(model, data), seconds)


def snapshot(model: keras.Model, data: Any = None) -> dict[str, Any]:
    """Returns everything of the user's that a call might touch, copied."""
    optimizer = model.optimizer
    return {
        "weights": [value.copy() for value in model.get_weights()],
        "variables": [variable.numpy().copy() for variable in model.variables],
        "optimizer": [variable.numpy().copy() for variable in optimizer.variables] if optimizer else [],
        "optimizer built": optimizer.built if optimizer else None,
        "config": json.dumps(keras.saving.serialize_keras_object(model), sort_keys=True, default=repr)
        if _has_config(model)
        else None,
        "compile": json.dumps(model.get_compile_config(), sort_keys=True, default=repr),
        "trainable": [(layer.name, layer.trainable) for layer in model._flatten_layers()],
        "names": [variable.path for variable in model.variables],
        "functions": [id(model.train_function), id(model.predict_function), id(model.__dict__.get("call"))],
        "arrays": [(type(leaf), copied(leaf)) for leaf in arrays(data)],
        "writable": [leaf.flags.writeable for leaf in arrays(data) if isinstance(leaf, np.ndarray)],
        "python random": random.getstate(),
        "numpy random": [np.array(part) for part in np.random.get_state()[1:]],  # noqa: NPY002
    }


def _has_config(model: keras.Model) -> bool:
    try:
        model.get_config()
    except NotImplementedError:
        return False
    return True


def arrays(data: Any) -> list[Any]:
    """Returns the arrays and frames that the user's data consists of."""
    if isinstance(data, tuple | list):
        return [leaf for part in data for leaf in arrays(part)]
    if isinstance(data, dict):
        return [leaf for part in data.values() for leaf in arrays(part)]
    return [data] if isinstance(data, np.ndarray | pd.DataFrame | pd.Series) else []


def copied(leaf: Any) -> Any:
    return leaf.copy(deep=True) if isinstance(leaf, pd.DataFrame | pd.Series) else leaf.copy()


def same(one: Any, other: Any) -> bool:
    """Whether two snapshots, or parts of them, agree bit for bit."""
    if isinstance(one, pd.DataFrame | pd.Series):
        return bool(one.equals(other)) and list(one.index) == list(other.index)
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    return bool(one == other)


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Returns what two snapshots do not agree in."""
    return [key for key in one if not same(one[key], other[key])]


Program = tuple[Any, Any, Any, Any, dict[str, Any]]


def iris(classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    x, y = load_iris(return_X_y=True)
    return x[y < classes].astype("float32"), y[y < classes]


def blobs() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Three clusters: rows to train on, and as many set apart. One division of the rows costs one run a candidate."""
    x, y = make_blobs(240, n_features=4, centers=3, cluster_std=1.0, center_box=(-3.0, 3.0), random_state=3)
    x = x.astype("float32")
    return (x[:120], y[:120]), (x[120:], y[120:])


def mlp(
    units: int = 3,
    activation: str = "softmax",
    loss: str = "sparse_categorical_crossentropy",
    rate: float = 0.05,
    columns: int = 4,
) -> keras.Model:
    model = keras.Sequential([keras.Input((columns,)), L.Dense(WIDE, "tanh"), L.Dense(units, activation)])
    model.compile(keras.optimizers.Adam(rate), loss)
    return model


def softmax_fresh() -> Program:
    x, y = iris(2)
    model = mlp(1, "softmax", "binary_crossentropy")
    return model, (x, y), x, y, {"epochs": 10, "batch_size": 16}


def softmax_trained() -> Program:
    x, y = iris(2)
    model = mlp(1, "softmax", "binary_crossentropy")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras says that this softmax is a mistake
        model.fit(x, y, epochs=10, batch_size=16, verbose=0)
    return model, (x, y), x, y, {"epochs": 10, "batch_size": 16}


def tiny_rate() -> Program:
    (x, y), apart = blobs()
    model = keras.Sequential(
        [keras.Input((4,)), L.Dense(WIDE, "tanh"), L.Dropout(0.1), L.BatchNormalization(momentum=0.8)]
    )
    model.add(L.Dense(3, "softmax"))
    model.compile(keras.optimizers.Adam(TINY_RATE), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, (x, y), x, y, {**QUICK, "validation_data": apart}


def labels_from_one() -> Program:
    x, y = iris()
    frame, labels = pd.DataFrame(x, columns=list("abcd"), index=np.arange(500, 650)), pd.Series(y + 1, name="kind")
    return mlp(), (frame, labels), x, y + 1, {"epochs": 10, "batch_size": 16}


def text_labels() -> Program:
    x, y = iris()
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    return mlp(), (x, names), x, names, {"epochs": 10, "batch_size": 16}


def nan_inputs() -> Program:
    x, y = load_wine(return_X_y=True)
    x = ((x - x.mean(axis=0)) / x.std(axis=0)).astype("float32")
    x[np.random.default_rng(0).random(x.shape) < 0.02] = np.nan
    return mlp(columns=13), (x, y), x, y, {"epochs": 10, "batch_size": 16}


def raw_targets() -> Program:
    x = np.random.default_rng(0).normal(size=(160, 3)).astype("float32")
    y = 500 + 100 * (x[:, 0] + 0.5 * x[:, 1])
    model = mlp(1, "linear", "mse", 0.02, columns=3)
    return model, (x, y), x, y, {"epochs": 15, "batch_size": 16, "strategies": ["target_scaling", "epochs"]}


def healthy() -> Program:
    x, y = iris()
    return mlp(), (x, y), x, y, {"epochs": 40, "batch_size": 16}


def hopeless() -> Program:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(160, 4)).astype("float32"), rng.integers(0, 2, size=160)
    model = mlp(1, "sigmoid", "binary_crossentropy")
    return model, (x, y), x, y, {"epochs": 3, "budget": autofix.Budget(trials=2)}


def two_inputs() -> Program:
    parts = blobs()
    (inputs, y), apart = (({"left": x[:, :2].copy(), "right": x[:, 2:].copy()}, y) for x, y in parts)
    left, right = keras.Input((2,), name="left"), keras.Input((2,), name="right")
    joined = L.Concatenate()([L.Dense(WIDE, "tanh")(left), L.Dense(WIDE, "tanh")(right)])
    model = keras.Model([left, right], L.Dense(3, "softmax")(joined))
    model.compile(keras.optimizers.Adam(TINY_RATE), "sparse_categorical_crossentropy")
    return model, (inputs, y), inputs, y, {**QUICK, "validation_data": apart}


def two_outputs() -> Program:
    parts = blobs()
    (x, targets), apart = ((x, {"kind": y, "sum": x.sum(axis=1) / 4}) for x, y in parts)
    inputs = keras.Input((4,))
    trunk = L.Dense(WIDE, "tanh")(inputs)
    model = keras.Model(
        inputs, {"kind": L.Dense(3, "softmax", name="kind")(trunk), "sum": L.Dense(1, name="sum")(trunk)}
    )
    model.compile(keras.optimizers.Adam(TINY_RATE), {"kind": "sparse_categorical_crossentropy", "sum": "mse"})
    return model, (x, targets), x, targets, {**QUICK, "validation_data": apart}


@keras.saving.register_keras_serializable("autofix_tests")
class Perceptron(keras.Model):
    def __init__(self, units: int = WIDE, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.hidden, self.out = L.Dense(units, "tanh"), L.Dense(3, "softmax")

    def call(self, inputs: Any) -> Any:
        return self.out(self.hidden(inputs))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


def subclassed() -> Program:
    (x, y), apart = blobs()
    model = Perceptron()
    model(x[:2])
    model.compile(keras.optimizers.Adam(TINY_RATE), "sparse_categorical_crossentropy")
    return model, (x, y), x, y, {**QUICK, "validation_data": apart}


class Closed(keras.Model):
    """A model that cannot be written down: what it is made of is no configuration."""

    def __init__(self, layers: list[Any]) -> None:
        super().__init__()
        self.steps = layers

    def call(self, inputs: Any) -> Any:
        for step in self.steps:
            inputs = step(inputs)
        return inputs


def built_by_function() -> Program:
    (x, y), apart = blobs()

    def build() -> keras.Model:
        model = Closed([L.Dense(WIDE, "tanh"), L.Dense(3, "softmax")])
        model.compile(keras.optimizers.Adam(TINY_RATE), "sparse_categorical_crossentropy")
        return model

    return build, (x, y), x, y, {**QUICK, "validation_data": apart}


def dataset() -> Program:
    (x, y), apart = blobs()
    data, held = (tf.data.Dataset.from_tensor_slices(part).batch(12) for part in ((x, y), apart))
    settings = {key: value for key, value in QUICK.items() if key != "batch_size"}
    return mlp(rate=TINY_RATE), data, x, y, {**settings, "validation_data": held}


class Batches(keras.utils.PyDataset):
    def __init__(self, x: np.ndarray, y: np.ndarray) -> None:
        super().__init__()
        self.x, self.y = x, y

    def __len__(self) -> int:
        return len(self.x) // 10

    def __getitem__(self, index: int) -> Any:
        part = slice(10 * index, 10 * index + 10)
        return self.x[part], self.y[part]


def pydataset() -> Program:
    (x, y), apart = blobs()
    settings = {key: value for key, value in QUICK.items() if key != "batch_size"}
    return mlp(rate=TINY_RATE), Batches(x, y), x, y, {**settings, "validation_data": Batches(*apart)}


def autoencoder() -> Program:
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(240, 2)) @ rng.normal(size=(2, 6))).astype("float32")
    model = keras.Sequential([keras.Input((6,)), L.Dense(4), L.Dense(6)])
    model.compile(keras.optimizers.Adam(TINY_RATE), "mse")
    return model, x[:120], x[:120], x[:120], {**QUICK, "validation_data": x[120:], "epochs": 60}


def sequence() -> Program:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(240, 4, 2)).astype("float32")
    y = (x[:, :, 0].mean(axis=1) > 0).astype("int64")
    model = keras.Sequential([keras.Input((4, 2)), L.LSTM(12), L.Dense(1, "sigmoid")])
    model.compile(keras.optimizers.RMSprop(TINY_RATE), "binary_crossentropy")
    return model, (x[:120], y[:120]), x[:120], y[:120], {**QUICK, "validation_data": (x[120:], y[120:])}


def named_metric() -> Program:
    (x, y), apart = blobs()
    settings = {**QUICK, "budget": autofix.Budget(trials=4), "metric": "f1_macro", "target": 0.6}
    return mlp(rate=TINY_RATE), (x, y), x, y, {**settings, "validation_data": apart}


PROGRAMS: Mapping[str, Callable[[], Program]] = {
    function.__name__: function
    for function in (
        softmax_fresh, softmax_trained, tiny_rate, labels_from_one, text_labels, nan_inputs, raw_targets, healthy,
        hopeless, two_inputs, two_outputs, subclassed, built_by_function, dataset, pydataset, autoencoder, sequence,
        named_metric,
    )
}  # fmt: skip
