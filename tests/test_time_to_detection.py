"""How soon a fault is told: programs with one fault each, in `fit`, in a loop of one's own, and in a diagnosis."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import autofix
from autofix.symptom import Symptom
from autofix.yardstick import Yardstick

L = keras.layers
ROWS, BATCH = 640, 32
# Steps within which a fault of layers or gradients is to be told, and one that only a curve shows.
LAYERS, CURVE = 20, 100
KINDS = "sparse_categorical_crossentropy"
SGD, Constant, Normal = keras.optimizers.SGD, keras.initializers.Constant, keras.initializers.RandomNormal


@dataclass(frozen=True, eq=False)
class Broken:
    """A program that has one fault.

    Attributes:
        symptom: What is to be told.
        within: Steps within which.
        model: A compiled model.
        x: Inputs.
        y: Targets.
    """

    symptom: Symptom
    within: int
    model: keras.Model
    x: np.ndarray
    y: np.ndarray


def table(*shape: int, rows: int = ROWS) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(rows, *shape)).astype("float32")


def kinds(x: np.ndarray) -> np.ndarray:
    flat = x.reshape(len(x), -1)
    return (flat @ np.random.default_rng(1).normal(size=(flat.shape[1], 3))).argmax(axis=1)


def network(shape: tuple[int, ...], *layers: Any, optimizer: Any, units: int = 3, loss: Any = KINDS) -> keras.Model:
    head = L.Dense(units, "softmax" if loss == KINDS else None, name="head")
    model = keras.Sequential([keras.Input(shape), *layers, head])
    model.compile(optimizer, loss)
    return model


@keras.saving.register_keras_serializable("detection_tests")
class Hidden(keras.Model):
    """Layers that no graph shows."""

    def __init__(self, depth: int, activation: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.depth, self.activation = depth, activation
        self.body = [L.Dense(16, activation) for _ in range(depth)]
        self.head = L.Dense(3, "softmax")

    def call(self, inputs: Any) -> Any:
        for layer in self.body:
            inputs = layer(inputs)
        return self.head(inputs)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "depth": self.depth, "activation": self.activation}


def hidden(depth: int, activation: str, optimizer: Any) -> keras.Model:
    model = Hidden(depth, activation)
    model(np.zeros((1, 8), "float32"))
    model.compile(optimizer, KINDS)
    return model


def nan_in_a_row() -> Broken:
    x = table(8)
    y = kinds(x)
    x[BATCH * 7] = np.nan
    return Broken(Symptom.NON_FINITE_LOSS, 8, network((8,), L.Dense(16, "tanh"), optimizer=SGD(0.01)), x, y)


def overflow() -> Broken:
    model = network((8,), L.Dense(16, "relu"), optimizer=SGD(1e12), loss="mse", units=1)
    return Broken(Symptom.NON_FINITE_LOSS, 5, model, table(8), table(1)[:, 0])


def overflow_in_a_subclass() -> Broken:
    x = table(8)
    return Broken(Symptom.NON_FINITE_LOSS, 5, hidden(2, "relu", SGD(1e30)), x, kinds(x))


def vanishing() -> Broken:
    x = table(8)
    layers = [L.Dense(16, "sigmoid") for _ in range(8)]
    return Broken(Symptom.VANISHING_GRADIENT, LAYERS, network((8,), *layers, optimizer=SGD(0.01)), x, kinds(x))


def vanishing_in_convolutions() -> Broken:
    x = table(8, 8, 1)
    layers = [L.Conv2D(4, 3, padding="same", activation="sigmoid") for _ in range(8)]
    model = network((8, 8, 1), *layers, L.Flatten(), optimizer=SGD(0.01))
    return Broken(Symptom.VANISHING_GRADIENT, LAYERS, model, x, kinds(x))


def vanishing_in_a_subclass() -> Broken:
    x = table(8)
    return Broken(Symptom.VANISHING_GRADIENT, LAYERS, hidden(8, "sigmoid", SGD(0.01)), x, kinds(x))


def exploding() -> Broken:
    """Least squares at a rate of twice what it can bear: every step is about three times as long as the last one."""
    x = table(8)
    model = network((8,), optimizer=SGD(2.0), loss="mse", units=1)
    return Broken(Symptom.EXPLODING_GRADIENT, LAYERS, model, x, x[:, 0])


def exploding_behind_convolutions() -> Broken:
    x = table(8, 8, 1)
    features = L.Conv2D(2, 3, trainable=False)
    model = network((8, 8, 1), features, L.Flatten(), optimizer=SGD(1.0), loss="mse", units=1)
    return Broken(Symptom.EXPLODING_GRADIENT, LAYERS, model, x, x.mean(axis=(1, 2, 3)))


def dead() -> Broken:
    x = table(8)
    layers = [L.Dense(16, "relu", bias_initializer=Constant(-50.0)), L.Dense(16, "relu")]
    return Broken(Symptom.DEAD_UNITS, LAYERS, network((8,), *layers, optimizer=SGD(0.1)), x, kinds(x))


def dead_convolutions() -> Broken:
    x = table(8, 8, 1)
    layers = [L.Conv2D(4, 3, activation="relu", bias_initializer=Constant(-50.0)), L.Flatten()]
    return Broken(Symptom.DEAD_UNITS, LAYERS, network((8, 8, 1), *layers, optimizer=SGD(0.1)), x, kinds(x))


def saturated() -> Broken:
    x = table(8)
    layers = [L.Dense(16, "tanh", kernel_initializer=Normal(stddev=20.0, seed=place)) for place in range(3)]
    return Broken(Symptom.SATURATED_UNITS, LAYERS, network((8,), *layers, optimizer=SGD(0.001)), x, kinds(x))


def saturated_convolutions() -> Broken:
    x = table(8, 8, 1)
    layer = L.Conv2D(4, 3, activation="sigmoid", kernel_initializer=Normal(stddev=30.0, seed=0))
    model = network((8, 8, 1), layer, L.Flatten(), optimizer=SGD(0.001))
    return Broken(Symptom.SATURATED_UNITS, LAYERS, model, x, kinds(x))


def flat(steps: int) -> Broken:
    """Labels that have nothing to do with the inputs, at a rate too small to learn them by heart."""
    rows = BATCH * steps
    y = np.random.default_rng(5).integers(0, 3, rows)
    model = network((8,), L.Dense(16, "relu"), optimizer=SGD(1e-5))
    return Broken(Symptom.PLATEAU, CURVE, model, table(8, rows=rows), y)


def plateau_in_a_long_epoch() -> Broken:
    return flat(200)


def plateau_in_a_short_epoch() -> Broken:
    return flat(60)


PROGRAMS: tuple[Callable[[], Broken], ...] = (
    nan_in_a_row, overflow, overflow_in_a_subclass,
    vanishing, vanishing_in_convolutions, vanishing_in_a_subclass,
    exploding, exploding_behind_convolutions,
    dead, dead_convolutions, saturated, saturated_convolutions,
    plateau_in_a_long_epoch, plateau_in_a_short_epoch,
)  # fmt: skip
programs = pytest.mark.parametrize("build", PROGRAMS, ids=lambda build: build.__name__)


@pytest.fixture(autouse=True)
def quiet(monkeypatch, caplog):
    caplog.set_level(logging.WARNING, logger="autofix")
    monkeypatch.setattr("autofix.yardstick.measure", lambda data, targets, seed: Yardstick(None, 0.33, 0.0))
    keras.utils.set_random_seed(0)


def told(caplog, symptom: Symptom) -> int:
    """Returns the step at which a symptom was told."""
    lines = [record.getMessage() for record in caplog.records if record.name == "autofix"]
    steps = [line.split("step ")[1].split(":")[0] for line in lines if f" {symptom.code}:" in line]
    assert steps, f"{symptom.code} was not told: {lines}"
    return int(steps[0].replace(",", ""))


@programs
def test_in_fit(build, caplog):
    broken = build()
    watch = autofix.Watch()
    broken.model.fit(broken.x, broken.y, batch_size=BATCH, shuffle=False, epochs=2, verbose=0, callbacks=[watch])
    assert told(caplog, broken.symptom) <= broken.within
    if broken.symptom is Symptom.NON_FINITE_LOSS:
        # Weights that are NaN already are told at once, a step before the loss is.
        assert watch.trace.non_finite_step <= told(caplog, broken.symptom) <= watch.trace.non_finite_step + 1


@programs
def test_in_a_loop_of_the_users_own(build, caplog):
    broken = build()
    model, optimizer = broken.model, broken.model.optimizer
    watch = autofix.monitor(model, optimizer, data=(broken.x, broken.y))

    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            loss = model.compute_loss(x=x, y=y, y_pred=model(x, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss, gradients

    for number in range(CURVE):
        rows = np.arange(number * BATCH, (number + 1) * BATCH) % len(broken.x)
        loss, gradients = step(tf.constant(broken.x[rows]), tf.constant(broken.y[rows]))
        watch.step(loss=loss, gradients=gradients)
    assert told(caplog, broken.symptom) <= broken.within
    if broken.symptom is Symptom.NON_FINITE_LOSS:
        # Weights that are NaN already are told at once, a step before the loss is.
        assert watch.trace.non_finite_step <= told(caplog, broken.symptom) <= watch.trace.non_finite_step + 1


@programs
def test_in_a_diagnosis(build):
    """All of a run is judged at once; what counts is the step that the finding names."""
    broken = build()
    settings = {"epochs": 2, "batch_size": BATCH, "progress": False}
    findings = autofix.diagnose(broken.model, (broken.x, broken.y), **settings)
    named = [item for item in findings if item.symptom is broken.symptom]
    assert named, [str(item) for item in findings]
    assert min(item.since_step for item in named) <= broken.within
