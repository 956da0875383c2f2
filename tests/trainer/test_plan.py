"""How a run is cut into segments: whatever the numbers, every batch is fed once, and never too many are scored."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from autofix.trainer import plan as module
from autofix.trainer.plan import EVALUATIONS, STEPS_BETWEEN, Plan, fixed_rate, usual_rate
from tests.doubles import recipe

# Long epochs begin here, lest the examples have to be long.
SHORT = 5


@dataclass
class Made:
    """A run as a plan has cut it. Rows are numbered through all epochs, so that none can stand in for another.

    Attributes:
        plan: The plan.
        rows: Rows an epoch.
        epochs: Epochs that were asked for.
        batches: What each batch fed, by segment.
        done: Epochs done after each segment.
    """

    plan: Plan
    rows: int
    epochs: int
    batches: list[list[np.ndarray]]
    done: list[float]

    @property
    def flat(self) -> list[np.ndarray]:
        return [batch for segment in self.batches for batch in segment]

    @property
    def fed(self) -> list[int]:
        return np.concatenate(self.flat).tolist()


def made(epochs: int, rows: int, batch: int, share: float = 1.0, between: int = SHORT) -> Made:
    plan = Plan(recipe(epochs=epochs, batch_size=batch), rows, share)
    asked: list[int] = []

    def order() -> np.ndarray:
        asked.append(len(asked) * rows)
        return asked[-1] + np.arange(rows)

    batches, done = [], []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "STEPS_BETWEEN", between)
        for numbers, starts, stops, epoch in plan.segments(order):
            batches.append([numbers[start:stop] for start, stop in zip(starts, stops, strict=True)])
            done.append(epoch)
    return Made(plan, rows, len(asked), batches, done)


EPOCHS, ROWS, BATCHES = st.integers(1, 120), st.integers(1, 300), st.integers(1, 64)
SHARES = st.floats(1 / 27, 1.0, exclude_max=True)


@given(EPOCHS, ROWS, BATCHES)
@example(1, 300, 1)  # one long epoch
@example(3, 200, 1)  # a few
@example(26, 100, 1)  # one more than may be scored
@example(25, 300, 1)
@example(7, 33, 32)  # a last batch of one row
@example(5, 3, 64)  # fewer rows than a batch
def test_every_batch_is_fed_once(epochs, rows, batch):
    run = made(epochs, rows, batch)
    assert run.fed == list(range(epochs * rows))
    assert run.epochs == epochs
    sizes = [len(item) for item in run.flat]
    assert sizes == epochs * ([batch] * (rows // batch) + [rows % batch] * (rows % batch > 0))
    assert len(sizes) == run.plan.epochs * run.plan.steps


@given(EPOCHS, ROWS, BATCHES, st.one_of(st.just(1.0), SHARES))
@example(26, 100, 1, 1.0)
@example(1, 300, 1, 1.0)
@example(120, 300, 1, 1 / 27)
def test_run_is_scored_often_enough_and_not_too_often(epochs, rows, batch, share):
    run = made(epochs, rows, batch, share)
    assert 1 <= len(run.done) <= EVALUATIONS
    assert all(run.batches)
    assert all(before < after for before, after in zip([0.0, *run.done], run.done, strict=False))
    assert run.done[-1] == run.plan.end
    stride = max(1, math.ceil(run.plan.end / EVALUATIONS))
    assert max(np.diff([0.0, *run.done])) <= stride + 1e-9


@given(EPOCHS, ROWS, BATCHES, SHARES)
@example(1, 1, 1, 0.5)  # a single step
@example(3, 300, 1, 0.3)  # less than one long epoch
@example(3, 12, 4, 0.1)  # less than one batch of one epoch
@example(100, 64, 16, 0.5)
@example(10, 300, 1, 0.25)  # two and a half long epochs
@example(101, 7, 3, 0.333)
def test_share_of_a_run_is_its_beginning(epochs, rows, batch, share):
    run = made(epochs, rows, batch, share)
    plan = run.plan
    assert plan.epochs == epochs
    assert plan.end == pytest.approx(max(epochs * share, 1 / plan.steps))
    whole = made(epochs, rows, batch)
    assert [item.tolist() for item in run.flat] == [item.tolist() for item in whole.flat[: len(run.flat)]]
    assert run.epochs == math.ceil(plan.end)  # no epoch is drawn that is not used
    assert abs(len(run.flat) - plan.end * plan.steps) < 1 + 1e-6  # a step that has begun is made, at most
    assert len(run.flat) >= 1


@given(st.integers(1, 12), st.integers(2 * SHORT, 300))
def test_long_epochs_are_cut_into_pieces_long_enough_to_tell(epochs, steps):
    run = made(epochs, steps, 1)
    counts = [len(segment) for segment in run.batches]
    assert min(counts) >= SHORT
    pieces = min(EVALUATIONS // epochs, steps // SHORT)
    assert len(counts) == epochs * max(1, pieces)
    assert {float(epoch) for epoch in range(1, epochs + 1)} <= set(run.done)  # the end of every epoch is scored


def test_short_epochs_are_put_together():
    run = made(100, 40, 16, between=STEPS_BETWEEN)
    assert run.done == list(range(4, 101, 4))
    assert {len(segment) for segment in run.batches} == {4 * 3}


def test_epochs_of_thousands_of_steps_are_scored_inside():
    run = made(2, 3_000, 1, between=STEPS_BETWEEN)
    assert len(run.done) == 2 * 12
    assert run.done[0] == pytest.approx(1 / 12)


def test_epoch_may_turn_out_longer_than_planned():
    """Rare classes repeated: the order has more rows than the data."""
    plan = Plan(recipe(epochs=2, batch_size=10), 50)
    segments = list(plan.segments(lambda: np.arange(80)))
    assert [len(starts) for _, starts, _, _ in segments] == [8, 8]
    assert all(stops[-1] == 80 for _, _, stops, _ in segments)
    assert [epoch for *_, epoch in segments] == [1, 2]


def test_learning_rate_of_a_recipe():
    made_with = recipe()
    assert fixed_rate(made_with) is None
    sgd = {"class_name": "SGD", "module": "keras.optimizers", "config": {"learning_rate": 1, "name": "sgd"}}
    constant = made_with.set("compile/optimizer", sgd)
    assert fixed_rate(constant) == 1.0
    schedule = {"class_name": "ExponentialDecay", "module": "keras.optimizers.schedules", "config": {}}
    assert fixed_rate(constant.set("compile/optimizer/learning_rate", schedule)) is None
    assert (usual_rate(constant), usual_rate(made_with)) == (1e-2, 1e-3)
