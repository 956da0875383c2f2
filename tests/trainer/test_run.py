"""One run from its first step to whatever ends it: with a program whose scores are known, then with real ones."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import pytest

from autofix.change import Patch
from autofix.data import Split
from autofix.outcome import Status
from autofix.scoring import Score
from autofix.trainer import evaluation
from autofix.trainer import run as module
from autofix.trainer.plan import Plan
from autofix.trainer.run import Run
from autofix.training import Progress
from tests.doubles import recipe

L = keras.layers
RATE = "compile/optimizer/learning_rate"
ROWS, BATCH = 40, 10


@dataclass
class Scripted:
    """Program and evaluator in one: its only weight counts steps, and scores come from a list, one an epoch.

    Attributes:
        scores: Score after each epoch; the last one stays.
        moves: Whether steps move the weight.
        nan_at: Step whose loss is NaN.
        seconds: What a step takes.
        blind_from: Score from which on all rows are predicted alike.
    """

    scores: Sequence[float] = (0.5,)
    moves: bool = True
    nan_at: int | None = None
    seconds: float = 0.0
    blind_from: int = 10**9
    calls: list[tuple[int, int, int]] = field(default_factory=list)
    weight: float = 0.0
    restored: list[float] = field(default_factory=list)
    asked: list[tuple[str, int]] = field(default_factory=list)

    def run(
        self, order: Any, starts: Any, stops: Any, first: int, *, ahead: int, is_last: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        self.calls.append((first, len(starts), ahead))
        time.sleep(self.seconds * len(starts))
        losses = np.ones(len(starts))
        if self.nan_at is not None and first <= self.nan_at < first + len(starts):
            losses[self.nan_at - first :] = np.nan
        self.weight += len(starts) * self.moves
        return losses, np.full((len(starts), 1), np.nan)

    def weights(self) -> tuple[np.ndarray, ...]:
        return (np.array([self.weight]),)

    def restore(self, weights: tuple[np.ndarray, ...]) -> None:
        self.weight = float(weights[0][0])
        self.restored.append(self.weight)

    def finish(self) -> bool:
        return False

    def watch(self, program: Any, split: Split, links: Any) -> tuple[Score, bool]:
        count = sum(what == "watch" for what, _ in self.asked)
        self.asked.append(("watch", len(split.validation)))
        value = self.scores[min(count, len(self.scores) - 1)]
        return Score(value, 0.0, (value,)), count + 1 >= self.blind_from

    def score(self, program: Any, rows: np.ndarray, links: Any) -> Score:
        self.asked.append(("score", len(rows)))
        return Score(self.weight, 0.0, (self.weight,))


def go(
    scripted: Scripted,
    *,
    epochs: int = 10,
    rows: int = ROWS,
    validation: int = 20,
    patience: int | None = None,
    settles: bool = True,
    deadline: float = math.inf,
    keep: Callable[[Progress], bool] | None = None,
    share: float = 1.0,
) -> Run:
    plan = Plan(recipe(epochs=epochs, batch_size=BATCH), rows, share)
    over = lambda: time.monotonic() > deadline  # noqa: E731
    split = Split(np.arange(rows), np.arange(validation), np.arange(5))
    run = Run(scripted, plan, split, scripted, [], lambda: split.train, None, patience, settles, over, keep)
    run.go()
    return run


def test_run_that_goes_well_is_made_to_its_end():
    scripted = Scripted([0.1, 0.2, 0.3])
    run = go(scripted)
    assert (run.status, run.epoch, run.step) == (Status.DONE, 10, 40)
    assert run.score.value == 0.3
    assert scripted.asked == [("watch", 20)] * 10  # the last score is that of what the run ends with


def test_weights_that_stand_still_end_the_run():
    """The same score twice makes it look; the same weights once more make it sure."""
    run = go(Scripted(moves=False), epochs=25)
    assert (run.status, run.epoch) == (Status.DONE, 3)


def test_weights_that_stand_still_may_move_again_under_a_schedule():
    assert go(Scripted(moves=False), epochs=25, settles=False).epoch == 25


def test_score_that_stands_still_ends_nothing_as_long_as_weights_move():
    assert go(Scripted([0.5]), epochs=25).epoch == 25


def test_scores_that_differ_keep_the_weights_from_being_looked_at():
    run = go(Scripted([0.5, 0.6] * 12 + [0.5], moves=False), epochs=25)
    assert run.epoch == 25


def test_a_few_steps_of_a_long_epoch_are_not_enough_to_stand_still(monkeypatch):
    """Other rows may move what these did not: a segment must be an epoch, or long by itself."""
    monkeypatch.setattr("autofix.trainer.plan.STEPS_BETWEEN", 4)
    assert go(Scripted(moves=False), epochs=1, rows=400).epoch == 1
    monkeypatch.setattr(module, "STEPS_BETWEEN", 4)
    assert go(Scripted(moves=False), epochs=1, rows=400).epoch == pytest.approx(0.3, abs=0.01)


def test_patience_ends_the_run_and_the_best_weights_are_taken():
    scripted = Scripted([0.3, 0.7, 0.6, 0.6, 0.65, 0.9])
    run = go(scripted, patience=3)
    assert (run.status, run.epoch) == (Status.DONE, 5)
    assert scripted.restored == [8.0]  # after the second epoch of four steps
    assert run.score.value == 8.0  # scored anew


def test_equal_score_is_no_better_one():
    assert go(Scripted([0.7, 0.7, 0.7]), patience=2).epoch == 3


def test_best_epoch_may_be_the_last():
    scripted = Scripted([0.1, 0.2, 0.3, 0.4])
    run = go(scripted, epochs=4, patience=3)
    assert run.epoch == 4
    assert scripted.weight == 16.0


def test_best_weights_survive_a_divergence():
    scripted = Scripted([0.3, 0.7, 0.6], nan_at=13)
    run = go(scripted, patience=5)
    assert run.status is Status.DONE
    assert (scripted.restored, run.score.value) == ([8.0], 8.0)


def test_divergence_without_patience():
    scripted = Scripted(nan_at=13)
    run = go(scripted)
    assert run.status is Status.DIVERGED
    assert run.step == 16  # to the end of the call it is in
    assert run.epoch == 4
    assert scripted.asked[-1] == ("score", 20)
    assert run.score is not None


def test_pruned_at_the_epoch_at_which_it_is_told():
    seen: list[Progress] = []
    run = go(Scripted([0.1, 0.2, 0.3, 0.4]), keep=lambda progress: seen.append(progress) or len(seen) < 3)
    assert (run.status, run.epoch) == (Status.PRUNED, 3)
    assert [(item.epoch, item.rank) for item in seen] == [(1, 0.1), (2, 0.2), (3, 0.3)]
    assert [item.fraction for item in seen] == pytest.approx([0.1, 0.2, 0.3])


def test_nobody_is_asked_at_the_end():
    seen: list[Progress] = []
    run = go(Scripted(), epochs=3, keep=lambda progress: seen.append(progress) or True)
    assert (run.status, len(seen)) == (Status.DONE, 2)
    assert go(Scripted(), epochs=1, keep=lambda progress: False).status is Status.DONE


def test_pruner_hears_of_predictions_that_are_alike():
    seen: list[Progress] = []
    go(Scripted(blind_from=3), epochs=5, keep=lambda progress: seen.append(progress) or True)
    assert [item.constant for item in seen] == [False, False, True, True]


def test_fraction_is_that_of_the_rung():
    seen: list[Progress] = []
    run = go(Scripted(), epochs=10, share=0.5, keep=lambda progress: seen.append(progress) or True)
    assert (run.status, run.epoch, run.step) == (Status.DONE, 5, 20)
    assert [item.fraction for item in seen] == pytest.approx([0.2, 0.4, 0.6, 0.8])


def test_deadline_cuts_the_run_where_it_is():
    scripted = Scripted(seconds=0.01)
    run = go(scripted, epochs=100, deadline=time.monotonic() + 0.1)
    assert run.status is Status.CUT
    assert 0 < run.step < 400
    assert run.epoch == pytest.approx(run.step / 4, abs=0.01)
    assert scripted.asked[-1][0] == "score"


def test_calls_begin_short_and_last_about_as_long_as_they_should(monkeypatch):
    monkeypatch.setattr(module, "CHUNK_SECONDS", 0.05)
    scripted = Scripted(seconds=0.001)
    go(scripted, epochs=1, rows=4_000)
    sizes = [size for _, size, _ in scripted.calls]
    assert sizes[0] == 20
    assert sum(sizes) == 400
    assert max(sizes) <= 60
    for before, after in itertools.pairwise(sizes):
        assert after <= 4 * before


def test_steps_ahead_are_told():
    """All of the planned run, whatever the rung: it may well be made."""
    scripted = Scripted()
    go(scripted, epochs=3, share=0.5)
    assert scripted.calls == [(0, 4, 12), (4, 2, 8)]


def test_large_validation_part_is_watched_by_a_sample_and_scored_in_full_at_the_end(monkeypatch):
    monkeypatch.setattr(module, "MOST_WATCHED", 19)
    scripted = Scripted()
    run = go(scripted, epochs=2)
    assert scripted.asked == [("watch", 20), ("watch", 20), ("score", 20)]
    assert run.score.value == scripted.weight


# ------------------------------------------------------------------------------------------------- for real


@pytest.mark.filterwarnings("ignore:The model does not have any trainable weights")  # Keras says so to the user
def test_frozen_network_is_not_trained_in_vain(mlp, session):
    model = mlp()
    model.trainable = False
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    one = session(model, epochs=50)
    outcome = one.trainer.run(one.recipe, Patch(), probes=True)
    assert outcome.error is None
    assert (outcome.status, outcome.epochs) == (Status.DONE, 2 * 3)  # fifty epochs are scored two at a time
    assert outcome.trace.weight_change == {}
    assert outcome.trace.planned_epochs == 50
    assert outcome.again < 50 * outcome.seconds


def test_rate_of_zero_ends_the_run_and_a_schedule_that_begins_with_it_does_not(mlp, session):
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([4 * 10], [0.0, 0.1])
    one, other = session(mlp(keras.optimizers.SGD(0.0)), epochs=20), session(mlp(), epochs=20)
    other_recipe = other.recipe.set(RATE, keras.saving.serialize_keras_object(schedule))
    assert one.trainer.run(one.recipe, Patch()).epochs == 3
    late = other.trainer.run(other_recipe, Patch(), holdout=True)
    assert late.epochs == 20
    given = list(other.trainer.start.values.values())
    assert not np.allclose(late.weights[0], given[0], atol=1e-3)


def test_dropout_does_not_pass_for_weights_that_move(mlp, session):
    one = session(mlp(keras.optimizers.SGD(0.0), between=[L.Dropout(0.5)]), epochs=20)
    assert one.trainer.run(one.recipe, Patch()).epochs == 3


@pytest.mark.parametrize("width", [1, 3])
def test_constant_predictions_are_seen(width, session, table):
    """A head that does not look at its input gives the same for every row, whatever its bias has learned."""
    loss, y = ("mse", table(60, 1, seed=4)) if width == 1 else ("sparse_categorical_crossentropy", np.arange(60) % 3)
    head = L.Dense(width, "linear" if width == 1 else "softmax", kernel_initializer="zeros", name="head")
    model = keras.Sequential([keras.Input((4,)), L.Lambda(lambda x: 0.0 * x, output_shape=(4,)), head])
    model.compile(keras.optimizers.SGD(0.1), loss)
    one = session(model, y=y, epochs=6)
    seen: list[Progress] = []
    outcome = one.trainer.run(one.recipe, Patch(), keep=lambda progress: seen.append(progress) or len(seen) < 2)
    assert [item.constant for item in seen] == [True, True]
    assert (outcome.status, outcome.epochs) == (Status.PRUNED, 2)


def test_predictions_that_differ_are_not_constant(mlp, session):
    one = session(mlp(), epochs=3)
    seen: list[Progress] = []
    one.trainer.run(one.recipe, Patch(), keep=lambda progress: seen.append(progress) or True)
    assert [item.constant for item in seen] == [False, False]


def test_nan_is_dated_to_its_step(session, table):
    """A square that overflows after a few doublings."""
    x = np.abs(table()) + 1
    model = keras.Sequential([keras.Input((4,)), L.Dense(1, name="head")])
    model.compile(keras.optimizers.SGD(1e8), "mse")
    one = session(model, x, table(60, 1, seed=2), epochs=30)
    outcome = one.trainer.run(one.recipe, Patch(), probes=True)
    losses = outcome.trace.loss
    assert outcome.status is Status.DIVERGED
    step = outcome.trace.non_finite_step
    assert np.isfinite(losses[:step]).all()
    assert not np.isfinite(losses[step])
    assert step > 0
    assert len(losses) == outcome.steps < 30 * 4


def test_many_validation_rows_are_sampled_while_it_runs(mlp, session, monkeypatch):
    monkeypatch.setattr(evaluation, "MOST_WATCHED", 8)
    monkeypatch.setattr(module, "MOST_WATCHED", 8)
    one = session(mlp(), epochs=2)
    seen: list[int] = []
    plain = one.trainer.evaluator._score
    monkeypatch.setattr(
        one.trainer.evaluator, "_score", lambda out, rows, links: seen.append(len(rows)) or plain(out, rows, links)
    )
    outcome = one.trainer.run(one.recipe, Patch())
    rows = len(one.data.splits[0].validation)
    assert rows > 8
    assert seen == [8, 8, rows]
    (program,) = one.trainer.store.programs()
    full = one.trainer.evaluator.score(program, one.data.splits[0].validation, one.trainer.links(one.recipe))
    assert outcome.rank == pytest.approx(full.rank, abs=1e-6)


def test_sample_is_spread_over_the_rows():
    rows = np.arange(100, 200)
    assert evaluation.evenly(rows, 100) is rows
    assert evaluation.evenly(rows, 4).tolist() == [100, 133, 166, 199]
