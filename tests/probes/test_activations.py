"""Layer outputs on a reference batch."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from autofix.look import Look
from autofix.probes.activations import Activations
from autofix.trainer.leaves import kernels_of, leaves, outputs_of

L = keras.layers
X = np.random.default_rng(0).normal(size=(50, 4)).astype("float32")


def read(model: keras.Model, x: Any = X, **activations: str) -> dict[str, Any]:
    layers = leaves(model)
    look = Look(
        step=3,
        kernels=kernels_of(layers),
        outputs=outputs_of(layers, lambda: model(x, training=False)),
        activations={f"layers/{k}": v for k, v in activations.items()},
    )
    return {reading.layer: reading for reading in Activations().measure(look)}


def one(activation: str | None, kernel: Any, bias: Any = 0.0, units: int = 4) -> keras.Model:
    model = keras.Sequential([keras.Input((4,)), L.Dense(units, activation, name="layer")])
    model.get_layer("layer").set_weights([np.broadcast_to(kernel, (4, units)), np.broadcast_to(bias, (units,))])
    return model


def test_numbers_are_those_of_the_outputs():
    model = one(None, np.eye(4))
    reading = read(model, layer="linear")["layers/layer"]
    assert reading.mean == pytest.approx(X.mean(), abs=1e-6)
    assert reading.std == pytest.approx(X.std(), rel=1e-5)
    assert reading.spread == pytest.approx(X.std(axis=0).mean(), rel=1e-5)
    assert reading.weight_norm == pytest.approx(2.0)
    assert reading.weight_std == pytest.approx(np.eye(4).std())
    assert (reading.step, reading.activation, reading.finite) == (3, "linear", True)


def test_dead_units_are_those_that_never_fire():
    bias = np.array([-100.0, -100.0, 0.0, 100.0])
    assert read(one("relu", np.eye(4), bias), layer="relu")["layers/layer"].dead == 0.5
    assert read(one(None, np.eye(4), bias), layer="linear")["layers/layer"].dead == 0.0


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "hard_sigmoid"])
def test_saturation(activation):
    assert read(one(activation, np.eye(4) * 1e4), layer=activation)["layers/layer"].saturated > 0.95
    assert read(one(activation, np.eye(4) * 1e-3), layer=activation)["layers/layer"].saturated == 0.0


def test_constant_layer_has_no_spread():
    reading = read(one("tanh", 0.0, 0.5), layer="tanh")["layers/layer"]
    assert reading.spread == pytest.approx(0.0, abs=1e-7)
    assert reading.mean == pytest.approx(np.tanh(0.5))


def test_outputs_that_are_not_finite():
    x = X.copy()
    x[0, 0] = np.inf
    reading = read(one("relu", np.eye(4)), x, layer="relu")["layers/layer"]
    assert not reading.finite
    assert np.isfinite([reading.mean, reading.std, reading.spread, reading.dead]).all()


def test_layers_get_their_calls_back_even_when_one_raises():
    model = one("relu", np.eye(4))
    layer = model.get_layer("layer")
    calls = layer.call
    with pytest.raises(ZeroDivisionError):
        outputs_of(leaves(model), lambda: 1 / 0)
    assert layer.call == calls
    read(model, layer="relu")
    assert layer.call == calls


def test_sequences_pictures_and_embeddings():
    model = keras.Sequential(
        [
            keras.Input((6,), dtype="int32"),
            L.Embedding(9, 4, name="words"),
            L.LSTM(3, name="memory"),
            L.Dense(2, name="head"),
        ]
    )
    found = read(model, np.arange(60).reshape(10, 6) % 9)
    assert list(found) == ["layers/words", "layers/memory", "layers/head"]
    assert found["layers/words"].weight_norm > 0
    pictures = keras.Sequential(
        [keras.Input((6, 6, 1)), L.Conv2D(3, 3, activation="relu", name="conv"), L.Flatten(name="flat")]
    )
    found = read(pictures, np.ones((5, 6, 6, 1), "float32"), conv="relu")
    assert found["layers/conv"].spread == pytest.approx(0.0, abs=1e-6)  # all pictures are alike
    assert found["layers/flat"].weight_norm == 0.0


def test_layers_with_several_outputs_are_left_out():
    inputs = keras.Input((5, 3))
    outputs, state = L.GRU(4, return_state=True, return_sequences=True, name="memory")(inputs)
    model = keras.Model(inputs, L.Concatenate(name="both")([L.Flatten(name="flat")(outputs), state]))
    found = read(model, np.ones((4, 5, 3), "float32"))
    assert "layers/memory" not in found
    assert "layers/both" in found


def test_half_precision():
    model = keras.Sequential([keras.Input((4,)), L.Dense(4, "relu", dtype="mixed_float16", name="layer")])
    assert read(model, layer="relu")["layers/layer"].finite
