"""The order of a search, and which candidate is worth proving, with a trainer that knows the scores beforehand."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from autofix import judge
from autofix.budget import Budget, Clock
from autofix.change import Patch
from autofix.hunt import Hunt
from autofix.symptom import Diagnosis, Symptom
from tests.doubles import FakeTrainer, Set, change, outcome, patch, session

SLOW = Diagnosis(Symptom.SLOW, 0.9, 1.0, "evidence")


@dataclass(frozen=True)
class Longer(Set):
    """Stands for the remedy that makes every later run longer."""

    number: str = "d"
    name: ClassVar[str] = "epochs"


@dataclass
class Rung(FakeTrainer):
    rung: float = 1.0


def hunt(score: Callable[[Any], Any], *numbers: str, seconds: float = 100.0, target: float | None = None, **known: Any):
    trainer = Rung(score)
    trainer.range_test = None
    strategies = [*(Set(name) for name in numbers), Longer()]
    clock = Clock(Budget(seconds=seconds))
    found = Hunt(session(trainer, **known), strategies, clock, lambda *told: None, lambda item: None, [], 0, target)
    found.know([SLOW], outcome(0.3))
    return found, trainer


def tried(trainer: FakeTrainer, number: str) -> bool:
    return any(asked[number] for asked, _ in trainer.asked)


def test_costly_remedies_and_draws_are_for_what_is_not_good_enough_yet():
    near, trainer = hunt(lambda n: 0.86 if n["a"] else 0.3, "a", signal=0.9)
    near.seek()
    assert near.search.settled is None  # good enough is less than what ends a search at once
    assert not tried(trainer, "d")
    assert not near.cut

    far, trainer = hunt(lambda n: 0.6 if n["a"] else 0.3, "a", signal=0.9)
    far.seek()
    assert tried(trainer, "d")


@pytest.mark.parametrize("known", [{"metric": "f1_macro"}, {"signal": None}, {"signal": 0.3}], ids=str)
def test_where_nothing_is_known_of_what_the_data_allows_the_search_goes_on(known):
    found, trainer = hunt(lambda n: 0.6 if n["a"] else 0.3, "a", **known)
    found.seek()
    assert tried(trainer, "d")


def test_a_target_of_the_user_is_searched_for():
    found, trainer = hunt(lambda n: 0.86 if n["a"] else 0.3, "a", signal=0.9, target=0.99)
    found.seek()
    assert tried(trainer, "d")  # by a draw


def test_a_search_that_ran_out_of_time_says_so():
    found, _ = hunt(lambda n: 0.3, "a", seconds=0.0001)
    time.sleep(0.001)
    found.seek()
    assert found.cut


def test_mending_is_enough_where_the_mended_run_would_have_been_called_healthy():
    found, _ = hunt(lambda n: 0.86 if n["a"] else 0.3, signal=0.9)
    object.__setattr__(found.composer, "strategies", (Set("a", is_contract=True),))
    found.strategies = found.composer.strategies
    assert found.mend()
    assert found.search.settled is not None

    short, _ = hunt(lambda n: 0.6 if n["a"] else 0.3, signal=0.9)
    object.__setattr__(short.composer, "strategies", (Set("a", is_contract=True),))
    short.strategies = short.composer.strategies
    assert not short.mend()


def test_a_candidate_that_can_be_proven_in_time_goes_before_a_better_one_that_cannot():
    quick = outcome(0.86, patch("a"), seconds=0.1, again=0.1)
    slow = outcome(0.89, patch("a", "b"), seconds=9.0, again=9.0)
    found, _ = hunt(lambda n: 0.3, signal=0.9, seconds=20.0)
    assert found.affordable(slow, [quick, slow]) is quick
    assert hunt(lambda n: 0.3, signal=0.9, seconds=900.0)[0].affordable(slow, [quick, slow]) is slow


def test_what_is_not_good_enough_is_no_way_out():
    quick = outcome(0.5, patch("a"), seconds=0.1, again=0.1)
    slow = outcome(0.89, patch("a", "b"), seconds=9.0, again=9.0)
    found, _ = hunt(lambda n: 0.3, signal=0.9, seconds=20.0)
    assert found.affordable(slow, [quick, slow]) is slow
    assert found.affordable(None, []) is None


def test_plans_without_what_is_costly():
    plans = [{"epochs": "guess"}, {"a": "guess", "epochs": "guess"}, {"a": "guess"}]
    assert judge.without_costly(plans) == [{"a": "guess"}]
    assert judge.without_costly(plans, {"epochs"}) == [{"epochs": "guess"}, plans[1], {"a": "guess"}]


def test_patch_with_more_epochs_takes_longer_to_prove():
    found, _ = hunt(lambda n: 0.3)
    short, long = outcome(0.8, patch("a"), again=1.0), outcome(0.8, Patch((change("epochs", 20, 10),)), again=1.0)
    assert found.proving(long) > found.proving(short)
