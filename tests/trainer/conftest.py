"""Small sessions: a program on a table, with one division of the rows and no yardstick."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest

from autofix.session import Session, prepare
from autofix.yardstick import Yardstick

L = keras.layers


@pytest.fixture(autouse=True)
def seeded():
    """Models draw their weights from the global generators."""
    keras.utils.set_random_seed(3)


@pytest.fixture(autouse=True)
def no_yardstick(monkeypatch):
    """scikit-learn's models say nothing about training."""
    monkeypatch.setattr("autofix.yardstick.measure", lambda data, targets, seed: Yardstick(None, 0.33, 0.0))


@pytest.fixture(autouse=True)
def no_full_collection(monkeypatch):
    """Looking through all of TensorFlow's objects after each test takes longer than the test."""
    monkeypatch.setattr("autofix.trainer.store.gc", SimpleNamespace(collect=lambda: 0))


@pytest.fixture
def table() -> Callable[..., np.ndarray]:
    """Standard normal rows, float32 array [rows, columns]."""

    def rows(count: int = 60, columns: int = 4, seed: int = 0) -> np.ndarray:
        return np.random.default_rng(seed).normal(size=(count, columns)).astype("float32")

    return rows


@pytest.fixture
def mlp() -> Callable[..., keras.Model]:
    """A compiled network of two layers called `hidden` and `head`."""

    def build(
        optimizer: Any = None, *, between: Any = (), loss: str = "sparse_categorical_crossentropy"
    ) -> keras.Model:
        layers = [L.Dense(8, "tanh", name="hidden"), *between, L.Dense(3, "softmax", name="head")]
        model = keras.Sequential([keras.Input((4,)), *layers])
        model.compile(optimizer or keras.optimizers.SGD(0.1), loss)
        return model

    return build


@pytest.fixture
def session(table) -> Iterator[Callable[..., Session]]:
    """Prepares a model on 60 rows, with 60 set apart; three classes that follow from the first column."""
    made: list[Session] = []

    def build(model: keras.Model, x: Any = None, y: Any = None, *, weights: str = "auto", **fit: Any) -> Session:
        x = table() if x is None else x
        y = np.digitize(x[:, 0], [-0.4, 0.4]) if y is None else y
        settings = {"epochs": 2, "batch_size": 16, **fit}
        found = prepare(model, (x, y), validation_data=(x, y), fit=settings, weights=weights)
        made.append(found)
        return found

    yield build
    for one in made:
        one.trainer.close()
