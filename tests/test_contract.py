"""Every strategy on every small case, and for every rule a strategy that breaks it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from typing import ClassVar, final

import pytest

from autofix import testing
from autofix.change import Change, Patch
from autofix.registry import strategies
from autofix.strategy import Strategy
from autofix.symptom import Symptom
from autofix.testing import checks

TRAINED: set[str] = set()
NAMES = [strategy.name for strategy in strategies()]


@pytest.mark.parametrize("case", testing.CASES)
@pytest.mark.parametrize("name", NAMES)
def test_strategy_keeps_the_contract(name, case):
    testing.check_strategy(strategies([name])[0], testing.small_case(case), trained=TRAINED)


@pytest.mark.parametrize("name", NAMES)
def test_search_space_fits_one_study(name):
    testing.check_space(strategies([name])[0], testing.small_cases())


@pytest.mark.parametrize("name", NAMES)
def test_every_strategy_acts_somewhere(name):
    strategy = strategies([name])[0]
    if strategy.is_contract:
        pytest.skip("the small cases have no contract faults")
    small = testing.small_cases()
    assert any(strategy.guess(case) for item in small for case in checks.asked(strategy, item.case))


@pytest.mark.parametrize("case", testing.CASES)
def test_small_cases_train_as_they_are(case):
    if case != "dead_relu_mlp":  # Adam at 10
        testing.check_trains(Patch(), testing.small_case(case))


def epochs(case, value, *, path="fit/epochs", why="because", strategy="bad"):
    return Patch((Change(path, case.recipe.get(path), value, strategy, why),))


HEADINGS = """A strategy that breaks one rule.

What it changes:
Why it helps:
When it does not apply:
References:
"""


def bad(guess: Callable | None = None, suggest: Callable | None = None, **attributes) -> Strategy:
    """A strategy that keeps the contract but for what is given."""

    @final
    @dataclass(frozen=True)
    class Bad(Strategy):
        name: ClassVar[str] = "bad"
        treats: ClassVar[frozenset[Symptom]] = frozenset({Symptom.SLOW})

        def guess(self, case):
            return guess(case) if guess else epochs(case, 77)

        def suggest(self, trial, case):
            return suggest(trial, case) if suggest else epochs(case, trial.suggest_int("bad.epochs", 70, 90))

    Bad.__doc__ = HEADINGS
    for key, value in attributes.items():
        setattr(Bad, key, value)
    return Bad()


def test_a_good_double_passes():
    testing.check_strategy(bad(), testing.small_case("regression"))
    testing.check_space(bad(), testing.small_cases())


def breaks(strategy: Strategy, rule: str, case: str = "regression") -> None:
    with pytest.raises(AssertionError, match=rule):
        testing.check_strategy(strategy, testing.small_case(case))


def test_not_final():
    breaks(bad(__final__=False), "must be final")


def test_not_a_dataclass():
    class Plain(Strategy):
        name = "plain"
        treats = frozenset({Symptom.SLOW})
        guess = suggest = lambda *_: Patch()

    breaks(Plain(), "must be a dataclass")


def test_not_frozen():
    @final
    @dataclass
    class Loose(Strategy):
        name: ClassVar[str] = "loose"
        treats: ClassVar[frozenset[Symptom]] = frozenset({Symptom.SLOW})
        guess = suggest = lambda *_: Patch()

    breaks(Loose(), "must be frozen")


@pytest.mark.parametrize(
    ("attributes", "rule"),
    [
        ({"name": "Bad One"}, "snake_case"),
        ({"treats": frozenset()}, "must treat a frozenset"),
        ({"treats": {Symptom.SLOW}}, "must treat a frozenset"),
        ({"treats": frozenset({"slow"})}, "members of `Symptom`"),
        ({"__doc__": "Fixes it."}, "What it changes"),
    ],
)
def test_bad_description(attributes, rule):
    breaks(bad(**attributes), rule)


def test_guess_that_differs_from_call_to_call():
    numbers = count(700)
    breaks(bad(lambda case: epochs(case, next(numbers))), "same patch for the same case")


def test_guess_that_writes_to_the_recipe():
    def guess(case):
        items = case.recipe.fit._items
        items["epochs"] = items["epochs"] + 1
        return Patch()

    small = testing.small_case("regression")
    own = replace(small, case=small.case.at(type(small.case.recipe).from_dict(small.case.recipe.to_dict())))
    with pytest.raises(AssertionError, match="leave the recipe"):
        testing.check_strategy(bad(guess), own)


def test_parameter_without_prefix():
    breaks(bad(None, lambda trial, case: epochs(case, trial.suggest_int("epochs", 70, 90))), "must prefix")


def test_parameter_with_the_prefix_of_a_namesake():
    breaks(bad(None, lambda trial, case: epochs(case, trial.suggest_int("badly.epochs", 70, 90))), "must prefix")


def test_draw_from_elsewhere():
    breaks(bad(None, lambda trial, case: epochs(case, random.random())), "when the trial is replayed")


def test_change_that_changes_nothing():
    breaks(bad(lambda case: epochs(case, case.recipe.fit["epochs"])), "must change something")


def test_change_of_the_same_path_twice():
    def guess(case):
        first = epochs(case, 77)
        return Patch((*first, *epochs(case.at(first.apply(case.recipe)), 78)))

    breaks(bad(guess), "each path once")


def test_unsigned_change():
    breaks(bad(lambda case: epochs(case, 77, strategy="other")), "must sign")


def test_change_without_reason():
    breaks(bad(lambda case: epochs(case, 77, why=" ")), "must say why")


def test_change_of_what_is_not_there():
    patch = Patch((Change("layers/ghost/units", 1, 2, "bad", "because"),))
    breaks(bad(lambda case: patch), "what is there")


def test_remembered_before():
    patch = Patch((Change("fit/epochs", -1, 77, "bad", "because"),))
    breaks(bad(lambda case: patch), "must read `before`")


def test_patch_that_no_json_reader_takes():
    breaks(bad(lambda case: epochs(case, float("inf"))), "survives JSON")


@pytest.mark.parametrize(("path", "value"), [("compile/loss", "no_such_loss"), ("compile/optimizer", "no_such_one")])
def test_recipe_that_does_not_train(path, value):
    breaks(bad(lambda case: epochs(case, value, path=path)), "must work")


def test_batch_that_is_not_finite():
    def guess(case):
        return epochs(case, 1e38, path="compile/loss_weights")

    breaks(bad(guess), "finite")


def test_choices_that_change_from_case_to_case():
    def suggest(trial, case):
        trial.suggest_categorical("bad.choice", list(range(2 + len(case.diagnoses))))
        return Patch()

    with pytest.raises(AssertionError, match="same choices"):
        testing.check_space(bad(None, suggest), testing.small_cases())
