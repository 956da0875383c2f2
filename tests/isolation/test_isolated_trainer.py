"""Runs in slots come to what runs in this process come to, and what ends a slot ends one run."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import keras
import numpy as np
import pytest

from autofix.change import Patch
from autofix.errors import FixTheCrash, FixYourCall
from autofix.isolation import arrays
from autofix.isolation import trainer as isolating
from autofix.isolation.pool import ATTEMPTS, LIKE_FAILURES
from autofix.isolation.session import Servers, isolated, serving
from autofix.isolation.settings import Settings, processors
from autofix.isolation.trainer import IsolatedTrainer
from autofix.isolation.worker import RunFailed
from autofix.outcome import Outcome, Status
from autofix.session import Session, prepare
from autofix.training import Bar
from autofix.yardstick import Yardstick
from tests.isolation import user_code
from tests.isolation.processes import below, gone

# A server imports TensorFlow, which takes minutes on a machine that has too much to do.
pytestmark = pytest.mark.timeout(600)

L = keras.layers
RATE = "compile/optimizer/learning_rate"


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    one = Servers(None)
    yield one
    everything = below(os.getpid())
    one.close()
    assert gone(everything) == []
    assert not one.folder.exists()


@pytest.fixture(autouse=True)
def no_yardstick(monkeypatch):
    monkeypatch.setattr("autofix.yardstick.measure", lambda data, targets, seed: Yardstick(None, 0.33, 0.0))


def program(metric: Any = "auto") -> Session:
    """A small network with a layer of the user's own."""
    keras.utils.set_random_seed(3)
    x = np.random.default_rng(0).normal(size=(60, 4)) * 3 + 1  # in 64 bits, as users have it
    y = np.digitize(x[:, 0], [0.0, 2.0])
    stack = [L.Dense(8, "tanh", name="hidden"), user_code.Doubled(), L.Dropout(0.2), L.Dense(3, "softmax")]
    model = keras.Sequential([keras.Input((4,)), *stack])
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "sparse_categorical_crossentropy")
    fit = {"epochs": 3, "batch_size": 16}
    return prepare(model, (x, y), validation_data=(x, y), fit=fit, metric=metric)


@pytest.fixture
def apart(servers) -> Iterator[Any]:
    """Makes a session twice: as it is, and with its runs in slots."""
    made: list[Session] = []

    def build(session: Session, jobs: int = 2) -> Session:
        other = isolated(session, servers, jobs)
        assert isinstance(other.trainer, IsolatedTrainer), other.facts.notes
        made.append(other)
        return other

    yield build
    for one in made:
        one.trainer.close()


def recipes(one: Session) -> list[Any]:
    """Two that share a program, one that does not, and one that is broken."""
    recipe = one.recipe
    return [
        recipe,
        recipe.set(RATE, 0.02),
        recipe.set("layers/hidden/activation", "relu"),
        recipe.set("compile/loss", "categorical_crossentropy"),
    ]


def same(ours: Outcome, theirs: Outcome) -> bool:
    """Bit for bit but for the tie of a score: it sums over rows in an order that depends on the threads."""
    for name in ("status", "epochs", "steps", "share", "error", "resampled", "engine"):
        assert getattr(ours, name) == getattr(theirs, name), name
    for name in ("score", "holdout"):
        one, other = getattr(ours, name), getattr(theirs, name)
        assert (one is None) == (other is None)
        if one is not None:
            assert (one.value, one.parts) == (other.value, other.parts)
            assert one.tie == pytest.approx(other.tie, abs=1e-6)
    assert (ours.trace is None) == (theirs.trace is None)
    if theirs.trace is not None:
        assert ours.trace.epoch_scores == pytest.approx(theirs.trace.epoch_scores, abs=1e-6)
    return all(map(np.array_equal, ours.weights or (), theirs.weights or ()))


def test_what_runs_come_to(apart, monkeypatch):
    monkeypatch.setattr(arrays, "LARGE", 64)  # everything is mapped
    one = program()
    other = apart(one)
    assert other.trained is one.trained
    settings = {"seed": 4, "holdout": True, "probes": True, "keep": Bar(0.5)}
    calls = [[partial(s.trainer.run, recipe, Patch(), **settings) for recipe in recipes(one)] for s in (one, other)]
    theirs, ours = (s.trainer.together(c) for s, c in zip((one, other), calls, strict=True))
    assert [outcome.status for outcome in theirs] == [Status.DONE] * 3 + [Status.FAILED]
    assert all(map(same, ours, theirs))
    assert not np.array_equal(ours[0].weights[0], ours[1].weights[0])
    made = [s.trainer.build(ours[0], one.recipe).predict(one.data.x[:5], verbose=0) for s in (one, other)]
    assert np.array_equal(*made)
    # None is made twice.
    again = calls[1][0]()
    assert again.seconds == ours[0].seconds
    assert other.trainer.traces >= 2
    # What is asked for without training.
    weights = ours[0].weights
    assert same(*(s.trainer.score_weights(one.recipe, Patch(), weights) for s in (other, one)))
    assert other.trainer.range_test(one.recipe).candidates == one.trainer.range_test(one.recipe).candidates
    with pytest.raises(RunFailed):
        other.trainer.range_test(recipes(one)[3])
    assert other.trainer.choose_rung(one.recipe) > 0
    assert other.trainer.rung == one.trainer.rung == 1.0
    # The rung goes with each request.
    for s in (one, other):
        s.trainer.rung = 1 / 3
    assert same(*(s.trainer.run(one.recipe, Patch(), seed=5, holdout=True) for s in (other, one)))
    assert other.trainer.run(one.recipe, Patch(), seed=5).share == 1 / 3
    # NaN is an outcome like any other, however often it comes.
    wild = one.recipe.set(RATE, 3e38).set("layers/hidden/activation", "linear")
    for seed in range(LIKE_FAILURES + 1):
        assert other.trainer.run(wild, Patch(), seed=seed, full=True).status is Status.DIVERGED


def test_run_that_kills_its_process_ends_alone(apart):
    other = apart(program(user_code.kills), jobs=1)
    for seed in range((LIKE_FAILURES - 1) // ATTEMPTS):
        outcome = other.trainer.run(other.recipe, Patch(), seed=seed)
        assert outcome.status is Status.FAILED
        assert "killed by SIGKILL" in outcome.error
    with pytest.raises(FixTheCrash, match="killed by SIGKILL"):
        other.trainer.run(other.recipe, Patch())


def test_run_that_hangs_ends_alone_and_says_where(apart, monkeypatch):
    monkeypatch.setattr(isolating, "GRACE", 5.0)
    monkeypatch.setattr(isolating, "LEAST", 0.1)
    monkeypatch.setattr(isolating, "HUNG", 0.0)
    other = apart(program(user_code.hangs), jobs=1)
    other.trainer.choose_rung(other.recipe)
    # A deadline that has passed, and none, as the first run of a repair has it.
    for deadline in (0.0, math.inf):
        outcome = other.trainer.run(other.recipe, Patch(), deadline=deadline)
        assert outcome.status is Status.FAILED
        assert "and was stopped" in outcome.error
        assert "in hangs" in outcome.error


def test_error_of_the_users_metric_goes_through(apart):
    other = apart(program(user_code.wrong), jobs=1)
    with pytest.raises(FixYourCall, match="ZeroDivisionError: of all things"):
        other.trainer.together([partial(other.trainer.run, other.recipe, Patch(), seed=seed) for seed in (0, 1)])
    assert other.trainer.range_test(other.recipe).candidates


def test_what_only_the_script_knows_is_run_here_and_said(servers):
    def metric(y_true, y_pred) -> float:
        return user_code.share(y_true, y_pred)

    inner = program(metric)
    kept = isolated(inner, servers, 2)
    assert kept.trainer is inner.trainer
    assert "test_isolated_trainer" not in kept.facts.notes[-1]
    assert "made in this process" in kept.facts.notes[-1]
    main = replace(inner, scorer=replace(inner.scorer, metric=user_code.share))
    user_code.share.__module__ = "__main__"
    try:
        said = isolated(main, servers, 2).facts.notes[-1]
    finally:
        user_code.share.__module__ = user_code.__name__
    assert "made in this process" in said


def test_settings_of_keras_go_along():
    before = Settings.of_this_process(1)
    keras.config.set_dtype_policy("mixed_float16")
    keras.config.set_epsilon(1e-5)
    try:
        changed = Settings.of_this_process(1)
        before()
        assert keras.config.dtype_policy().name == "float32"
        changed()
        assert (keras.config.dtype_policy().name, keras.config.epsilon()) == ("mixed_float16", 1e-5)
    finally:
        before()
    assert Settings.of_this_process(1) == before
    assert before.threads == 0
    assert [Settings.of_this_process(jobs).threads for jobs in (2, 10**6)] == [max(1, processors() // 2), 1]


def test_one_job_stays_here():
    with serving(1) as servers:
        assert servers is None
        one = program()
        assert isolated(one, servers, 1) is one
