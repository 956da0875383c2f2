"""Answers that a trainer has given before: which question gets which, and whose weights are kept."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from autofix.budget import Budget, Clock
from autofix.change import Patch
from autofix.outcome import Outcome, Status
from autofix.store.ledger import Ledger
from autofix.store.questions import Recalled
from autofix.store.recorded import Recorded
from autofix.strategy import RangeTest
from autofix.training import Bar
from tests.doubles import FakeTrainer, outcome, patch, recipe


@dataclass
class Trainer(FakeTrainer):
    """A fake that does all a trainer does."""

    rung: float = 1.0
    traces: int = 3
    start: Any = "start"
    calls: list[str] = field(default_factory=list)

    def run(self, settings: Any, made: Patch, **more: Any) -> Outcome:
        found = super().run(settings, made, **more)
        if more.get("holdout") and found.status is Status.DONE:
            return replace(found, weights=(np.full(2, found.rank),))
        return found

    def range_test(self, settings: Any) -> RangeTest:
        self.calls.append("range test")
        if settings.fit["a"] == 9:
            raise ValueError("no curve")
        return RangeTest((1e-3, 1e-2), (1.0, float("nan")), (1e-3,), (0.5,))

    def choose_rung(self, settings: Any) -> float:
        self.calls.append("rung")
        if settings.fit["a"] == 9:
            raise ValueError("cannot run")
        self.rung = 0.25
        return 12.5

    def score_weights(self, settings: Any, made: Patch, weights: Any) -> Outcome:
        self.calls.append("score")
        if settings.fit["a"] == 9:
            raise ValueError("cannot predict")
        return outcome(float(weights[0][0]), made, holdout=0.4, weights=weights)

    def fit(self, settings: Any, made: Patch, source: Any, *, seed: int, deadline: float) -> Outcome:
        self.calls.append("fit")
        return outcome(0.7, made, seed=seed, weights=(np.ones(3),), engine="fit")

    def build(self, found: Outcome, settings: Any) -> Any:
        return found.weights

    def close(self) -> None:
        self.calls.append("close")


def recorded(folder: Any, trainer: Trainer) -> Recorded:
    return Recorded(trainer, Ledger(folder), Clock(Budget()))


def trained(trainer: Trainer) -> int:
    return len(trainer.asked)


def later(folder: Any, trainer: Trainer | None = None) -> tuple[Recorded, Trainer]:
    trainer = trainer or Trainer(lambda numbers: 0.1 * numbers["a"])
    return recorded(folder, trainer), trainer


def test_what_asks_for_less_is_answered_by_what_asked_for_more(tmp_path):
    one, trainer = later(tmp_path)
    full = one.run(recipe(a=1), patch("a"), probes=True, holdout=True)
    for probes, holdout in ((False, False), (True, False), (False, True)):
        assert one.run(recipe(a=1), patch("a"), probes=probes, holdout=holdout) == full
    assert trained(trainer) == 1
    one.run(recipe(a=2), patch("a"))
    one.run(recipe(a=2), patch("a"), probes=True)
    assert trained(trainer) == 3


@pytest.mark.parametrize("more", [{"seed": 1}, {"whole": True}, {"refit": True}])
def test_another_run_is_another_question(tmp_path, more):
    one, trainer = later(tmp_path)
    one.run(recipe(a=1), patch("a"))
    one.rung = 0.5
    one.run(recipe(a=1), patch("a"), **more)
    one.run(recipe(a=1), patch("a"), **more)
    assert trained(trainer) == 2
    one.run(recipe(a=1), patch("a"))
    assert trained(trainer) == 3


def test_patch_of_the_answer_is_that_of_the_question(tmp_path):
    one, _ = later(tmp_path)
    one.run(recipe(a=1), patch("a"))
    assert one.run(recipe(a=1), patch("b")).patch == patch("b")


def test_run_that_was_dropped_answers_the_same_bar_alone(tmp_path):
    dropped = outcome(0.1, patch("a"), status=Status.PRUNED)
    one, trainer = later(tmp_path, Trainer(lambda numbers: dropped))
    high = Bar(0.3, (0.5, 0.6), 0.1)
    one.run(recipe(a=1), patch("a"), keep=high)
    assert one.run(recipe(a=1), patch("a"), keep=high).status is Status.PRUNED
    assert trained(trainer) == 1
    one.run(recipe(a=1), patch("a"), keep=Bar(0.3, (0.5, 0.7), 0.1))
    one.run(recipe(a=1), patch("a"))
    assert trained(trainer) == 3
    one.run(recipe(a=2), patch("a"), keep=lambda progress: False)
    one.run(recipe(a=2), patch("a"), keep=lambda progress: False)
    assert trained(trainer) == 5


def test_run_that_held_its_bar_answers_every_question(tmp_path):
    one, trainer = later(tmp_path)
    one.run(recipe(a=1), patch("a"), keep=Bar(0.3))
    one.run(recipe(a=1), patch("a"))
    one.run(recipe(a=1), patch("a"), keep=Bar(0.3, (0.5,), 0.1))
    assert trained(trainer) == 1


def test_range_test_comes_back(tmp_path):
    one, _ = later(tmp_path)
    made = one.range_test(recipe(a=1))
    again, trainer = later(tmp_path)
    assert repr(again.range_test(recipe(a=1))) == repr(made)
    assert trainer.calls == []


def test_share_of_a_run_is_chosen_as_before(tmp_path):
    one, _ = later(tmp_path)
    assert one.choose_rung(recipe()) == 12.5
    again, trainer = later(tmp_path)
    assert again.rung == 1.0
    assert again.choose_rung(recipe()) == 12.5
    assert (again.rung, trainer.calls) == (0.25, [])


def test_what_could_not_be_done_is_not_tried_again(tmp_path):
    for wanted in (ValueError, Recalled):
        one, trainer = later(tmp_path)
        for ask in (
            one.range_test,
            one.choose_rung,
            lambda settings, one=one: one.score_weights(settings, Patch(), (np.ones(1),)),
        ):
            with pytest.raises(wanted, match=r"no curve|cannot run|cannot predict"):
                ask(recipe(a=9))
        assert len(trainer.calls) == (3 if wanted is ValueError else 0)


def test_scores_of_weights_are_those_of_the_very_weights(tmp_path):
    one, _ = later(tmp_path)
    given = (np.asarray([0.5]),)
    made = one.score_weights(recipe(), Patch(), given)
    again, trainer = later(tmp_path)
    found = again.score_weights(recipe(), Patch(), given)
    assert found == made
    assert found.weights is given
    assert trainer.calls == []
    again.score_weights(recipe(), Patch(), (np.asarray([0.6]),))
    assert trainer.calls == ["score"]
    assert not any(tmp_path.glob("*.npz"))


def test_fit_on_all_data_comes_back_with_its_weights(tmp_path):
    one, _ = later(tmp_path)
    one.fit(recipe(), patch("a"), None, seed=1, deadline=float("inf"))
    again, trainer = later(tmp_path)
    found = again.fit(recipe(), patch("a"), None, seed=1, deadline=float("inf"))
    assert found.weights[0].tolist() == [1.0, 1.0, 1.0]
    assert trainer.calls == []
    for path in tmp_path.glob("*.npz"):
        path.unlink()
    again.fit(recipe(), patch("a"), None, seed=1, deadline=float("inf"))
    assert trainer.calls == ["fit"]


def test_weights_of_the_best_run_of_each_patched_program_are_kept(tmp_path):
    noise = {101: 0.0, 102: 0.2, 103: 0.1}
    for _ in range(2):
        one, _ = later(tmp_path, Trainer(lambda numbers: 0.1 * numbers["a"], noise=noise))
        for a in (0, 1, 2):
            for seed in noise:
                made = patch("a") if a else Patch()
                one.run(recipe(a=a), made, seed=seed, holdout=True, whole=True)
        kept = {int(path.name[:5]) for path in tmp_path.glob("*.npz")}
        found = [(entry.outcome.seed, entry.outcome.patch) for entry in one.ledger if entry.number in kept]
        assert found == [(102, patch("a")), (102, patch("a"))]


def test_model_whose_weights_are_gone_is_trained_once_more(tmp_path):
    one, _ = later(tmp_path)
    one.run(recipe(a=1), patch("a"), seed=101, holdout=True, whole=True)
    for path in tmp_path.glob("*.npz"):
        path.write_bytes(b"garbage")
    again, trainer = later(tmp_path)
    found = again.run(recipe(a=1), patch("a"), seed=101, holdout=True, whole=True)
    assert (found.weights, trained(trainer)) == (None, 0)
    assert again.build(found, recipe(a=1))[0] == pytest.approx(found.rank)
    assert trained(trainer) == 1


def test_model_that_is_handed_over_keeps_its_weights(tmp_path):
    one, _ = later(tmp_path)
    made = one.run(recipe(a=1), patch("a"), seed=101, holdout=True, refit=True)
    again, trainer = later(tmp_path)
    found = again.run(recipe(a=1), patch("a"), seed=101, holdout=True, refit=True)
    assert found.weights[0].tolist() == made.weights[0].tolist()
    for path in tmp_path.glob("*.npz"):
        path.unlink()
    again.run(recipe(a=1), patch("a"), seed=101, holdout=True, refit=True)
    assert trained(trainer) == 1


def test_the_rest_is_the_trainers_own(tmp_path):
    one, trainer = later(tmp_path)
    assert (one.traces, one.start, one.rung) == (3, "start", 1.0)
    assert one.together([lambda: outcome(0.1), lambda: outcome(0.2)]) == [outcome(0.1), outcome(0.2)]
    one.close()
    assert trainer.calls == ["close"]


def test_clock_that_runs_is_never_stopped_by_another_threads_answer(tmp_path):
    """Half of the runs are known, in no order; from the first one on that is not, the time runs."""
    settings = [recipe(a=number) for number in range(24)]
    one, _ = later(tmp_path)
    for number in range(0, 24, 2):
        one.run(settings[number], patch("a"))
    again, trainer = later(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda asked: again.run(asked, patch("a")), settings))
    assert not again.clock.stands
    assert trained(trainer) == 12
    assert len(Ledger(tmp_path)) == 24
