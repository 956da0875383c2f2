"""Which probes `Watch` and `monitor` take, and when: tiers, names, none, and on suspicion."""

from __future__ import annotations

import logging

import keras
import numpy as np
import pytest

import autofix
from autofix.errors import FixYourCall
from autofix.live import sight
from autofix.live.judging import SETTLED
from autofix.live.schedule import MILESTONES
from autofix.probe import Tier
from autofix.probes import ALL
from autofix.symptom import Symptom

L = keras.layers
ROWS = 640
# Fields of the trace that are named otherwise than the probe that fills them.
GONE = {"activations": "first", "gradients": "gradient_norms", "updates": "update_ratio"}
# Keras' use of NumPy 1 where it sets a learning rate.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
X = np.random.default_rng(0).normal(size=(ROWS, 8)).astype("float32")
Y = (X @ np.random.default_rng(1).normal(size=(8, 3))).argmax(axis=1)


@pytest.fixture(autouse=True)
def listen(caplog):
    caplog.set_level(logging.WARNING, logger="autofix")


@pytest.fixture
def calls(monkeypatch):
    """The steps at which the model is called by us."""
    seen = []
    plain = sight.Sight._call
    monkeypatch.setattr(sight.Sight, "_call", lambda self, *args, **more: seen.append(1) or plain(self, *args, **more))
    return seen


@pytest.fixture(scope="module")
def whole():
    return fit(network(), probes="full", log=False).trace


def network(optimizer=None, activation="relu"):
    keras.utils.set_random_seed(0)
    layers = [L.Dense(16, activation, name="hidden"), L.Dense(3, "softmax", name="head")]
    model = keras.Sequential([keras.Input((8,)), *layers])
    model.compile(optimizer or keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    return model


def fit(model, epochs=2, y=Y, **settings):
    watch = autofix.Watch(**settings)
    model.fit(X, y, batch_size=32, epochs=epochs, verbose=0, callbacks=[watch])
    return watch


def test_light_probes_never_call_the_model(calls):
    trace = fit(network(), probes="light").trace
    assert calls == []
    assert trace.steps == 40
    assert trace.learning_rates
    assert set(trace.weights) == set(trace.update_ratio) == {"layers/hidden", "layers/head"}
    assert trace.epoch_seconds
    assert trace.step_seconds > 0
    assert (trace.gradient_norms, trace.first, trace.predictions, trace.inputs) == ({}, (), (), ())
    assert trace.unseen == ()


def test_full_probes_look_at_every_milestone(calls):
    trace = fit(network(), probes="full", epochs=6).trace
    assert set(MILESTONES) <= set(trace.probe_steps)
    assert {20, 40, 60, 80, 100, 120} <= set(trace.probe_steps)
    assert len(calls) >= len(trace.probe_steps)
    assert len(trace.inputs) == len(trace.targets) == 1


def test_probes_by_name(calls):
    trace = fit(network(), probes=("gradients",), every=5).trace
    assert trace.gradient_norms
    assert trace.steps == 40
    assert (trace.weights, trace.first, trace.predictions, trace.learning_rates) == ({}, (), (), ())
    assert trace.unseen == ()


@pytest.mark.parametrize("probes", [(), []])
def test_none_turns_watching_off(probes, calls):
    watch = fit(network(), probes=probes)
    assert (watch.trace, watch.diagnosis, watch.recipe, calls) == (None, (), None, [])
    model = network()
    quiet = autofix.monitor(model, model.optimizer, probes=probes)
    for _ in range(30):
        quiet.step(loss=1.0)
    assert (quiet.trace.steps, quiet.diagnosis) == (0, ())


def test_what_is_not_there_is_refused():
    with pytest.raises(FixYourCall, match="Did you mean 'gradients'"):
        autofix.Watch(probes=["gradient"])
    with pytest.raises(FixYourCall, match="`probes` must be"):
        autofix.monitor(network(), keras.optimizers.SGD(), probes="heavy")


@pytest.mark.parametrize("probe", ALL, ids=lambda probe: probe.name)
def test_a_probe_that_fails_is_said_and_no_other_is_missing(probe, monkeypatch, whole):
    def fails(self, look):
        raise RuntimeError("fell over")

    monkeypatch.setattr(type(probe), "measure", fails)
    trace = fit(network(), probes="full", log=False).trace
    # The loss is taken without a look, and the origin is asked for after a NaN alone.
    told = () if probe.name in ("loss", "origin") else (f"{probe.what} (RuntimeError: fell over)",)
    assert trace.unseen == told
    assert trace.loss == whole.loss
    filled = ["gradient_norms", "first", "weights", "update_ratio", "predictions", "inputs", "targets"]
    gone = GONE.get(probe.name, probe.name)
    assert [name for name in filled if name != gone] == [name for name in filled if getattr(trace, name)]


def test_the_learning_rate_is_read_over_time():
    halves = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    watch = autofix.Watch(every=20, log=False)
    network(keras.optimizers.SGD(0.8)).fit(X, Y, batch_size=32, epochs=3, verbose=0, callbacks=[halves, watch])
    trace = watch.trace
    rates = dict(zip(trace.rate_steps, trace.learning_rates, strict=True))
    assert (rates[20], rates[40], rates[60]) == pytest.approx((0.4, 0.2, 0.1))
    assert list(trace.rate_steps) == sorted(set(trace.rate_steps))
    assert len(trace.epoch_seconds) == 3


def test_a_finding_of_the_light_probes_asks_for_a_full_look(monkeypatch, calls):
    """No look is granted, so that nothing but the flat curve at step 100 can lead to one."""
    monkeypatch.setattr("autofix.live.schedule.Schedule.grants", lambda self, step, planned=0: moved_on(self, step))
    monkeypatch.setattr("autofix.live.schedule.Schedule.affords", lambda self, step, share=None: False)
    rows = np.resize(np.arange(ROWS), 32 * 200)
    y = np.random.default_rng(5).integers(0, 3, len(rows))
    ends = []
    for rate in (1e-5, 0.0):
        calls.clear()
        model, watch = network(keras.optimizers.SGD(1e-5)), autofix.Watch(stop=True)
        if not rate:  # a sound run: nothing to suspect
            model, y = network(keras.optimizers.Adam(0.01)), Y[rows]
        model.optimizer.iterations.assign(1)  # goes on training, so that there is no look at its start either
        model.fit(X[rows], y, batch_size=32, epochs=5, verbose=0, callbacks=[watch])
        ends.append((len(calls), watch.trace.probe_steps))
    assert ends == [(1, (SETTLED,)), (0, ())]


def moved_on(schedule, step):
    schedule.due = next(mark for mark in (*MILESTONES, 10**9) if mark > step)
    return False


def test_a_loss_that_leaps_is_looked_at_at_once(caplog):
    """Between two milestones, and told while it is still finite."""
    model = network(keras.optimizers.SGD(0.001))

    class Breaks(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if batch >= 12:
                model.get_layer("head").kernel.assign(model.get_layer("head").kernel * 100.0)

    model.compile(keras.optimizers.SGD(1e-9), "mse")
    target = np.eye(3, dtype="float32")[Y]
    model.layers[-1].activation = keras.activations.linear
    model.compile(keras.optimizers.SGD(1e-9), "mse")
    watch = autofix.Watch()
    model.fit(X, target, batch_size=32, epochs=1, verbose=0, callbacks=[Breaks(), watch])
    assert {13, 14} <= set(watch.trace.probe_steps)
    lines = [record.getMessage() for record in caplog.records]
    assert any("step 14: exploding_gradient" in line for line in lines), lines
    assert Symptom.EXPLODING_GRADIENT in {item.symptom for item in watch.diagnosis}


def test_there_are_light_and_full_ones():
    assert {probe.tier for probe in ALL} == set(Tier)
