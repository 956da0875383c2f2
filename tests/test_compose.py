"""Several strategies, one candidate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import optuna
import pytest

from autofix.change import Patch
from autofix.compose import GUESS, OFF, SEARCH, Composer
from autofix.strategy import Case, RangeTest, Strategy
from autofix.symptom import Symptom
from tests.doubles import Fails, Set, case, change, recipe, values


def test_patches_are_applied_in_the_order_of_the_collection():
    composer = Composer(case(), (Set("a"), Set("b"), Set("c")))
    made = composer.patch({"set_c": GUESS, "set_a": GUESS})
    assert [item.strategy for item in made] == ["set_a", "set_c"]
    assert values(made.apply(recipe())) == {"a": 1, "b": 0, "c": 1, "d": 0}


def test_what_is_off_or_not_named_does_nothing():
    composer = Composer(case(), (Set("a"), Set("b")))
    assert composer.patch({}) == composer.patch({"set_a": OFF}) == Patch()


@dataclass(frozen=True)
class OneMore(Strategy):
    """Adds one to what it finds."""

    name: ClassVar[str] = "one_more"
    treats: ClassVar[frozenset[Symptom]] = frozenset({Symptom.SLOW})

    def guess(self, case: Case) -> Patch:
        found = case.recipe.fit["a"]
        return Patch((change("a", found + 1, found, "one_more"),))

    def suggest(self, trial: Any, case: Case) -> Patch:
        return self.guess(case)


def test_each_strategy_sees_what_the_earlier_ones_left():
    made = Composer(case(a=5), (Set("a"), OneMore(), OneMore())).patch({"set_a": GUESS, "one_more": GUESS})
    assert [(item.before, item.after) for item in made] == [(5, 3)]
    assert made.apply(recipe(a=5)).fit["a"] == 3


def test_change_that_is_taken_back_is_none():
    made = Composer(case(a=2), (Set("a"), OneMore())).patch({"set_a": GUESS, "one_more": GUESS})
    assert made == Patch()


def test_search_draws_from_the_trial():
    composer = Composer(case(), (Set("a"), Set("b")))
    trial = optuna.trial.FixedTrial({"set_a.value": 7})
    made = composer.patch({"set_a": SEARCH, "set_b": GUESS}, trial)
    assert values(made.apply(recipe())) == {"a": 7, "b": 1, "c": 0, "d": 0}
    assert composer.patch({"set_a": SEARCH}).apply(recipe()).fit["a"] == 1  # no trial to draw from


def test_strategy_that_raises_is_left_out_from_then_on_and_told():
    failing = Fails()
    composer = Composer(case(), (Set("a"), failing, Set("b")))
    modes = {"set_a": GUESS, "fails": GUESS, "set_b": GUESS}
    for _ in range(2):
        assert [item.strategy for item in composer.patch(modes)] == ["set_a", "set_b"]
    assert failing.asked == ["guess"]
    assert composer.failed == {"fails": "ValueError: no idea"}


@dataclass(frozen=True)
class Stale(OneMore):
    name: ClassVar[str] = "stale"

    def guess(self, case: Case) -> Patch:
        return Patch((change("a", 3, before=99, strategy="stale"),))


@dataclass(frozen=True)
class Astray(OneMore):
    name: ClassVar[str] = "astray"

    def guess(self, case: Case) -> Patch:
        return Patch((change("nowhere/at/all", 3, strategy="astray"),))


@dataclass(frozen=True)
class Nothing(OneMore):
    name: ClassVar[str] = "nothing"

    def guess(self, case: Case) -> Patch:
        return None  # type: ignore[return-value]


@pytest.mark.parametrize("strategy", [Stale(), Astray(), Nothing()], ids=lambda item: item.name)
def test_patch_that_does_not_apply_counts_as_failed(strategy):
    composer = Composer(case(), (strategy, Set("b")))
    assert [item.strategy for item in composer.patch({strategy.name: GUESS, "set_b": GUESS})] == ["set_b"]
    assert list(composer.failed) == [strategy.name]


@dataclass(frozen=True)
class LearningRate(OneMore):
    """Looks at the range test, as the one strategy that has one made for it."""

    name: ClassVar[str] = "learning_rate"

    def guess(self, case: Case) -> Patch:
        rates = case.range_test.candidates if case.range_test else ()
        return Patch((change("d", rates[0], strategy=self.name),)) if rates else Patch()


def test_range_test_is_made_on_the_recipe_as_it_stands_and_once_each():
    made: list[int] = []

    def range_test(settings: Any) -> RangeTest:
        made.append(settings.fit["a"])
        return RangeTest(candidates=(0.5 + settings.fit["a"],))

    composer = Composer(case(), (Set("a"), LearningRate()), range_test)
    both = composer.patch({"set_a": GUESS, "learning_rate": GUESS})
    assert both.apply(recipe()).fit["d"] == 1.5
    assert composer.patch({"learning_rate": GUESS}).apply(recipe()).fit["d"] == 0.5
    composer.patch({"set_a": GUESS, "learning_rate": GUESS})
    assert made == [1, 0]
    composer.patch({"set_a": GUESS})
    assert made == [1, 0]


def test_range_test_that_raises_is_no_range_test():
    def range_test(settings: Any) -> RangeTest:
        raise RuntimeError("does not build")

    composer = Composer(case(), (LearningRate(),), range_test)
    assert composer.patch({"learning_rate": GUESS}) == Patch()
    assert composer.failed == {}
