"""The search over candidates, with a trainer that knows the scores beforehand."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import optuna
import pytest

from autofix.change import Patch
from autofix.compose import Composer
from autofix.outcome import Status
from autofix.search import Search
from autofix.training import Progress
from tests.doubles import Fails, FakeTrainer, Set, case, outcome, patch, plans

FOREVER = float("inf")


def search(trainer: Any, *strategies: Any, enough: float = 2.0, **settings: Any) -> Search:
    composer = Composer(case(), strategies or (Set("a"), Set("b")))
    return Search(trainer, composer, seed=0, enough=lambda found: found.rank >= enough, **settings)


def by_a_and_b(numbers: Any) -> float:
    return 0.3 * bool(numbers["a"]) + 0.5 * bool(numbers["b"])


def test_guesses_are_enqueued_in_order_and_named_by_strategy():
    found = search(FakeTrainer(by_a_and_b))
    found.guesses(plans("a", "b", "ab"), FOREVER)
    params = [trial.params for trial in found.study.trials]
    assert params == [
        {"set_a.use": "guess", "set_b.use": "off"},
        {"set_a.use": "off", "set_b.use": "guess"},
        {"set_a.use": "guess", "set_b.use": "guess"},
    ]
    assert [trial.value for trial in found.study.trials] == pytest.approx([0.3, 0.5, 0.8], abs=1e-3)
    assert all(trial.state is optuna.trial.TrialState.COMPLETE for trial in found.study.trials)
    assert found.best.patch == patch("a", "b")


def test_study_is_its_own_and_maximises():
    one, other = search(FakeTrainer(by_a_and_b)), search(FakeTrainer(by_a_and_b))
    assert isinstance(one.study, optuna.Study)
    assert one.study is not other.study
    assert one.study.direction is optuna.study.StudyDirection.MAXIMIZE


def test_what_was_trained_is_told_with_it():
    found = search(FakeTrainer(by_a_and_b))
    found.guesses(plans("a"), FOREVER)
    (trial,) = found.study.trials
    assert trial.user_attrs["status"] == "done"
    assert Patch.from_dict(trial.user_attrs["patch"]) == patch("a")
    assert trial.user_attrs["engine"] == "compiled"
    assert "reason" not in trial.user_attrs


def test_why_nothing_faster_ran_it_is_told_with_it():
    slow = outcome(0.5, patch("a"), engine="eager", reason="run_eagerly=True")
    found = search(FakeTrainer(lambda numbers: slow))
    found.guesses(plans("a"), FOREVER)
    (trial,) = found.study.trials
    assert (trial.user_attrs["engine"], trial.user_attrs["reason"]) == ("eager", "run_eagerly=True")


def test_search_ends_when_a_candidate_is_good_enough():
    trainer = FakeTrainer(by_a_and_b)
    found = search(trainer, enough=0.45)
    found.guesses(plans("a", "b", "ab"), FOREVER)
    found.draws(FOREVER, 5)
    assert [numbers for numbers, _ in trainer.asked] == [
        {"a": 1, "b": 0, "c": 0, "d": 0},
        {"a": 0, "b": 1, "c": 0, "d": 0},
    ]


def test_same_patch_is_trained_once():
    trainer = FakeTrainer(by_a_and_b)
    found = search(trainer)
    found.guesses(plans("a", "a", "a"), FOREVER)
    assert len(trainer.asked) == 1
    assert len(found.study.trials) == 1
    assert {trial.value for trial in found.study.trials} == {found.best.rank}


def test_known_run_is_not_made_again():
    trainer = FakeTrainer(by_a_and_b)
    found = search(trainer)
    found.know(outcome(0.1))
    found.guesses(plans(""), FOREVER)
    assert trainer.asked == []
    assert found.best is None


def test_draws_reach_what_guesses_do_not():
    """Only a drawn value of `a` above 1 is any good."""
    trainer = FakeTrainer(lambda numbers: 0.1 * numbers["a"])
    found = search(trainer, Set("a"))
    found.guesses(plans("a"), FOREVER)
    found.draws(FOREVER, 12)
    assert found.best.rank > 0.25
    assert any(trial.params.get("set_a.use") == "search" for trial in found.study.trials)
    assert all(set(trial.params) <= {"set_a.use", "set_a.value"} for trial in found.study.trials)


def test_draws_end_when_nothing_better_comes():
    trainer = FakeTrainer(lambda numbers: 0.5)
    found = search(trainer)
    found.guesses(plans("a"), FOREVER)
    found.draws(FOREVER, 4)
    assert len(found.study.trials) == 1 + 4


def test_same_seed_same_draws():
    def drawn() -> list[dict[str, Any]]:
        found = search(FakeTrainer(by_a_and_b), Set("a"), Set("b"), Set("c"))
        found.draws(FOREVER, 6)
        return [trial.params for trial in found.study.trials]

    assert drawn() == drawn()


def test_most_trials_bound_what_is_trained():
    trainer = FakeTrainer(by_a_and_b)
    found = search(trainer, most_trials=2)
    found.guesses(plans("a", "b", "ab"), FOREVER)
    found.draws(FOREVER, 5)
    assert len(trainer.asked) == 2


def test_time_that_is_over_ends_it():
    trainer = FakeTrainer(by_a_and_b)
    found = search(trainer)
    found.guesses(plans("a", "b"), time.monotonic() - 1)
    found.draws(time.monotonic() - 1, 5)
    assert trainer.asked == []


def test_time_for_the_proof_of_the_best_is_kept_free():
    """A second of proof in two seconds leaves one for the search, and every run is told so."""
    trainer = FakeTrainer(by_a_and_b, seconds=0.2)
    found = search(trainer, reserve=lambda best: 1.0)
    began = time.monotonic()
    found.guesses(plans("a", "b", "ab"), began + 1.3)
    found.draws(began + 1.3, 100)
    assert time.monotonic() - began < 0.75
    assert [bool(item["deadline"] <= began + 0.31) for item in trainer.settings] == [False] + [True] * (
        len(trainer.settings) - 1
    )


def test_failed_trials_are_told_below_the_worst():
    """Invisible to the sampler would mean drawn again."""

    def score(numbers: Any) -> Any:
        if numbers["b"]:
            return outcome(None, patch("b"), status=Status.FAILED, error="ValueError: it broke")
        return 0.3

    found = search(FakeTrainer(score))
    found.guesses(plans("a", "b"), FOREVER)
    good, bad = found.study.trials
    assert bad.state is optuna.trial.TrialState.COMPLETE
    assert bad.value < good.value
    assert bad.user_attrs["status"] == "failed"
    assert bad.user_attrs["error"] == "ValueError: it broke"
    assert found.best.patch == patch("a")


def test_diverged_or_cut_candidates_are_never_the_best():
    def score(numbers: Any) -> Any:
        if numbers["b"]:
            return outcome(0.9, patch("b"), status=Status.CUT if numbers["a"] else Status.DIVERGED)
        return 0.3

    found = search(FakeTrainer(score))
    found.guesses(plans("b", "ab", "a"), FOREVER)
    assert found.best.patch == patch("a")


def test_unsound_candidates_are_refused_untrained(monkeypatch):
    trainer = FakeTrainer(by_a_and_b)
    found = search(trainer)
    monkeypatch.setattr(Composer, "sound", lambda self, made: not any(item.key == "b" for item in made))
    found.guesses(plans("b", "a"), FOREVER)
    assert [numbers["a"] for numbers, _ in trainer.asked] == [1]
    refused = found.study.trials[0]
    assert "refused" in refused.user_attrs["error"]
    assert refused.value < found.study.trials[1].value


def test_strategy_that_fails_does_not_end_the_search():
    found = search(FakeTrainer(by_a_and_b), Fails(), Set("a"))
    found.guesses([{"fails": "guess", "set_a": "guess"}], FOREVER)
    found.draws(FOREVER, 3)
    assert found.best.patch == patch("a")
    assert "fails" in found.composer.failed


def test_every_run_is_reported_once():
    heard: list[Any] = []
    found = search(FakeTrainer(by_a_and_b), on_trial=heard.append)
    found.guesses(plans("a", "a", "b"), FOREVER)
    assert [item.patch for item in heard] == [patch("a"), patch("b")]


EARLY, BEHIND, AHEAD = Progress(0.1, 1, -5.0), Progress(0.6, 6, -5.0), Progress(0.6, 6, 0.9)
BLIND_EARLY, BLIND = Progress(0.3, 3, 0.9, constant=True), Progress(0.4, 4, 0.9, constant=True)


@dataclass
class Asking(FakeTrainer):
    """Asks of every run whether it may go on, at a few points of its way."""

    kept: list[list[bool]] = field(default_factory=list)

    def run(self, settings: Any, made: Any, **more: Any) -> Any:
        self.kept.append([more["keep"](item) for item in (EARLY, BEHIND, AHEAD, BLIND_EARLY, BLIND)])
        return super().run(settings, made, **more)


def test_drawn_candidates_that_fall_behind_are_dropped():
    trainer = Asking(by_a_and_b)
    found = search(trainer)
    found.guesses(plans("a", "ab"), FOREVER)
    assert [answers[:3] for answers in trainer.kept] == [[True, True, True]] * 2  # guesses run to their end
    found.draws(FOREVER, 6)
    assert trainer.kept[2][:3] == [True, False, True]


def test_candidates_that_predict_alike_for_every_row_are_dropped_from_a_third_on():
    trainer = Asking(by_a_and_b)
    found = search(trainer)
    found.guesses(plans("a", "ab"), FOREVER)
    found.draws(FOREVER, 3)
    assert len(trainer.kept) > 2
    assert [answers[3:] for answers in trainer.kept] == [[True, False]] * len(trainer.kept)


def test_ctrl_c_goes_through_and_leaves_no_trial_running():
    found = search(FakeTrainer(lambda numbers: KeyboardInterrupt() if numbers["b"] else 0.3))
    with pytest.raises(KeyboardInterrupt):
        found.guesses(plans("a", "b"), FOREVER)
    assert found.best.patch == patch("a")
    assert not [trial for trial in found.study.trials if trial.state is optuna.trial.TrialState.RUNNING]


class Together(FakeTrainer):
    """Says which runs were made at the same time."""

    groups: list[int]

    def together(self, calls: Any) -> list[Any]:
        self.groups = [*getattr(self, "groups", []), len(calls)]
        return [call() for call in calls]


def test_candidates_are_trained_so_many_at_a_time_and_taken_in_in_order():
    one, several = Together(by_a_and_b), Together(by_a_and_b)
    alone, found = search(one), search(several, slots=2)
    for each in (alone, found):
        each.guesses(plans("a", "b", "ab"), FOREVER)
    assert not hasattr(one, "groups")
    assert several.groups == [2]
    assert several.asked == one.asked
    assert [trial.params for trial in found.study.trials] == [trial.params for trial in alone.study.trials]
    assert found.outcomes == alone.outcomes
    assert found.best == alone.best


def test_the_first_that_is_enough_counts_and_the_others_are_taken_in():
    trainer = Together(by_a_and_b)
    seen: list[Any] = []
    found = search(trainer, slots=3, enough=0.25, on_trial=seen.append)
    found.guesses(plans("a", "b", "ab"), FOREVER)
    assert found.settled.patch == patch("a")
    assert len(found.outcomes) == len(seen) == 3
    assert all(trial.state is optuna.trial.TrialState.COMPLETE for trial in found.study.trials)


def test_same_patch_is_trained_once_among_several():
    trainer = Together(by_a_and_b)
    found = search(trainer, Set("a"), slots=4)
    found.guesses([{"set_a": "guess"}, {"set_a": "guess", "other": "off"}, {"set_a": "off"}], FOREVER)
    assert len(trainer.asked) == 2
    assert len(found.study.trials) == 3


@pytest.mark.parametrize(("slots", "most"), [(1, 3), (2, 3), (4, 3), (4, 6)])
def test_no_more_candidates_than_there_is_room_for(slots, most):
    found = search(FakeTrainer(lambda numbers: 0.1 * numbers["a"]), Set("a"), slots=slots, most_trials=most)
    found.draws(FOREVER, 50)
    assert len(found.outcomes) == most


def test_several_draws_are_the_same_each_time():
    def drawn() -> list[dict[str, Any]]:
        found = search(FakeTrainer(by_a_and_b), Set("a"), Set("b"), slots=3)
        found.draws(FOREVER, 6)
        return [trial.params for trial in found.study.trials]

    assert drawn() == drawn()
    assert len({str(params) for params in drawn()}) > 1


def test_draws_end_when_nothing_better_comes_of_several():
    found = search(FakeTrainer(lambda numbers: 0.5), slots=3)
    found.guesses(plans("a"), FOREVER)
    found.draws(FOREVER, 4)
    assert len(found.study.trials) == 1 + 4


def test_candidates_hold_up_with_all_seeds_at_the_same_time():
    trainer = Together(by_a_and_b)
    found = search(trainer, enough=0.7, slots=2)
    found.guesses(plans("ab"), FOREVER)
    assert trainer.groups == [2]
    assert [seed for _, seed in trainer.asked] == [0, 1, 2]
    assert found.settled.patch == patch("a", "b")


def test_interrupt_among_several_leaves_none_running():
    def dies(numbers: Any) -> Any:
        return KeyboardInterrupt() if numbers["b"] else 0.3

    found = search(FakeTrainer(dies), slots=3)
    with pytest.raises(KeyboardInterrupt):
        found.guesses(plans("a", "b", "ab"), FOREVER)
    assert all(trial.state is optuna.trial.TrialState.FAIL for trial in found.study.trials)


def test_best_are_trained_for_longer_at_the_same_time():
    trainer = Together(by_a_and_b)
    found = search(trainer, slots=2)
    found.guesses(plans("a", "b", "ab"), FOREVER)
    found.promote(3, FOREVER)
    assert trainer.groups == [2, 2]
    assert len(found.outcomes) == 3
