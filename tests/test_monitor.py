"""`monitor`: sees what stalls a training loop of the user's own, and changes nothing in it."""

from __future__ import annotations

import logging

import keras
import numpy as np
import pytest
import tensorflow as tf

from autofix.errors import FixYourCall
from autofix.live.monitor import monitor
from autofix.symptom import Symptom

L = keras.layers
ROWS = 320


@pytest.fixture(autouse=True)
def _listen(caplog):
    caplog.set_level(logging.WARNING, logger="autofix")


def data(seed=0):
    x = np.random.default_rng(seed).normal(size=(ROWS, 8)).astype("float32")
    return x, (x @ np.random.default_rng(1).normal(size=(8, 3))).argmax(axis=1)


def network(*hidden, activation="relu", **settings):
    keras.utils.set_random_seed(0)
    body = [L.Dense(units, activation, name=f"hidden_{place}", **settings) for place, units in enumerate(hidden, 1)]
    return keras.Sequential([keras.Input((8,)), *body, L.Dense(3, name="head")])


LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def train(model, optimizer, watch, steps=40, *, compiled=False, loss_of=LOSS, variables=None, batch=32):
    """A loop as users write it; returns the losses."""
    x, y = data()
    losses = []

    def step(rows, truth):
        with tf.GradientTape() as tape:
            loss = loss_of(truth, model(rows, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        pairs = zip(gradients, model.trainable_variables, strict=True)
        optimizer.apply_gradients([(gradient, variable) for gradient, variable in pairs if gradient is not None])
        return loss, gradients

    step = tf.function(step) if compiled else step
    for number in range(steps):
        begin = number * batch % ROWS
        loss, gradients = step(tf.constant(x[begin : begin + batch]), tf.constant(y[begin : begin + batch]))
        losses.append(float(loss))
        if watch is not None:
            watch.step(loss=loss, gradients=gradients)
    return losses


def findings(watch, symptom):
    return [item for item in watch.diagnosis if item.symptom is symptom]


def told(caplog, symptom):
    return [line for line in (record.getMessage() for record in caplog.records) if f" {symptom.code}:" in line]


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("shown", [False, True])
def test_a_healthy_loop_is_left_alone(compiled, shown, caplog):
    ends = []
    for watched in (False, True):
        model, optimizer = network(16, 16), keras.optimizers.Adam(0.01)
        watch = monitor(model, optimizer, data=data() if shown else None, every=3) if watched else None
        losses = train(model, optimizer, watch, 60, compiled=compiled)
        ends.append((losses, [weight.tobytes() for weight in model.get_weights()]))
    assert ends[0] == ends[1]
    assert [record.getMessage() for record in caplog.records if record.name == "autofix"] == []
    trace = watch.trace
    assert trace.steps == 60
    assert trace.loss == pytest.approx(losses)
    assert list(trace.gradient_norms) == ["layers/hidden_1", "layers/hidden_2", "layers/head"]
    assert trace.learning_rate == pytest.approx(0.01)
    assert bool(trace.last) is bool(trace.predictions) is shown
    assert all(0.0 < change < 10.0 for change in trace.weight_change.values())


def test_gradient_norms_are_those_of_the_step():
    model, optimizer = network(16), keras.optimizers.SGD(0.1)
    watch = monitor(model, optimizer, every=1)
    kernel = model.layers[0].kernel
    gradients = [tf.ones_like(variable.value) for variable in model.trainable_variables]
    watch.step(loss=1.0, gradients=gradients)
    assert watch.trace.gradient_norms["layers/hidden_1"] == (pytest.approx(np.sqrt(np.prod(kernel.shape))),)
    entries = sum(np.prod(variable.shape) for variable in model.trainable_variables)
    assert watch.trace.gradient_norm == (pytest.approx(np.sqrt(entries)),)


def test_a_disconnected_layer_is_named(caplog):
    inputs = keras.Input((8,))
    used, unused = L.Dense(8, "relu", name="used")(inputs), L.Dense(8, name="unused")(inputs)
    model = keras.Model(inputs, [L.Dense(3, name="head")(used), unused])
    optimizer = keras.optimizers.Adam()
    watch = monitor(model, optimizer)
    train(model, optimizer, watch, loss_of=lambda truth, outputs: LOSS(truth, outputs[0]))
    (finding,) = findings(watch, Symptom.WEIGHTS_UNCHANGED)
    assert finding.layer == "layers/unused"
    assert "None" in finding.evidence
    assert len(told(caplog, Symptom.WEIGHTS_UNCHANGED)) == 1


def test_a_layer_with_zero_gradients_is_named():
    model, optimizer = network(16, 16), keras.optimizers.SGD(0.1)
    watch = monitor(model, optimizer)
    train(
        model,
        optimizer,
        watch,
        loss_of=lambda truth, outputs: LOSS(truth, tf.stop_gradient(outputs) + model.layers[-1].bias),
    )
    assert {item.layer for item in findings(watch, Symptom.WEIGHTS_UNCHANGED)} >= {"layers/hidden_1", "layers/hidden_2"}


@pytest.mark.parametrize("missing", [True, False])
def test_no_gradient_at_all(missing, caplog):
    """NumPy in the middle of a loss, the classic: every gradient is None; or a loss of rounded outputs: all zero."""
    model, optimizer = network(16, 16), keras.optimizers.SGD(0.1)
    watch = monitor(model, optimizer)
    for number in range(30):
        gradients = [None if missing else tf.zeros_like(variable.value) for variable in model.trainable_variables]
        watch.step(loss=1.1 + 0.01 * (number % 7), gradients=gradients)
    (finding,) = findings(watch, Symptom.WEIGHTS_UNCHANGED)
    assert finding.layer is None
    assert ("None" if missing else "zero") in finding.evidence
    assert told(caplog, Symptom.WEIGHTS_UNCHANGED)


def test_gradients_that_are_not_applied():
    model, optimizer = network(16, 16), keras.optimizers.SGD(0.1)
    watch = monitor(model, optimizer)
    for _ in range(30):
        watch.step(loss=1.0, gradients=[tf.ones_like(variable.value) for variable in model.trainable_variables])
    (finding,) = findings(watch, Symptom.WEIGHTS_UNCHANGED)
    assert finding.numbers["cause"] == "learning rate"


@pytest.mark.parametrize("optimizer", [keras.optimizers.SGD(1e-12), keras.optimizers.Adam(1e-12)])
def test_a_tiny_learning_rate(optimizer, caplog):
    model = network(16, 16)
    watch = monitor(model, optimizer)
    train(model, optimizer, watch)
    assert findings(watch, Symptom.EXTREME_LEARNING_RATE)
    assert findings(watch, Symptom.WEIGHTS_UNCHANGED)
    assert "step 20" in told(caplog, Symptom.WEIGHTS_UNCHANGED)[0]


def test_a_usual_rate_of_adam_is_not_called_tiny():
    model, optimizer = network(16, 16), keras.optimizers.Adam(5e-5)
    watch = monitor(model, optimizer)
    train(model, optimizer, watch, 30)
    assert findings(watch, Symptom.EXTREME_LEARNING_RATE) == []


def test_nan_is_told_at_its_step(caplog):
    model, optimizer = network(16, 16), keras.optimizers.SGD(1e20)
    watch = monitor(model, optimizer)
    losses = train(model, optimizer, watch, 10)
    first = int(np.flatnonzero(~np.isfinite(losses))[0])
    (line,) = told(caplog, Symptom.NON_FINITE_LOSS)
    assert f"step {first + 1}:" in line
    assert watch.trace.non_finite_step == first


def test_vanishing_gradients_are_told_within_20_steps(caplog):
    model, optimizer = network(*[16] * 8, activation="sigmoid"), keras.optimizers.SGD(0.01)
    train(model, optimizer, monitor(model, optimizer), 25)
    assert (
        "step 20" in told(caplog, Symptom.VANISHING_GRADIENT)[0]
        or "step 1" in told(caplog, Symptom.VANISHING_GRADIENT)[0]
    )


def test_exploding_gradients_are_told(caplog):
    model, optimizer = network(16, 16), keras.optimizers.SGD(1e-9)
    watch = monitor(model, optimizer, every=1)
    for number in range(20):
        gradients = [10.0**number * tf.ones_like(variable.value) for variable in model.trainable_variables]
        watch.step(loss=1.0, gradients=gradients)
    assert told(caplog, Symptom.EXPLODING_GRADIENT)


def test_losses_alone_are_enough_to_begin_with():
    model, optimizer = network(16, 16), keras.optimizers.Adam(0.01)
    watch = monitor(model, optimizer)
    for number in range(25):
        watch.step(loss=float(np.exp(-number / 10)))
    assert watch.trace.steps == 25
    assert watch.trace.gradient_norms == {}
    assert findings(watch, Symptom.WEIGHTS_UNCHANGED)


def test_sparse_gradients_of_an_embedding():
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((4,), dtype="int32"), L.Embedding(50, 6, name="words"), L.Flatten(), L.Dense(3)]
    )
    optimizer = keras.optimizers.Adam()
    watch = monitor(model, optimizer, every=1)
    x = np.random.default_rng(0).integers(0, 50, (32, 4))
    for _ in range(3):
        with tf.GradientTape() as tape:
            loss = LOSS(np.arange(32) % 3, model(x))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        watch.step(loss=loss, gradients=gradients)
    assert all(norm > 0 for norm in watch.trace.gradient_norms["layers/words"])


def test_an_unbuilt_model_is_watched_once_it_is_built():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([L.Dense(8, "relu", name="hidden"), L.Dense(3, name="head")])
    optimizer = keras.optimizers.Adam(0.01)
    watch = monitor(model, optimizer)
    train(model, optimizer, watch, 30)
    assert list(watch.trace.gradient_norms) == ["layers/hidden", "layers/head"]
    assert watch.trace.trainable == 8 * 8 + 8 + 8 * 3 + 3


def test_calls_are_checked():
    model, optimizer = network(16), keras.optimizers.SGD()
    with pytest.raises(FixYourCall, match="`model`"):
        monitor("model", optimizer)
    with pytest.raises(FixYourCall, match="`optimizer`"):
        monitor(model, "adam")
    watch = monitor(model, optimizer)
    with pytest.raises(FixYourCall, match="2 for 4"):
        watch.step(loss=1.0, gradients=[None, None])

    @tf.function
    def traced():
        watch.step(loss=tf.constant(1.0), gradients=None)

    # AutoGraph may wrap what is raised while it traces.
    with pytest.raises(Exception, match=r"outside of a `tf\.function`"):
        traced()


def test_a_reading_that_fails_never_ends_the_loop():
    model, optimizer = network(16), keras.optimizers.SGD()
    watch = monitor(model, optimizer, every=1)
    for _ in range(5):
        watch.step(loss=1.0, gradients=["neither", "of", "these", "works"])
    assert watch.trace.steps == 5
    assert any("gradients" in sentence for sentence in watch.trace.unseen)
