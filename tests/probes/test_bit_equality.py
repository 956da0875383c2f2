"""Probes change nothing: weights and losses come out bit for bit as without them, in the engine and in plain `fit`."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest

from autofix.live.monitor import monitor
from autofix.recipe import layers
from autofix.session import prepare
from autofix.trainer.program import Program
from autofix.trainer.tracing import Tracer
from autofix.watch import Watch
from autofix.yardstick import Yardstick

from .models import MODELS

# So many steps that XLA makes some in a row in spite of those that are left to the plain loop.
BATCH, STEPS = 4, 60
models = pytest.mark.parametrize("name", MODELS)


@pytest.fixture(autouse=True)
def no_yardstick(monkeypatch):
    monkeypatch.setattr("autofix.yardstick.measure", lambda data, targets, seed: Yardstick(None, 0.33, 0.0))
    monkeypatch.setattr("autofix.trainer.store.gc", SimpleNamespace(collect=lambda: 0))


def same(one: Any, two: Any) -> None:
    assert len(one) == len(two)
    for mine, value in zip(one, two, strict=True):
        assert np.asarray(mine).tobytes() == np.asarray(value).tobytes()


def trained(name: str, probes: bool, xla: bool) -> tuple[list[np.ndarray], tuple[np.ndarray, ...], Any]:
    """Three calls into the engine's loop, with looks between them or without any probe."""
    keras.utils.set_random_seed(5)
    model, x, y = MODELS[name]()
    one = prepare(model, (x, y), validation_data=(x, y), fit={"epochs": 3, "batch_size": BATCH})
    batch, split = one.trainer.feed.batch(one.recipe), one.data.splits[0]
    program = Program(one.recipe, batch, xla=xla, probes=probes)
    _, _, initial = one.trainer.store.get(one.recipe, 0)
    program.reset(initial)
    tracer = None
    if probes:
        activations = {layer.path: layer.activation or "linear" for layer in layers(one.recipe)}
        tracer = Tracer(program, one.trainer.feed, one.recipe, split, activations)
        tracer.before()
    losses = []
    starts = np.arange(STEPS) * BATCH
    order = np.resize(split.train, STEPS * BATCH)
    for epoch in range(3):
        found, norms = program.run(order, starts, starts + BATCH, epoch * STEPS, ahead=10**9 if xla else 0)
        losses.append(found)
        if xla:  # from the second call on, whatever the clock says
            program._plain.pace = 1.0
        if tracer:
            tracer.trained(epoch * STEPS, found, norms)
            tracer.evaluated(epoch + 1.0, 0.0)
    trace = None
    if tracer:
        read = one.trainer.evaluator.reader(program, split, one.trainer.links(one.recipe))
        trace = tracer.finish(STEPS, 3.0, 3, read, initial)
    assert program.engine == ("xla" if xla else "compiled")
    weights = program.weights()
    program.close()
    one.trainer.close()
    return losses, weights, trace


class Losses(keras.callbacks.Callback):
    """Keeps what `fit` reports after every batch."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(logs["loss"])


def state(model: keras.Model, optimizer: Any) -> list[np.ndarray]:
    return [variable.numpy() for variable in (*model.variables, *optimizer.variables)]


@models
def test_in_the_compiled_loop(name):
    losses, weights, trace = trained(name, True, False)
    plain_losses, plain_weights, _ = trained(name, False, False)
    same(losses, plain_losses)
    same(weights, plain_weights)
    assert trace.gradient_norms
    assert trace.predictions
    assert trace.first
    assert trace.last
    assert trace.weights


@pytest.mark.parametrize("name", [name for name in MODELS if name != "cnn"])  # XLA is not for convolutions
def test_in_the_xla_loop(name):
    losses, weights, trace = trained(name, True, True)
    plain_losses, plain_weights, _ = trained(name, False, True)
    same(losses, plain_losses)
    same(weights, plain_weights)
    assert trace.gradient_norms


@pytest.mark.parametrize(("name", "probes"), [*((name, "full") for name in MODELS), ("mlp", "light"), ("mlp", "auto")])
def test_in_fit(name, probes):
    ends = []
    for callbacks in ([], [Watch(probes=probes, log=False)]):
        keras.utils.set_random_seed(5)
        model, x, y = MODELS[name]()
        losses = Losses()
        settings = {"epochs": 3, "batch_size": BATCH, "validation_data": (x, y), "verbose": 0}
        history = model.fit(x, y, callbacks=[*callbacks, losses], **settings)
        ends.append((history.history, losses.seen, state(model, model.optimizer)))
    (history, losses, variables), (watched, same_losses, same_variables) = ends
    assert history == watched
    assert losses == same_losses
    same(variables, same_variables)
    trace = callbacks[0].trace
    assert trace.steps == 72
    assert bool(trace.gradient_norms) is bool(trace.predictions) is (probes != "light")
    assert trace.learning_rates


@models
def test_in_a_loop_of_the_users_own(name):
    import tensorflow as tf

    ends = []
    for watched in (False, True):
        keras.utils.set_random_seed(5)
        model, x, y = MODELS[name]()
        optimizer, loss_of = keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy()
        watch = monitor(model, optimizer, data=(x, y), probes="full", log=False) if watched else None
        losses = []
        for step in range(12):
            rows = slice(step * BATCH, (step + 1) * BATCH)
            part = keras.tree.map_structure(lambda array, rows=rows: tf.convert_to_tensor(array[rows]), x)
            with tf.GradientTape() as tape:
                loss = loss_of(y[rows], model(part, training=True))
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
            losses.append(float(loss))
            if watch:
                watch.step(loss=loss, gradients=gradients)
        ends.append((losses, state(model, optimizer)))
    (losses, variables), (same_losses, same_variables) = ends
    assert losses == same_losses
    same(variables, same_variables)
    assert watch.trace.gradient_norms
