"""How much of a run a search makes at first, which runs are made in full all the same, and what is remembered."""

from __future__ import annotations

import time
from typing import Any

import keras
import numpy as np
import pytest

from autofix.change import Patch
from autofix.outcome import Status
from autofix.trainer.program import Program
from autofix.trainer.runner import SMALLEST_RUNG
from autofix.training import Progress

L = keras.layers
RATE = "compile/optimizer/learning_rate"
STEPS = 4  # an epoch: 60 rows by 16


@pytest.fixture
def bounds(monkeypatch):
    """Sets what a rung has to last."""

    def to(*, steps: int, seconds: float = 0.0) -> None:
        monkeypatch.setattr("autofix.trainer.runner.LEAST_STEPS", steps)
        monkeypatch.setattr("autofix.trainer.runner.RUNG_SECONDS", seconds)

    return to


@pytest.fixture
def made(monkeypatch) -> list[int]:
    """Steps that were trained, one entry a call."""
    steps: list[int] = []
    plain = Program.run

    def run(self: Program, order: Any, starts: Any, *rest: Any, **more: Any) -> Any:
        steps.append(len(starts))
        return plain(self, order, starts, *rest, **more)

    monkeypatch.setattr(Program, "run", run)
    return steps


def test_short_run_is_made_in_full(mlp, session):
    one = session(mlp(), epochs=100)
    seconds = one.trainer.choose_rung(one.recipe)
    assert one.trainer.rung == 1.0
    assert 0 < seconds < 100  # of all 400 steps


@pytest.mark.parametrize(
    ("steps", "seconds", "rung"),
    [(100, 0.0, 0.25), (400, 0.0, 1.0), (399, 0.0, 399 / 400), (1, 0.0, SMALLEST_RUNG), (1, 1e6, 1.0)],
    ids=["a quarter", "all of it", "nearly all", "hardly any", "in no time"],
)
def test_long_run_is_begun_only(steps, seconds, rung, mlp, session, bounds):
    one = session(mlp(), epochs=100)
    bounds(steps=steps, seconds=seconds)
    one.trainer.choose_rung(one.recipe)
    assert one.trainer.rung == pytest.approx(rung)


def test_slow_steps_make_a_small_rung(mlp, session, bounds, monkeypatch):
    """What fits into 0.2 s are 100 steps of 2 ms, or fewer on a busy machine."""
    plain = Program.run

    def run(self: Program, order: Any, starts: Any, *rest: Any, **more: Any) -> Any:
        time.sleep(0.002 * len(starts))
        return plain(self, order, starts, *rest, **more)

    monkeypatch.setattr(Program, "run", run)
    one = session(mlp(), epochs=100)
    bounds(steps=1, seconds=0.2)
    one.trainer.choose_rung(one.recipe)
    assert SMALLEST_RUNG <= one.trainer.rung <= 100 / (100 * STEPS)


def test_timing_leaves_nothing_behind(mlp, session):
    model = mlp(keras.optimizers.SGD(0.1, momentum=0.9), between=[L.BatchNormalization(), L.Dropout(0.3)])
    first, second = session(model), session(model)
    second.trainer.choose_rung(second.recipe)
    ours, theirs = (one.trainer.run(one.recipe, Patch(), holdout=True) for one in (first, second))
    assert all(map(np.array_equal, ours.weights, theirs.weights))


def test_program_that_cannot_run_decides_nothing(mlp, session):
    one = session(mlp(), epochs=100)
    with pytest.raises(Exception, match=r"shape|rank|incompatible"):
        one.trainer.choose_rung(one.recipe.set("compile/loss", "categorical_crossentropy"))
    assert one.trainer.rung == 1.0


def test_rung_is_the_beginning_of_the_run(mlp, session):
    one = session(mlp(), epochs=8)
    one.trainer.rung = 0.25
    begun = one.trainer.run(one.recipe, Patch(), probes=True)
    assert (begun.status, begun.epochs, begun.steps, begun.share) == (Status.DONE, 2, 2 * STEPS, 0.25)
    assert (begun.trace.epochs, begun.trace.planned_epochs) == (2, 8)
    one.trainer.rung = 1.0
    whole = one.trainer.run(one.recipe, Patch(), probes=True)
    assert (whole.status, whole.epochs, whole.steps, whole.share) == (Status.DONE, 8, 8 * STEPS, 1.0)
    np.testing.assert_allclose(begun.trace.loss, whole.trace.loss[: 2 * STEPS], rtol=1e-6)
    assert begun.trace.epoch_scores == pytest.approx(whole.trace.epoch_scores[:2])


def test_rung_of_less_than_an_epoch(mlp, session):
    one = session(mlp(), epochs=2)
    one.trainer.rung = 0.25
    begun = one.trainer.run(one.recipe, Patch())
    assert (begun.epochs, begun.steps, begun.status) == (0.5, 2, Status.DONE)
    assert begun.score is not None


@pytest.mark.parametrize("how", ["whole", "refit", "full"])
def test_what_is_proven_or_handed_over_is_run_in_full(how, mlp, session):
    one = session(mlp(), epochs=8)
    one.trainer.rung = 0.25
    outcome = one.trainer.run(one.recipe, Patch(), **{how: True})
    assert (outcome.epochs, outcome.share) == (8, 1.0)


def test_every_share_is_remembered_by_itself(mlp, session, made):
    one = session(mlp(), epochs=8)

    def trained(rung: float, **more: Any) -> int:
        made.clear()
        one.trainer.rung = rung
        outcome = one.trainer.run(one.recipe, Patch(), **more)
        assert outcome.share == (1.0 if more else rung)
        assert outcome.epochs == 8 * outcome.share
        return sum(made)

    assert trained(0.25) == 2 * STEPS
    assert trained(0.5) == 4 * STEPS
    assert trained(0.25) == trained(0.5) == 0
    assert trained(0.5, full=True) == 8 * STEPS
    assert trained(1.0) == trained(0.25, full=True) == 0
    assert trained(0.25, whole=True) > 0  # on the validation part too
    assert trained(0.5, whole=True) == 0


def test_proof_of_a_run_that_stops_early_is_that_of_the_search_in_full(mlp, session, made):
    """Early stopping needs the validation part, so that there are no more rows to train on."""
    one = session(mlp(), epochs=4)
    recipe = one.recipe.set("fit/patience", 10)
    one.trainer.run(recipe, Patch(), full=True)
    made.clear()
    one.trainer.run(recipe, Patch(), whole=True)
    assert made == []


def test_time_of_the_whole_run_is_foreseen(mlp, session):
    """A quarter of it was made, with everything compiled."""
    one = session(mlp(), epochs=800)
    one.trainer.run(one.recipe.set(RATE, 0.01), Patch(), full=True)
    one.trainer.rung = 0.25
    begun = one.trainer.run(one.recipe, Patch())
    assert 2 * begun.seconds < begun.again <= 4 * begun.seconds


def test_time_of_a_run_that_was_stopped_is_not_stretched(mlp, session):
    one = session(mlp(), epochs=800)
    one.trainer.run(one.recipe.set(RATE, 0.01), Patch(), full=True)
    one.trainer.rung = 0.25
    seen: list[Progress] = []
    pruned = one.trainer.run(one.recipe, Patch(), keep=lambda progress: seen.append(progress) or len(seen) < 3)
    assert pruned.status is Status.PRUNED
    assert pruned.again <= pruned.seconds


def test_every_division_of_small_data_is_run_as_far(mlp, table):
    from autofix.session import prepare

    one = prepare(mlp(), (table(30), np.arange(30) % 3), fit={"epochs": 8, "batch_size": 4})
    one.trainer.rung = 0.5
    outcome = one.trainer.run(one.recipe, Patch())
    splits = len(one.data.splits)
    assert splits > 1
    assert (outcome.epochs, outcome.share) == (4, 0.5)
    assert outcome.steps == splits * 4 * 8
    one.trainer.close()
