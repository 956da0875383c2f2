"""`Trainer`: how a run ends, what it remembers, and what it must not leave behind."""

from __future__ import annotations

import logging
import time
from typing import Any

import keras
import numpy as np
import pytest

from autofix.change import Patch
from autofix.outcome import Status
from autofix.trainer.program import Program
from autofix.training import Progress

L = keras.layers
RATE = "compile/optimizer/learning_rate"


@pytest.fixture
def calls(monkeypatch) -> list[int]:
    """Steps of each call into the compiled loop."""
    made: list[int] = []
    plain = Program.run

    def run(self: Program, order: Any, starts: Any, *rest: Any, **more: Any) -> Any:
        made.append(len(starts))
        return plain(self, order, starts, *rest, **more)

    monkeypatch.setattr(Program, "run", run)
    return made


def test_outcome_of_a_run(mlp, session):
    one = session(mlp(), epochs=3)
    outcome = one.trainer.run(one.recipe, Patch(), probes=True, holdout=True)
    assert outcome.status is Status.DONE
    assert (outcome.epochs, outcome.steps) == (3.0, 3 * 4)
    assert 0 <= outcome.score.value <= 1
    assert outcome.holdout is not None
    assert outcome.error is None
    assert 0 < outcome.again <= outcome.seconds
    assert len(outcome.trace.loss) == 12
    assert outcome.trace.steps_per_epoch == 4


def test_run_is_not_made_again(mlp, session, calls):
    one = session(mlp())
    first = one.trainer.run(one.recipe, Patch(), seed=1)
    made = len(calls)
    again = one.trainer.run(one.recipe, Patch(), seed=1)
    assert len(calls) == made
    assert again == first
    one.trainer.run(one.recipe, Patch(), seed=2)
    assert len(calls) > made


def test_run_is_made_again_for_what_was_not_measured(mlp, session, calls):
    one = session(mlp())
    plain = one.trainer.run(one.recipe, Patch(), seed=1)
    assert (plain.trace, plain.holdout) == (None, None)
    traced = one.trainer.run(one.recipe, Patch(), seed=1, probes=True)
    assert traced.trace is not None
    held = one.trainer.run(one.recipe, Patch(), seed=1, holdout=True)
    assert held.holdout is not None
    assert plain.rank == pytest.approx(traced.rank, abs=1e-6) == held.rank  # compiled or not, predictions round alike
    made = len(calls)
    one.trainer.run(one.recipe, Patch(), seed=1, holdout=True)
    assert len(calls) == made


def test_known_outcome_gets_the_patch_it_was_asked_for(mlp, session):
    from autofix.change import Change

    one = session(mlp())
    one.trainer.run(one.recipe, Patch())
    patch = Patch((Change("fit/shuffle", True, False, "test", "because"),))
    assert one.trainer.run(one.recipe, patch).patch == patch


def test_hot_runs_do_not_retrace(mlp, session):
    one = session(mlp())
    for seed, rate, epochs, patience in ((0, 0.1, 2, None), (1, 0.1, 2, None), (0, 0.001, 5, None), (0, 0.01, 4, 2)):
        recipe = one.recipe.set(RATE, rate).set("fit/epochs", epochs).set("fit/patience", patience)
        assert one.trainer.run(recipe, Patch(), seed=seed, probes=True).status is Status.DONE
    one.trainer.range_test(one.recipe)
    assert one.trainer.traces == 1
    (program,) = one.trainer.store._programs.values()
    assert program.traces == 1


def test_hot_runs_differ_by_what_was_changed(mlp, session):
    one = session(mlp())
    slow = one.trainer.run(one.recipe.set(RATE, 1e-9), Patch(), holdout=True)
    fast = one.trainer.run(one.recipe.set(RATE, 0.5), Patch(), holdout=True)
    again = one.trainer.run(one.recipe.set(RATE, 1e-9).set("fit/epochs", 1), Patch(), holdout=True)
    start = one.trainer.start.values.values()
    for mine, value in zip(slow.weights, start, strict=True):
        np.testing.assert_allclose(mine, value, atol=1e-6)
    assert not np.allclose(fast.weights[0], slow.weights[0], atol=1e-3)
    np.testing.assert_allclose(again.weights[0], slow.weights[0], atol=1e-6)


def test_cold_changes_get_programs_of_their_own_and_the_oldest_goes(mlp, session, monkeypatch):
    monkeypatch.setattr("autofix.trainer.store.PROGRAMS", 2)
    one = session(mlp(), epochs=1)
    for activation in ("relu", "elu", "selu", "relu"):
        recipe = one.recipe.set("layers/hidden/activation", activation)
        assert one.trainer.run(recipe, Patch(), seed=0, holdout=True).status is Status.DONE
        assert len(one.trainer.store._programs) <= 2
    assert one.trainer.traces == 3  # the fourth run is remembered


def test_program_as_it_came_is_kept_for_the_proof(mlp, session, monkeypatch):
    monkeypatch.setattr("autofix.trainer.store.PROGRAMS", 2)
    one = session(mlp(), epochs=1)
    for activation in ("tanh", "relu", "elu", "selu"):
        one.trainer.run(one.recipe.set("layers/hidden/activation", activation), Patch())
    one.trainer.run(one.recipe, Patch(), seed=1)
    assert one.trainer.traces == 4


def test_many_programs_say_nothing_of_retracing(mlp, session, caplog):
    """TensorFlow takes the loops of several programs for one that is traced over and over, and warns the user."""
    one = session(mlp(), epochs=5)  # scored often enough to compile the predictions too
    with caplog.at_level(logging.WARNING, logger="tensorflow"):
        for activation in ("relu", "elu", "selu", "gelu", "silu", "softsign", "softplus", "mish"):
            one.trainer.run(one.recipe.set("layers/hidden/activation", activation), Patch())
    assert [record.message for record in caplog.records if "retracing" in record.getMessage()] == []


def test_range_test_leaves_nothing_behind(mlp, session):
    model = mlp(keras.optimizers.Adam(0.01), between=[L.BatchNormalization(), L.Dropout(0.3)])
    first, second = session(model), session(model)
    second.trainer.range_test(second.recipe)
    ours, theirs = (one.trainer.run(one.recipe, Patch(), holdout=True) for one in (first, second))
    for mine, value in zip(ours.weights, theirs.weights, strict=True):
        assert mine.tobytes() == value.tobytes()
    assert ours.score == theirs.score


def test_runs_leave_nothing_behind(mlp, session):
    """A diverged run, a run with momentum and one with another rate in between change nothing."""
    optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
    model = mlp(optimizer, between=[L.BatchNormalization(), L.Dropout(0.3)])
    first, second = session(model), session(model)
    second.trainer.run(second.recipe.set(RATE, 1e9), Patch(), seed=3)
    second.trainer.run(second.recipe, Patch(), seed=4)
    ours, theirs = (one.trainer.run(one.recipe, Patch(), seed=1, holdout=True) for one in (first, second))
    for mine, value in zip(ours.weights, theirs.weights, strict=True):
        assert mine.tobytes() == value.tobytes()


def test_range_test_of_a_schedule_is_that_of_its_rates(mlp, session):
    """The curve is over the rates of the test; a schedule that goes on ruling would make it a tale."""
    schedule = keras.optimizers.schedules.ExponentialDecay(1e-9, decay_steps=10, decay_rate=0.5)
    model = mlp()
    constant = session(model)
    expected = constant.trainer.range_test(constant.recipe)
    model.compile(keras.optimizers.SGD(schedule), "sparse_categorical_crossentropy")
    scheduled = session(model)
    found = scheduled.trainer.range_test(scheduled.recipe)
    assert max(found.losses) - min(found.losses) > 0.1
    np.testing.assert_allclose(found.losses, expected.losses, atol=1e-5)


def test_deadline_cuts_a_run(mlp, session):
    one = session(mlp(), epochs=50_000)
    began = time.monotonic()
    outcome = one.trainer.run(one.recipe, Patch(), deadline=began + 0.5, probes=True)
    assert time.monotonic() - began < 6
    assert outcome.status is Status.CUT
    assert 0 < outcome.epochs < 50_000
    assert outcome.score is not None
    assert outcome.trace.epochs == outcome.epochs


def test_cut_run_is_not_remembered(mlp, session):
    one = session(mlp(), epochs=3)
    cut = one.trainer.run(one.recipe, Patch(), deadline=time.monotonic() - 1)
    assert cut.status is Status.CUT
    assert one.trainer.run(one.recipe, Patch()).status is Status.DONE


def test_diverged_run(mlp, session, table):
    one = session(mlp(loss="mse"), table(), table(60, 3, seed=1))
    recipe = one.recipe.set("layers/head/activation", "linear").set(RATE, 1e12)
    outcome = one.trainer.run(recipe, Patch(), probes=True)
    assert outcome.status is Status.DIVERGED
    assert outcome.trace.non_finite_step is not None
    assert outcome.steps < 2 * 4 + 1
    assert outcome.error is None


def test_failed_run_says_why_in_one_line(mlp, session):
    one = session(mlp())
    outcome = one.trainer.run(one.recipe.set("compile/loss", "categorical_crossentropy"), Patch())
    assert outcome.status is Status.FAILED
    assert outcome.score is None
    assert "\n" not in outcome.error
    assert len(outcome.error) > 20


def test_interrupt_goes_through(mlp, session, monkeypatch):
    def interrupted(*args: Any, **kwargs: Any) -> Any:
        raise KeyboardInterrupt

    one = session(mlp())
    monkeypatch.setattr(Program, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        one.trainer.run(one.recipe, Patch())


def test_pruned_run(mlp, session):
    seen: list[Progress] = []

    def keep(progress: Progress) -> bool:
        seen.append(progress)
        return len(seen) < 3

    one = session(mlp(), epochs=10)
    outcome = one.trainer.run(one.recipe, Patch(), keep=keep)
    assert outcome.status is Status.PRUNED
    assert [item.epoch for item in seen] == [1, 2, 3]
    assert [item.fraction for item in seen] == pytest.approx([0.1, 0.2, 0.3])
    assert outcome.epochs == 3
    assert one.trainer.run(one.recipe, Patch()).epochs == 10


def test_patience_stops_and_keeps_the_best_weights(mlp, session):
    """A rate that wrecks the network after its first epochs: the best of them is what counts."""
    one = session(mlp(keras.optimizers.SGD(0.5, momentum=0.99)), epochs=200)
    outcome = one.trainer.run(one.recipe.set("fit/patience", 8), Patch(), probes=True, holdout=True)
    scores = outcome.trace.epoch_scores
    assert outcome.status is Status.DONE
    assert outcome.epochs < 200
    assert outcome.rank == pytest.approx(max(scores))
    program = next(iter(one.trainer.store._programs.values()))
    program.restore(outcome.weights)
    split = one.data.splits[0]
    again = one.trainer.evaluator.score(program, split.validation, one.trainer.links(one.recipe))
    assert again.rank == pytest.approx(outcome.rank)


def test_without_patience_all_epochs_are_run_and_the_last_weights_kept(mlp, session):
    one = session(mlp(keras.optimizers.SGD(0.5, momentum=0.99)), epochs=30)
    outcome = one.trainer.run(one.recipe, Patch(), probes=True)
    assert outcome.epochs == 30
    assert outcome.rank == pytest.approx(outcome.trace.epoch_scores[-1])


def test_scores_with_given_weights_train_nothing(mlp, session, calls):
    model = mlp()
    one = session(model)
    given = tuple(model.get_weights())
    outcome = one.trainer.score_weights(one.recipe, Patch(), given)
    assert calls == []
    assert outcome.steps == 0
    assert all(map(np.array_equal, outcome.weights, given))


def test_model_of_an_outcome_is_compiled_and_holds_its_weights(mlp, session, table):
    model = mlp()
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", metrics=["accuracy"])
    one = session(model)
    outcome = one.trainer.run(one.recipe, Patch(), holdout=True)
    built = one.trainer.build(outcome, one.recipe)
    assert all(map(np.array_equal, built.get_weights(), outcome.weights))
    assert built.optimizer.built
    assert "accuracy" in built.evaluate(table(), np.arange(60) % 3, verbose=0, return_dict=True)


def test_small_data_is_scored_over_several_splits(mlp, table):
    from autofix.session import prepare

    x = table(30)
    one = prepare(mlp(), (x, np.arange(30) % 3), fit={"epochs": 1})
    outcome = one.trainer.run(one.recipe, Patch(), holdout=True)
    assert len(one.data.splits) > 1
    assert outcome.steps == len(one.data.splits)
    assert outcome.holdout is not None
    one.trainer.close()


def test_seed_decides_the_order_of_rows(mlp, session):
    model = mlp()
    first, second = session(model, weights="keep"), session(model, weights="keep")
    ours = first.trainer.run(first.recipe, Patch(), seed=1, holdout=True)
    same = second.trainer.run(second.recipe, Patch(), seed=1, holdout=True)
    other = second.trainer.run(second.recipe, Patch(), seed=2, holdout=True)
    assert all(map(np.array_equal, ours.weights, same.weights))
    assert not np.array_equal(ours.weights[0], other.weights[0])
