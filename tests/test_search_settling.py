"""When the search takes a candidate for the one: other seeds, longer runs, and what the proof made of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from autofix.change import Change, Patch
from autofix.compose import Composer
from autofix.outcome import Outcome, Status
from autofix.search import VERIFYING, Search
from tests.doubles import FakeTrainer, Set, case, outcome, patch, plans

FOREVER = float("inf")
ENOUGH = 0.75


def search(trainer: Any, *, names: str = "abcd", **settings: Any) -> Search:
    composer = Composer(case(), [Set(name) for name in names])
    settings = {"enough": lambda found: found.rank >= ENOUGH, **settings}
    return Search(trainer, composer, seed=0, **settings)


def seeds(trainer: FakeTrainer) -> list[int]:
    return [seed for _, seed in trainer.asked]


# ------------------------------------------------------------------------------------------------ other seeds


def test_candidate_of_several_lines_is_tried_with_other_seeds():
    trainer = FakeTrainer(lambda numbers: 0.8, noise={1: 0.03, 2: -0.03})
    heard: list[Outcome] = []
    found = search(trainer, on_trial=heard.append)
    found.guesses(plans("ab", "c"), FOREVER)
    assert seeds(trainer) == [0, *VERIFYING]
    assert [item.seed for item in heard] == [0, *VERIFYING]
    assert found.settled.patch == patch("a", "b")
    assert found.settled is found.best
    assert found.best.score.value == pytest.approx(0.8)
    assert len(found.study.trials) == 1


def test_candidate_of_one_line_is_not():
    """Nothing of it can be left out: the proof alone is next, and takes seeds of its own."""
    trainer = FakeTrainer(lambda numbers: 0.8, noise={1: -0.5})
    found = search(trainer)
    found.guesses(plans("a", "b"), FOREVER)
    assert seeds(trainer) == [0]
    assert found.settled.patch == patch("a")


def test_line_of_several_layers_is_one():
    line = tuple(Change(f"fit/{name}", 0, 1, "set_a", "because") for name in "ab")
    assert len(Patch(line).lines) == 2  # they are not of one key
    layers = tuple(Change(f"layers/{name}/units", 0, 1, "set_a", "because") for name in "ab")
    trainer = FakeTrainer(lambda numbers: 0.8)
    found = search(trainer)
    found._take(0, outcome(0.8, Patch(layers)), FOREVER)
    assert trainer.asked == []
    assert found.settled.patch == Patch(layers)


def test_candidate_that_is_not_enough_is_not_tried_again():
    trainer = FakeTrainer(lambda numbers: 0.7)
    found = search(trainer)
    found.guesses(plans("ab"), FOREVER)
    assert seeds(trainer) == [0]
    assert found.settled is None


def test_unreliable_candidate_counts_for_its_mean_and_settles_nothing():
    trainer = FakeTrainer(lambda numbers: 0.9 if numbers["b"] else 0.6, noise={1: -0.6, 2: 0.0})
    found = search(trainer)
    found.guesses(plans("ab", "c"), FOREVER)
    assert seeds(trainer) == [0, 1, 0]  # one bad seed is enough
    assert found.settled is None
    assert found.outcomes[0].score.value == pytest.approx(0.6)
    assert found.study.trials[0].value == pytest.approx(0.6, abs=1e-3)
    assert [trial.user_attrs["status"] for trial in found.study.trials] == ["done", "done"]


def test_unreliable_candidate_gives_way_to_a_reliable_one():
    trainer = FakeTrainer(lambda numbers: 0.9 if numbers["b"] else 0.7, noise={1: -0.6})
    found = search(trainer)
    found.guesses(plans("ab", "c"), FOREVER)
    assert found.best.patch == patch("c")


class Moody(FakeTrainer):
    """Runs with other seeds end badly."""

    ending: Status = Status.FAILED

    def run(self, settings: Any, made: Any, *, seed: int = 0, **more: Any) -> Any:
        found = super().run(settings, made, seed=seed, **more)
        return outcome(None, made, seed=seed, status=self.ending) if seed else found


@pytest.mark.parametrize("ending", [Status.FAILED, Status.DIVERGED])
def test_candidate_that_fails_with_another_seed_settles_nothing(ending, monkeypatch):
    monkeypatch.setattr(Moody, "ending", ending)
    trainer = Moody(lambda numbers: 0.9)
    found = search(trainer)
    found.guesses(plans("ab"), FOREVER)
    assert found.settled is None
    assert seeds(trainer) == [0, 1]


def test_candidate_that_fails_with_another_seed_is_not_the_best_one():
    trainer = Moody(lambda numbers: 0.9 if numbers["b"] else 0.7)
    found = search(trainer)
    found.guesses(plans("ab", "c"), FOREVER)
    assert found.best.patch == patch("c")


def test_candidate_settles_as_it_is_when_only_time_for_the_proof_is_left():
    class Slow(FakeTrainer):
        def run(self, *args: Any, **more: Any) -> Any:
            found = super().run(*args, **more)
            return outcome(found.score.value, args[1], again=100.0)

    trainer = Slow(lambda numbers: 0.9)
    found = search(trainer)
    found.guesses(plans("ab"), time.monotonic() + 50)
    assert seeds(trainer) == [0]
    assert found.settled.patch == patch("a", "b")


def test_candidate_settles_as_it_is_when_the_time_is_up_meanwhile(monkeypatch):
    monkeypatch.setattr(Moody, "ending", Status.CUT)
    heard: list[Outcome] = []
    found = search(Moody(lambda numbers: 0.9), on_trial=heard.append)
    found.guesses(plans("ab"), FOREVER)
    assert found.settled.patch == patch("a", "b")
    assert [item.seed for item in heard] == [0]


def test_nothing_is_searched_once_it_is_settled():
    trainer = FakeTrainer(lambda numbers: 0.8)
    found = search(trainer)
    found.guesses(plans("a", "b", "ab"), FOREVER)
    found.draws(FOREVER, 5)
    found.promote(3, FOREVER)
    assert len(trainer.asked) == 1


# ------------------------------------------------------------------------------------------------ after the proof


def test_search_goes_on_without_a_candidate_that_the_proof_did_not_bear_out():
    trainer = FakeTrainer(lambda numbers: 0.9 if numbers["a"] else 0.6)
    found = search(trainer)
    found.guesses(plans("a", "b"), FOREVER)
    assert found.settled.patch == patch("a")
    found.demote(patch("a"), 0.4)
    assert found.settled is None
    assert found.outcomes[0].rank == 0.4
    found.guesses(plans("a", "b"), FOREVER)
    assert found.best.patch == patch("b")
    assert len(trainer.asked) == 2  # what is known of the first one is not asked again
    assert found.settled is None


def test_proof_that_goes_better_than_the_search_promotes_nothing():
    found = search(FakeTrainer(lambda numbers: 0.5))
    found.guesses(plans("a", "b"), FOREVER)
    found.demote(patch("a"), 0.95)
    assert found.outcomes[0].score.value == 0.5


def test_only_what_was_proven_is_demoted():
    found = search(FakeTrainer(lambda numbers: 0.8), enough=lambda item: item.patch == patch("b"))
    found.guesses(plans("a", "b"), FOREVER)
    found.demote(patch("a"), 0.1)
    assert found.settled.patch == patch("b")
    assert found.best.patch == patch("b")


# ------------------------------------------------------------------------------------------------ longer runs


@dataclass
class Rungs(FakeTrainer):
    """Scores by the numbers and the share of the run; `rung` is the trainer's own."""

    rung: float = 1.0
    by_share: Callable[[Any, float], Any] = lambda numbers, share: 0.5

    def run(self, settings: Any, made: Any, **more: Any) -> Any:
        self.score = lambda numbers: self.by_share(numbers, self.rung)
        found = super().run(settings, made, **more)
        return found if found.status is not Status.DONE else outcome(found.score.value, made, share=self.rung)


def late(numbers: Any, share: float) -> float:
    """`a` is fast and `b` lasts."""
    return 0.1 * share + (0.5 if numbers["a"] else 0.4 * share + 0.2 if numbers["b"] else 0.1)


def test_best_candidates_are_trained_for_longer():
    trainer = Rungs(lambda numbers: 0.0, rung=1 / 3, by_share=late)
    found = search(trainer)
    found.guesses(plans("a", "b", "c"), FOREVER)
    assert found.best.patch == patch("a")
    trainer.rung = 1.0
    trainer.asked.clear()
    found.promote(2, FOREVER)
    assert [(numbers["a"], numbers["b"]) for numbers, _ in trainer.asked] == [(1, 0), (0, 1)]
    assert [item.share for item in found.outcomes.values()] == [1.0, 1.0, 1 / 3]
    assert found.best.patch == patch("b")
    assert len(found.study.trials) == 3  # it is the same candidate


def test_longest_runs_alone_are_compared():
    """A third of a run may flatter: what was run in full counts."""
    trainer = Rungs(lambda numbers: 0.0, rung=1 / 3, by_share=lambda numbers, share: 0.7 if share < 1 else 0.3)
    found = search(trainer)
    found.guesses(plans("a", "b"), FOREVER)
    trainer.rung = 1.0
    found.promote(1, FOREVER)
    assert (found.best.patch, found.best.rank) == (patch("a"), pytest.approx(0.3, abs=1e-3))


def test_longer_run_may_be_enough():
    trainer = Rungs(lambda numbers: 0.0, rung=1 / 3, by_share=lambda numbers, share: 0.9 * share)
    found = search(trainer)
    found.guesses(plans("ab", "c"), FOREVER)
    assert found.settled is None
    trainer.rung = 1.0
    found.promote(3, FOREVER)
    assert found.settled.patch == patch("a", "b")
    assert seeds(trainer) == [0, 0, 0, *VERIFYING]  # the other one is not run for longer any more


def test_promoted_runs_are_probed_and_keep_time_for_the_proof():
    trainer = Rungs(lambda numbers: 0.0)
    found = search(trainer, reserve=lambda best: 10.0)
    found.guesses(plans("a"), FOREVER)
    began = time.monotonic()
    found.promote(1, began + 100)
    assert trainer.settings[-1]["probes"]
    assert trainer.settings[-1]["deadline"] <= began + 90 + 1


def test_failed_candidates_are_not_promoted():
    def score(numbers: Any, share: float) -> Any:
        return outcome(None, patch("b"), status=Status.FAILED) if numbers["b"] else 0.5

    trainer = Rungs(lambda numbers: 0.0, by_share=score)
    found = search(trainer)
    found.guesses(plans("b", "a"), FOREVER)
    trainer.asked.clear()
    found.promote(3, FOREVER)
    assert [numbers["a"] for numbers, _ in trainer.asked] == [1]


def test_no_time_no_promotion():
    trainer = Rungs(lambda numbers: 0.0)
    found = search(trainer)
    found.guesses(plans("a"), FOREVER)
    found.promote(3, time.monotonic() - 1)
    assert len(trainer.asked) == 1


def test_candidate_whose_longer_run_is_cut_is_not_lost():
    def score(numbers: Any, share: float) -> Any:
        return outcome(0.6, patch("a"), status=Status.CUT) if share == 1.0 else 0.7 if numbers["a"] else 0.5

    trainer = Rungs(lambda numbers: 0.0, rung=1 / 3, by_share=score)
    found = search(trainer)
    found.guesses(plans("a", "b"), FOREVER)
    trainer.rung = 1.0
    found.promote(1, FOREVER)
    assert found.best.patch == patch("a")
