"""The compiled loops are the arithmetic of `fit`: the same start and the same batches end in the same weights."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from autofix.change import Patch
from autofix.outcome import Outcome, Status
from autofix.recipe import Recipe
from autofix.session import Session, prepare
from autofix.trainer.hot import Knobs
from autofix.trainer.program import Program
from autofix.yardstick import Yardstick
from tests.trainer.fit_cases import BATCH, CASES, KINDS, ROWS, Given, Tripled, kinds, mlp, scaled_step, table

# XLA off, as the plain loop is compiled: the very operations of `fit` in the same order. The attention case has two
# terms that cancel, and differs by 6e-8.
TOLERANCE = 2e-7
ORDER = np.arange(ROWS)
STARTS = np.arange(0, ROWS, BATCH)
STOPS = np.minimum(STARTS + BATCH, ROWS)
# Steps done before, as far as a program is told: XLA leaves none of those that follow to the loop that reads gradients.
FAR = 600_000


@pytest.fixture(autouse=True)
def no_full_collection(monkeypatch):
    """Looking through all of TensorFlow's objects after each test takes longer than the test."""
    monkeypatch.setattr("autofix.trainer.store.gc", SimpleNamespace(collect=lambda: 0))


@pytest.fixture(autouse=True)
def no_yardstick(monkeypatch):
    """scikit-learn's models say nothing about arithmetic."""
    monkeypatch.setattr("autofix.yardstick.measure", lambda data, targets, seed: Yardstick(None, 0.0, 0.0))


class Pair:
    """One program, trained by `fit` and by our loops from the same weights over the same batches.

    Attributes:
        given: What the user brings.
        ours: The run of our plain loop.
        theirs: The weights that `fit` ends with.
    """

    def __init__(self, given: Given, **fit: Any) -> None:
        self.given = given
        settings = {"epochs": 1, "batch_size": BATCH, "shuffle": False, **given.fit, **fit}
        self.session = session_of(given, settings)
        trainer, recipe = self.session.trainer, self.session.recipe
        before = [value.copy() for value in given.model.get_weights()]
        self.ours: Outcome = trainer.run(recipe, Patch(), holdout=True)
        assert self.ours.status is Status.DONE, self.ours.error
        self.program, self.knobs, self.start = trainer.store.get(recipe, 0)
        self.start_over()
        for theirs, mine in zip(seeds(given.model), seeds(self.program.model), strict=True):
            theirs.assign(mine)  # a recipe draws seeds of its own
        given.model.fit(given.x, given.y, sample_weight=given.weight, verbose=0, **settings)
        self.theirs = given.model.get_weights()
        moved = [np.abs(old - new).max() for old, new in zip(before, self.theirs, strict=True)]
        assert max(moved) > 1e-3, "nothing was trained"

    def start_over(self) -> None:
        batch = self.session.trainer.feed.batch(self.session.recipe)
        self.program.reset(self.start, self.knobs, batch.weight)

    def compare(self, weights: Sequence[np.ndarray] | None, tolerance: float) -> None:
        assert weights is not None
        for variable, mine, value in zip(self.given.model.weights, weights, self.theirs, strict=True):
            np.testing.assert_allclose(mine, value, atol=tolerance, rtol=1e-5, err_msg=variable.path)


def session_of(given: Given, settings: dict[str, Any]) -> Session:
    data = (given.x, given.y) if given.weight is None else (given.x, given.y, given.weight)
    named = {str(label): weight for label, weight in (settings.get("class_weight") or {}).items()}
    return prepare(given.model, data, validation_data=data[:2], fit={**settings, "class_weight": named or None})


def seeds(model: keras.Model) -> list[Any]:
    return [variable for variable in model.variables if "seed_generator" in variable.path]


@functools.lru_cache(maxsize=1)
def pair(name: str) -> Pair:
    """The tests of one case follow one another."""
    keras.utils.set_random_seed(3)
    return Pair(CASES[name]())


@pytest.mark.parametrize("name", CASES, scope="class")  # both tests of a case in a row
class TestCase:
    """Every kind of program."""

    def test_ends_where_fit_ends(self, name):
        found = pair(name)
        assert found.ours.engine == "compiled"
        assert found.ours.steps == len(STARTS)
        found.compare(found.ours.weights, TOLERANCE)

    def test_ends_there_with_xla_too(self, name):
        found = pair(name)
        if not found.given.xla:
            pytest.skip("XLA sees nothing here that it does not see elsewhere")
        found.program._slow = None  # convolutions too, as on a GPU
        found.start_over()
        plain_losses, _ = found.program.run(ORDER, STARTS, STOPS, FAR)
        assert found.program.engine == "compiled"
        found.start_over()
        losses, norms = found.program.run(ORDER, STARTS, STOPS, FAR, ahead=10**9)
        found.program.model.optimizer.finalize_variable_values(found.program.model.trainable_variables)
        assert found.program.engine == "xla"
        assert found.program.traces == 2
        assert list(found.program._xla) == [BATCH]
        noise = found.given.noise
        found.compare(found.program.weights(), noise)
        np.testing.assert_allclose(losses, plain_losses, rtol=1e-4, atol=noise)
        assert np.isnan(norms[: ROWS // BATCH]).all()


def test_last_batch_of_an_epoch_is_not_run_by_xla(monkeypatch):
    """32 batches of three rows, one of two."""
    keras.utils.set_random_seed(3)
    found = Pair(CASES["dense"]())
    plain: list[int] = []
    run = found.program._plain.run
    monkeypatch.setattr(found.program._plain, "run", lambda *args: plain.append(len(args[1])) or run(*args))
    found.program.run(ORDER, STARTS, STOPS, FAR, ahead=10**9)
    assert plain == [1]


def test_dropout_with_xla_is_that_of_fit_with_xla():
    """XLA draws other numbers than TensorFlow's own kernels from the same seed."""
    keras.utils.set_random_seed(3)
    found = Pair(CASES["dropout"]())
    full = ROWS // BATCH
    found.start_over()
    found.program.run(ORDER, STARTS[:full], STOPS[:full], FAR, ahead=10**9)
    assert found.program.engine == "xla"
    mine = found.program.weights()
    found.start_over()
    found.given.model.set_weights(found.program.weights())
    found.given.model.compile(keras.optimizers.SGD(0.05, momentum=0.9), KINDS, jit_compile=True)
    for theirs, ours in zip(seeds(found.given.model), seeds(found.program.model), strict=True):
        theirs.assign(ours)
    rows = full * BATCH
    found.given.model.fit(found.given.x[:rows], found.given.y[:rows], batch_size=BATCH, shuffle=False, verbose=0)
    found.theirs = found.given.model.get_weights()
    found.compare(mine, found.given.noise)


def test_run_that_xla_takes_over_on_its_way_ends_where_fit_ends(monkeypatch):
    """Begun by the plain loop, because compiling would not have paid at once."""
    monkeypatch.setattr("autofix.trainer.program.XLA_TRACES", 0.0)
    keras.utils.set_random_seed(3)
    found = Pair(CASES["dense"](), epochs=3)
    assert found.ours.engine == "xla"
    assert found.ours.steps == 3 * len(STARTS)
    found.compare(found.ours.weights, 2e-6)


def test_several_epochs_in_one_call():
    """Epochs of few steps are put together: batches must not run over the end of one."""
    keras.utils.set_random_seed(3)
    found = Pair(CASES["weight_decay"](), epochs=30, batch_size=40)
    assert found.ours.steps == 90
    found.compare(found.ours.weights, TOLERANCE)


class PythonStep(Tripled):
    def train_step(self, data: Any) -> dict[str, Any]:
        logs = scaled_step(self, data)
        return {"loss": float(logs["loss"].numpy())}


@pytest.mark.parametrize("asked", [True, False], ids=["as asked", "for want of another way"])
def test_train_step_that_does_not_compile(asked):
    """In a program that does not ask for it, `fit` would fail; what is compared is `fit` with `run_eagerly`."""
    keras.utils.set_random_seed(3)
    model = PythonStep()
    model(table()[:2])
    model.compile(keras.optimizers.SGD(0.1), KINDS, run_eagerly=True)
    given = Given(model, table(), kinds())
    if asked:
        found = Pair(given)
        assert (found.ours.engine, found.ours.reason) == ("eager", "run_eagerly=True")
        found.compare(found.ours.weights, TOLERANCE)
        return
    session = session_of(given, {"epochs": 1, "batch_size": BATCH, "shuffle": False})
    outcome = session.trainer.run(session.recipe.set("compile/run_eagerly", False), Patch(), holdout=True)
    assert (outcome.status, outcome.engine) == (Status.DONE, "eager")
    assert outcome.reason.startswith("the train step does not compile (")
    model.fit(given.x, given.y, epochs=1, batch_size=BATCH, shuffle=False, verbose=0)
    for mine, value in zip(outcome.weights, model.get_weights(), strict=True):
        np.testing.assert_allclose(mine, value, atol=TOLERANCE, rtol=1e-5)


def test_steps_in_python_are_the_compiled_ones():
    keras.utils.set_random_seed(3)
    given = Given(mlp(), table(), kinds())
    session = session_of(given, {})
    batch = session.trainer.feed.batch(session.recipe)
    ends: list[Any] = []
    for eager in (False, True):
        program = Program(Recipe.of(given.model).set("compile/run_eagerly", eager), batch)
        program.reset(tuple(given.model.get_weights()), Knobs(0.1))
        losses, norms = program.run(ORDER, STARTS, STOPS, 0)
        ends.append((program.weights(), losses, norms))
    probed = np.isfinite(ends[0][2])
    assert probed[:20].all()
    assert (ends[0][2][probed] > 0).all()
    for mine, value in zip(tf.nest.flatten(ends[0]), tf.nest.flatten(ends[1]), strict=True):
        np.testing.assert_allclose(mine, value, rtol=1e-4, atol=2e-6)
