"""What a traced run tells: losses, gradients, movement, and where a NaN came from."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest

from autofix.change import Patch

L = keras.layers


def traced(one, recipe=None):
    outcome = one.trainer.run(recipe or one.recipe, Patch(), probes=True)
    assert outcome.trace is not None, outcome.error
    return outcome.trace


def test_trace_of_a_usual_run(mlp, session):
    one = session(mlp(), epochs=10)
    trace = traced(one)
    assert trace.steps == 40
    assert (trace.steps_per_epoch, trace.epochs, trace.planned_epochs) == (4, 10.0, 10)
    assert trace.loss[0] > trace.loss[-1] > 0
    assert trace.scored_epochs == tuple(float(epoch) for epoch in range(1, 11))
    assert len(trace.epoch_scores) == 10
    assert trace.epoch_scores[-1] > trace.epoch_scores[0] - 0.2
    assert list(trace.gradient_norms) == ["layers/hidden", "layers/head"]
    assert trace.probe_steps[:20] == tuple(range(20))
    assert all(len(norms) == len(trace.probe_steps) for norms in trace.gradient_norms.values())
    assert set(trace.weight_change) == set(trace.update_ratio) == {"layers/hidden", "layers/head"}
    assert 0 < trace.weight_change["layers/head"] < 10
    assert trace.learning_rate == pytest.approx(0.1)
    assert trace.trainable == 4 * 8 + 8 + 8 * 3 + 3
    assert 0 <= trace.train_score <= 1
    assert trace.unseen == ()
    assert trace.error is None
    json.dumps(trace.to_dict(), allow_nan=False)


def test_gradient_norms_are_those_of_the_loss_where_the_loss_is_scaled(mlp, session):
    keras.utils.set_random_seed(3)
    plain = traced(session(mlp(), shuffle=False))
    keras.config.set_dtype_policy("mixed_float16")
    try:
        keras.utils.set_random_seed(3)
        scaled = traced(session(mlp(), shuffle=False))
    finally:
        keras.config.set_dtype_policy("float32")
    for path, norms in scaled.gradient_norms.items():
        np.testing.assert_allclose(norms[:4], plain.gradient_norms[path][:4], rtol=0.5)


def test_gradient_norms_are_those_of_a_tape(mlp, session):
    """The first step, done again by hand on the same rows and weights."""
    import tensorflow as tf

    model = mlp()
    one = session(model, shuffle=False)
    x, y = one.data.x, np.asarray(one.data.y)
    rows = one.data.splits[0].train[:16]
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y[rows], model(x[rows])))
    gradients = tape.gradient(loss, [model.get_layer("hidden").kernel.value, model.get_layer("head").kernel.value])
    trace = traced(one)
    assert trace.loss[0] == pytest.approx(float(loss), rel=1e-5)
    for norms, gradient in zip(trace.gradient_norms.values(), gradients, strict=True):
        assert norms[0] == pytest.approx(float(tf.norm(gradient)), rel=1e-4)


def test_share_of_the_penalty(session):
    decay = keras.regularizers.L2(10.0)
    model = keras.Sequential([keras.Input((4,)), L.Dense(8, "tanh", kernel_regularizer=decay), L.Dense(3, "softmax")])
    model.compile(keras.optimizers.SGD(1e-6), "sparse_categorical_crossentropy")
    assert traced(session(model)).penalty > 0.9


def test_no_penalty_no_share(mlp, session):
    assert traced(session(mlp())).penalty == 0.0


def test_frozen_layer_has_no_gradient_and_does_not_move(mlp, session):
    model = mlp()
    model.get_layer("hidden").trainable = False
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    trace = traced(session(model))
    assert set(trace.gradient_norms) == {"layers/head"}
    assert trace.trainable == 27


def test_dead_units_are_read_before_and_after(session):
    off = keras.initializers.Constant(-100.0)
    model = keras.Sequential(
        [keras.Input((4,)), L.Dense(8, "relu", name="hidden", bias_initializer=off), L.Dense(3, "softmax", name="head")]
    )
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    trace = traced(session(model))
    for readings, step in ((trace.first, 0), (trace.last, trace.steps)):
        (reading,) = (item for item in readings if item.layer == "layers/hidden")
        assert (reading.dead, reading.step, reading.activation) == (1.0, step, "relu")
        assert reading.spread == 0.0


@pytest.mark.parametrize("where", ["input", "target"])
def test_origin_of_a_nan_in_the_data(where, mlp, session, table):
    model = mlp(loss="mse")
    x, y = table(), table(60, 3, seed=1)
    if where == "input":
        x[5, 2] = np.nan
    else:
        y[5, 2] = np.inf
    trace = traced(session(model, x, y))
    assert trace.non_finite_step is not None
    assert trace.non_finite_origin == where


def test_origin_of_a_nan_in_the_steps(mlp, session, table):
    one = session(mlp(loss="mse"), table(), table(60, 3, seed=1))
    recipe = one.recipe.set("layers/head/activation", "linear").set("compile/optimizer/learning_rate", 1e18)
    trace = traced(one, recipe)
    assert trace.non_finite_step > 0
    assert trace.non_finite_origin in ("gradient", "loss")


def test_predictions_are_read(mlp, session):
    (reading,) = traced(session(mlp(), epochs=5)).predictions
    assert 1 / 3 <= reading.constant <= 1.0
    assert len(reading.recalls) == 3
    assert 0.0 <= reading.minimum <= reading.maximum <= 1.0


def test_nested_layers_go_by_their_paths(session):
    inner = keras.Sequential([keras.Input((4,)), L.Dense(8, "tanh", name="deep")], name="inner")
    inputs = keras.Input((4,))
    model = keras.Model(inputs, L.Dense(3, "softmax", name="head")(inner(inputs)))
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    one = session(model)
    trace = traced(one)
    assert list(trace.gradient_norms) == ["layers/inner/layers/deep", "layers/head"]
    assert {item.layer for item in trace.last} >= {"layers/inner/layers/deep", "layers/head"}
    for path in trace.gradient_norms:
        assert one.recipe.has(f"{path}/units")


def test_probes_do_not_change_the_run(mlp, session):
    model = mlp(keras.optimizers.Adam(0.01), between=[L.BatchNormalization(), L.Dropout(0.3)])
    first, second = session(model), session(model)
    ours = first.trainer.run(first.recipe, Patch(), holdout=True, probes=True)
    theirs = second.trainer.run(second.recipe, Patch(), holdout=True)
    for mine, value in zip(ours.weights, theirs.weights, strict=True):
        assert mine.tobytes() == value.tobytes()


@pytest.mark.filterwarnings("ignore:Gradients do not exist")
def test_layers_that_the_loss_does_not_depend_on_are_told(session):
    class Cut(L.Layer):
        def call(self, inputs):
            return keras.ops.stop_gradient(inputs)

    model = keras.Sequential(
        [keras.Input((4,)), L.Dense(8, "relu", name="hidden"), Cut(), L.Dense(3, "softmax", name="head")]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    trace = traced(session(model))
    assert trace.disconnected == ("layers/hidden",)
    assert set(trace.gradient_norms["layers/hidden"]) == {0.0}


def test_a_usual_run_has_none_of_these(mlp, session):
    assert traced(session(mlp())).disconnected == ()
