"""A search that is interrupted anywhere goes on as if nothing had happened: the same trials, no run made twice."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import optuna
import pytest

from autofix.budget import Budget, Clock
from autofix.compose import Composer
from autofix.confirm import measure
from autofix.minimise import minimise
from autofix.outcome import Outcome, Status
from autofix.search import Search
from autofix.store.ledger import Ledger
from autofix.store.recorded import Recorded
from autofix.store.studies import Shelf, in_journal
from tests.doubles import FakeTrainer, Set, case, outcome, plans

FOREVER = float("inf")


class Killed(BaseException):
    """Ends the process, as far as the code under test can tell."""


@dataclass
class Mortal(FakeTrainer):
    """Dies with a given run, before it is made."""

    rung: float = 1.0
    dies_at: int = 10**9
    made: list[Any] = field(default_factory=list)

    def run(self, *args: Any, **more: Any) -> Outcome:
        if len(self.asked) >= self.dies_at:
            raise Killed
        found = super().run(*args, **more)
        self.made.append(found)
        return found


def score(numbers: Any) -> Any:
    if numbers["c"] == 4:
        return outcome(None, status=Status.FAILED, error="boom")
    return 0.1 * numbers["a"] + 0.3 * bool(numbers["b"]) - 0.02 * numbers["c"]


def repair(folder: Any, trainer: Mortal, *, slots: int = 1, trials: int | None = None) -> dict[str, Any]:
    """What the controller does: guesses, draws, leaving out, proving."""
    clock = Clock(Budget(trials=trials))
    recorded = Recorded(trainer, Ledger(folder / "trials"), clock)
    shelf = Shelf(in_journal(folder / "journal", "study"))
    composer = Composer(case(), (Set("a"), Set("b"), Set("c")))
    search = Search(
        recorded,
        composer,
        seed=3,
        enough=lambda found: found.rank >= 2.0,
        most_trials=trials,
        now=clock.now,
        slots=slots,
        shelf=shelf,
    )
    search.guesses(plans("a", "b", "abc"), clock.deadline)
    search.draws(clock.deadline, 6)
    best = search.best
    small = minimise(
        best.patch, recorded, composer, known=best.rank, tolerance=0.01, deadline=FOREVER, floor=0.0, now=clock.now
    )
    origin = composer.case.recipe
    proof = measure([(origin, best.patch), (small.patch.apply(origin), small.patch)], recorded, floor=0.0)
    return {
        "params": [trial.params for trial in search.study.trials],
        "values": [trial.value for trial in search.study.trials],
        "kept": [trial.params for trial in in_journal(folder / "journal", "study").trials],
        "patch": small.patch,
        "effects": [change.effect for change in small.patch],
        "proof": [found.values for found in proof],
    }


@pytest.mark.parametrize(
    ("slots", "every"),
    [(1, 5), (3, 7), pytest.param(1, 1, marks=pytest.mark.slow), pytest.param(3, 1, marks=pytest.mark.slow)],
)
def test_interrupted_anywhere_it_ends_as_it_would_have(tmp_path, slots, every):
    whole = Mortal(score)
    expected = repair(tmp_path / "whole", whole, slots=slots)
    count = len(whole.asked)
    assert count > 15
    assert expected["kept"] == expected["params"]
    for moment in range(0, count, every):
        folder, made = tmp_path / f"killed-{moment}", []
        for dies_at in (moment, 10**9):
            trainer = Mortal(score, dies_at=dies_at)
            try:
                found = repair(folder, trainer, slots=slots)
            except Killed:
                found = None
            made += trainer.made
        assert found == expected
        assert len(made) == count if slots == 1 else len(made) >= count


def test_killed_again_and_again_it_still_gets_there(tmp_path):
    expected = repair(tmp_path / "whole", Mortal(score))
    for lives in itertools.count(1):
        try:
            found = repair(tmp_path / "killed", Mortal(score, dies_at=3))
            break
        except Killed:
            assert lives < 20
    assert lives > 3
    assert found == expected


@pytest.mark.parametrize("trials", [2, 4, 7])
def test_resumed_search_ends_with_the_trials_that_it_was_given(tmp_path, trials):
    expected = repair(tmp_path / "whole", Mortal(score), trials=trials)
    with pytest.raises(Killed):
        repair(tmp_path / "killed", Mortal(score, dies_at=1), trials=trials)
    assert repair(tmp_path / "killed", Mortal(score), trials=trials) == expected
    different = set(map(str, expected["params"]))
    assert trials <= len(different) <= len(expected["params"])


def test_trials_that_were_not_written_are_drawn_again_and_not_trained(tmp_path):
    """The journal may be deleted: what was trained is in the ledger."""
    expected = repair(tmp_path, Mortal(score))
    (tmp_path / "journal").unlink()
    trainer = Mortal(score)
    assert repair(tmp_path, trainer) == expected
    assert trainer.asked == []


def test_runs_that_were_lost_are_made_again_for_the_same_trials(tmp_path):
    expected = repair(tmp_path, Mortal(score))
    for path in sorted((tmp_path / "trials").iterdir())[1:4]:
        path.write_text("garbage")
    trainer = Mortal(score)
    assert repair(tmp_path, trainer) == expected
    assert len(trainer.asked) == 3


def test_trial_that_was_left_running_is_told_as_failed(tmp_path):
    study = in_journal(tmp_path / "journal", "study")
    study.ask()
    assert Shelf(study).trials == []
    assert [trial.state for trial in study.trials] == [optuna.trial.TrialState.FAIL]
    assert len(repair(tmp_path, Mortal(score), trials=3)["params"]) == 3


@pytest.fixture
def hands(monkeypatch):
    """The hands of every clock, to be moved by the test."""
    moved = SimpleNamespace(at=100.0)
    monkeypatch.setattr("autofix.budget.time", SimpleNamespace(monotonic=lambda: moved.at))
    return moved


def test_resumed_search_decides_by_the_time_that_was_spent_when_it_decided(tmp_path, hands):
    """Each run takes its time; the search is over when its own is up, however soon answers come the second time."""

    @dataclass
    class Unhurried(Mortal):
        def run(self, *args: Any, deadline: float = FOREVER, **more: Any) -> Outcome:
            hands.at += 0.2
            return super().run(*args, **more)

    def searched(trainer: Mortal) -> tuple[int, float]:
        clock = Clock(Budget(seconds=0.5), began=hands.at)
        recorded = Recorded(trainer, Ledger(tmp_path / "trials"), clock)
        composer = Composer(case(), (Set("a"), Set("b"), Set("c")))
        search = Search(recorded, composer, seed=3, enough=lambda found: False, now=clock.now)
        search.draws(clock.deadline, 100)
        return len(search.outcomes), clock.spent

    assert searched(Unhurried(score)) == (3, pytest.approx(0.6))
    hands.at = 500.0
    trainer = Unhurried(score)
    assert searched(trainer) == (3, pytest.approx(0.6))
    assert trainer.asked == []


def test_what_took_long_is_measured_alike_the_second_time(tmp_path, hands):
    @dataclass
    class Slow(Mortal):
        def choose_rung(self, settings: Any) -> float:
            hands.at += 3.0
            return 7.0

    def measured() -> tuple[float, float, float]:
        clock = Clock(Budget(), began=hands.at)
        recorded = Recorded(Slow(score), Ledger(tmp_path), clock)
        settings = case().recipe
        hands.at += 1.0  # reading model and data, at times faster and at times slower
        recorded.run(settings, outcome(0.0).patch)
        hands.at += 0.5
        began = clock.now()
        seconds = recorded.choose_rung(settings)
        return seconds, clock.now() - began, clock.spent

    first = measured()
    hands.at = 900.0
    assert measured() == pytest.approx(first)
    assert first == pytest.approx((7.0, 3.0, 4.5))


def test_time_that_was_spent_before_is_taken_off_the_budget(tmp_path):
    clock = Clock(Budget(seconds=10.0))
    Recorded(Mortal(score), Ledger(tmp_path), clock, spent=7.0)
    assert 7.0 <= clock.spent < 9.0
    assert clock.left <= 3.0


def test_run_that_was_cut_is_answered_where_it_was_and_made_again_later(tmp_path):
    def asked(trainer: Mortal) -> list[Status]:
        clock = Clock(Budget(seconds=60.0))
        recorded = Recorded(trainer, Ledger(tmp_path), clock)
        settings = case().recipe
        found = [
            recorded.run(settings, outcome(0.0).patch, deadline=clock.began - 1.0),
            recorded.run(settings, outcome(0.0).patch, seed=1),
            recorded.run(settings, outcome(0.0).patch, deadline=FOREVER),
        ]
        return [item.status for item in found]

    first = Mortal(score, seconds=0.01)
    assert asked(first) == [Status.CUT, Status.DONE, Status.DONE]
    assert len(first.asked) == 3
    again = Mortal(score, seconds=0.01)
    assert asked(again) == [Status.CUT, Status.DONE, Status.DONE]
    assert again.asked == []


def test_run_that_was_interrupted_is_no_answer(tmp_path):
    clock = Clock(Budget())
    stopped = outcome(None, status=Status.CUT)
    recorded = Recorded(Mortal(lambda numbers: stopped), Ledger(tmp_path), clock)
    recorded.run(case().recipe, stopped.patch, deadline=time.monotonic() + 100)
    assert len(Ledger(tmp_path)) == 0
