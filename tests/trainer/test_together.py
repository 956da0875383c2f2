"""Several runs at the same time: what comes of each is what would come of it alone."""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import Any

import keras
import numpy as np
import pytest

from autofix.change import Patch
from autofix.errors import FixYourCall
from autofix.outcome import Outcome, Status
from autofix.session import Session
from autofix.trainer.program import Program

L = keras.layers
RATE = "compile/optimizer/learning_rate"


def calls(one: Session, **more: Any) -> list[Any]:
    """Two recipes that share a program, and one that does not."""
    recipes = (one.recipe, one.recipe.set(RATE, 0.02), one.recipe.set("layers/hidden/activation", "relu"))
    return [partial(one.trainer.run, recipe, Patch(), seed=4, holdout=True, **more) for recipe in recipes]


def test_same_as_one_after_the_other(mlp, session):
    model = mlp(keras.optimizers.SGD(0.1, momentum=0.9), between=[L.BatchNormalization(), L.Dropout(0.3)])
    first, second = session(model, epochs=6), session(model, epochs=6)
    ours = first.trainer.together(calls(first))
    theirs = [call() for call in calls(second)]
    assert first.trainer.traces == second.trainer.traces == 2
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.status is other.status is Status.DONE
        assert all(map(np.array_equal, mine.weights, other.weights))
        assert mine.rank == pytest.approx(other.rank, abs=1e-6)
    assert not np.array_equal(ours[0].weights[0], ours[1].weights[0])


def test_runs_of_one_program_wait_for_each_other(mlp, session, monkeypatch):
    inside: list[int] = []
    most: list[int] = []
    plain = Program.run

    def run(self: Program, *args: Any, **more: Any) -> Any:
        inside.append(id(self))
        most.append(inside.count(id(self)))
        time.sleep(0.01)
        try:
            return plain(self, *args, **more)
        finally:
            inside.remove(id(self))

    monkeypatch.setattr(Program, "run", run)
    one = session(mlp(), epochs=3)
    one.trainer.together(calls(one))
    assert set(most) == {1}


def test_failed_run_takes_nothing_with_it(mlp, session):
    one = session(mlp())
    broken = partial(one.trainer.run, one.recipe.set("compile/loss", "categorical_crossentropy"), Patch())
    good, bad = one.trainer.together([calls(one)[0], broken])
    assert (good.status, bad.status) == (Status.DONE, Status.FAILED)


def test_error_of_the_user_goes_through(mlp, session):
    def wrong() -> Outcome:
        raise FixYourCall("`metric` must return one number.")

    one = session(mlp())
    with pytest.raises(FixYourCall):
        one.trainer.together([wrong, calls(one)[0]])


def test_interrupt_ends_all_of_them_soon_and_nothing_else(mlp, session):
    one = session(mlp(), epochs=10**6)
    long = calls(one)[:2]

    def interrupted() -> Outcome:
        time.sleep(0.5)
        raise KeyboardInterrupt

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        one.trainer.together([interrupted, *long])
    assert time.monotonic() - began < 8  # compiling included
    short = one.trainer.run(one.recipe.set("fit/epochs", 2), Patch())
    assert (short.status, short.epochs) == (Status.DONE, 2)


def test_one_run_needs_no_thread(mlp, session):
    one = session(mlp())
    where: list[Any] = []
    one.trainer.together([lambda: where.append(threading.current_thread())])
    assert where == [threading.main_thread()]


def test_settings_of_the_process_hold_in_a_thread_too(session, table):
    """Keras keeps its dtype policy by thread."""
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = keras.Sequential([keras.Input((4,)), L.Dense(8, "tanh", name="hidden"), L.Dense(3, "softmax")])
        model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
        first, second = session(model), session(model)
        ours = first.trainer.together(calls(first)[::2])
        theirs = [call() for call in calls(second)[::2]]
        for mine, other in zip(ours, theirs, strict=True):
            assert mine.status is Status.DONE, mine.error
            assert all(map(np.array_equal, mine.weights, other.weights))
    finally:
        keras.config.set_dtype_policy("float32")
