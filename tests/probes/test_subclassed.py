"""Models whose layers are not reachable as tensors: what is still measured, and what the result says it did not see."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import autofix
from autofix.change import Patch
from autofix.session import prepare
from autofix.symptom import Symptom
from autofix.yardstick import Yardstick

from .models import compiled, subclassed, table

L = keras.layers
HIDES = ("layer outputs, because the model is no graph of layers",)
ORDER = "the order and settings of the layers, because the model is subclassed"


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    monkeypatch.setattr("autofix.yardstick.measure", lambda data, targets, seed: Yardstick(None, 0.33, 0.0))
    keras.utils.set_random_seed(0)


def in_fit(model: keras.Model, x: Any, y: Any) -> Any:
    watch = autofix.Watch(probes="full", log=False)
    model.fit(x, y, batch_size=8, epochs=2, validation_data=(x, y), verbose=0, callbacks=[watch])
    return watch


def in_a_loop(model: keras.Model, x: Any, y: Any) -> Any:
    watch = autofix.monitor(model, model.optimizer, data=(x, y), probes="full", log=False)
    for step in range(24):
        rows = np.arange(step * 8, step * 8 + 8) % len(x)
        with tf.GradientTape() as tape:
            loss = model.compute_loss(x=x[rows], y=tf.constant(y[rows]), y_pred=model(x[rows], training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        model.optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        watch.step(loss=loss, gradients=gradients)
    return watch


@pytest.mark.parametrize("train", [in_fit, in_a_loop])
def test_gradients_weights_updates_and_predictions_are_measured(train):
    model, x, y = subclassed()
    trace = train(model, x, y).trace
    paths = [f"layers/{layer.name}" for layer in (*model.body, model.head)]
    assert list(trace.gradient_norms) == paths
    assert all(norm > 0 for norms in trace.gradient_norms.values() for norm in norms)
    assert set(trace.weights) == set(trace.weight_change) == set(trace.update_ratio) == set(paths)
    assert all(0 < change < 10 for change in trace.weight_change.values())
    assert all(0 < ratio < 1 for ratio in trace.update_ratio.values())
    (reading,) = trace.predictions
    assert len(reading.recalls) == 3
    assert len(trace.inputs) == len(trace.targets) == 1
    assert trace.train_score is not None
    assert trace.first == trace.last == ()
    assert set(trace.unseen) == {*HIDES, ORDER}


def test_the_engine_sees_its_own_copy_of_the_layers_too():
    model, x, y = subclassed()
    one = prepare(model, (x, y), validation_data=(x, y), fit={"epochs": 3, "batch_size": 8})
    try:
        trace = one.trainer.run(one.recipe, Patch(), probes=True).trace
    finally:
        one.trainer.close()
    assert len(trace.gradient_norms) == len(trace.weights) == len(trace.update_ratio) == 3
    assert [item.activation for item in trace.last] == ["relu", "relu", "softmax"]
    assert len(trace.first) == 3  # dropout is not called in inference
    assert trace.predictions
    assert trace.unseen == (ORDER,)


@pytest.mark.parametrize("train", [in_fit, in_a_loop])
def test_what_stalls_them_is_found_by_what_can_be_seen(train):
    """Dead layers: their outputs are out of sight, their gradients are not."""
    model, x, y = subclassed(bias=-50.0)
    model.optimizer.learning_rate = 1e-4
    found = {item.symptom for item in train(model, x, y).diagnosis}
    assert found & {Symptom.VANISHING_GRADIENT, Symptom.WEIGHTS_UNCHANGED}


def test_a_diagnosis_finds_dead_layers_in_them():
    model, x, y = subclassed(bias=-50.0)
    settings = {"validation_data": (x, y), "epochs": 3, "batch_size": 8, "progress": False}
    found = autofix.diagnose(model, (x, y), **settings)
    assert "layers/first" in [item.layer for item in found if item.symptom is Symptom.DEAD_UNITS]


class Bare(keras.Model):
    """Has a weight of its own, which no layer owns."""

    def build(self, shape: Any) -> None:
        self.own = self.add_weight(shape=(shape[-1], 8), name="own")
        self.head = L.Dense(3, "softmax")
        self.head.build((None, 8))

    def call(self, inputs: Any) -> Any:
        return self.head(tf.matmul(inputs, self.own))


def test_weights_of_no_layer_are_said_to_be_unseen():
    model, x, y = Bare(), table(6), subclassed()[2]
    trace = in_fit(compiled(model), x, y).trace
    assert list(trace.gradient_norms) == [f"layers/{model.head.name}"]
    assert "gradients and updates of 1 weights that belong to no layer" in trace.unseen
    assert trace.gradient_norm[-1] > trace.gradient_norms[f"layers/{model.head.name}"][-1]
