"""Leaving out what a patch does not need, with a trainer that knows the scores beforehand."""

from __future__ import annotations

import time
from typing import Any

import pytest

from autofix.change import Change, Patch
from autofix.compose import Composer
from autofix.frozen import FrozenDict
from autofix.minimise import Minimal, cheapest, minimise
from autofix.outcome import Status
from tests.doubles import FakeTrainer, Set, case, change, on, outcome, patch

FOREVER = float("inf")


def smaller(
    made: Patch, trainer: Any, *, contract: str = "", deadline: float = FOREVER, floor: float = 0.3, **more: Any
) -> Minimal:
    strategies = tuple(Set(name, is_contract=name in contract) for name in "abcd")
    bounds = {"known": 0.9, "tolerance": 0.02, "deadline": deadline, "floor": floor, **more}
    return minimise(made, trainer, Composer(case(), strategies), **bounds)


def names(made: Patch) -> str:
    return "".join(sorted(item.key for item in made))


def test_needless_lines_go_and_needed_ones_stay():
    found = smaller(patch("a", "b", "c"), FakeTrainer(lambda n: 0.9 if n["b"] else 0.4))
    assert names(found.patch) == "b"
    assert found.complete


def test_lines_that_need_each_other_stay_together():
    found = smaller(patch("a", "b", "c"), FakeTrainer(lambda n: 0.9 if on("a", "c")(n) else 0.4))
    assert names(found.patch) == "ac"
    assert found.complete


def test_what_is_left_was_looked_at_once():
    """No search may have seen the smaller patch, and a report shows what the probes see of it."""
    found = smaller(patch("a", "b", "c"), FakeTrainer(lambda n: 0.9 if n["b"] else 0.4))
    runs = [run for run in found.outcomes if run.patch == found.patch]
    assert [run.trace is not None for run in runs] == [True, False, False]


class Faulty(Composer):
    """Without `a`, output and loss do not fit."""

    def faults(self, patch: Patch) -> int:
        return 0 if "a" in names(patch) else 1


def test_what_mends_a_fault_of_the_program_stays_and_one_run_tells_its_worth():
    """The score does not need it: a loss that does not fit may train all the same."""
    trainer = FakeTrainer(lambda n: 0.9 if n["b"] else 0.4)
    strategies = tuple(Set(name, is_contract=name == "a") for name in "ab")
    composer = Faulty(case(), strategies)
    found = minimise(patch("a", "b"), trainer, composer, known=0.9, tolerance=0.02, deadline=FOREVER, floor=0.3)
    assert found.complete
    assert {item.key: item.effect for item in found.patch} == pytest.approx({"a": 0.0, "b": 0.5}, abs=0.01)
    assert sum(names(outcome.patch) == "b" for outcome in found.outcomes) == 1


def test_one_of_two_that_do_the_same_is_enough():
    found = smaller(patch("a", "b"), FakeTrainer(lambda n: 0.9 if n["a"] or n["b"] else 0.4))
    assert len(found.patch) == 1
    assert found.patch.changes[0].effect == pytest.approx(0.6, abs=0.01)  # down to where the run came from


def test_effect_is_what_leaving_the_line_out_costs():
    trainer = FakeTrainer(lambda n: 0.3 + 0.4 * bool(n["a"]) + 0.2 * bool(n["b"]))
    found = smaller(patch("a", "b"), trainer)
    assert {item.key: item.effect for item in found.patch} == pytest.approx({"a": 0.4, "b": 0.2}, abs=0.005)


def test_effects_are_those_in_the_patch_that_is_left():
    """`a` matters less once `c` is gone; what is told must hold for what is handed over."""

    def score(n: Any) -> float:
        return 0.9 - 0.5 * (not n["a"]) * bool(n["c"]) - 0.1 * (not n["a"]) * (not n["c"])

    found = smaller(patch("a", "c"), FakeTrainer(score), contract="c")
    assert names(found.patch) == "a"
    assert found.patch.changes[0].effect == pytest.approx(0.6, abs=0.01)  # without it nothing is left: the floor


def test_line_that_only_made_up_for_another_goes_with_it():
    """1-minimal: `a` is needed as long as `c` is there; once `c` is gone, `a` has to be asked again."""

    def score(n: Any) -> float:
        return 0.4 if not n["b"] or (n["c"] and not n["a"]) else 0.9

    found = smaller(patch("a", "b", "c"), FakeTrainer(score), contract="bc")
    assert names(found.patch) == "b"


def test_remedies_are_left_out_before_contract_fixes():
    """Either would do; a contract fix mends a fault that is there for certain."""
    trainer = FakeTrainer(lambda n: 0.9 if n["a"] or n["b"] else 0.4)
    assert names(smaller(patch("a", "b"), trainer, contract="a").patch) == "a"
    assert names(smaller(patch("a", "b"), trainer, contract="b").patch) == "b"


def test_costly_lines_are_left_out_first():
    cheap = Change("fit/a", 0, 1, "set_a", "because")
    costly = Change("transforms/labels", None, {"y": [1, 2]}, "set_b", "because")
    trainer = FakeTrainer(lambda n: 0.9)
    asked: list[Patch] = []
    smaller(Patch((costly, cheap)), trainer, on_trial=lambda item: asked.append(item.patch))
    first = next(item for item in asked if len(item) == 1)
    assert first == Patch((cheap,))


def test_a_line_of_several_changes_goes_as_one():
    line = [Change(f"layers/x{i}/activation", "sigmoid", "relu", "activation", "because") for i in range(3)]
    made = Patch((*line, change("b")))
    asked: list[int] = []

    class Loose(Composer):
        def sound(self, made: Patch) -> bool:
            return True

        def faults(self, made: Patch) -> int:
            return 0

    class AnyTrainer:
        def run(self, recipe: Any, tried: Patch, **more: Any) -> Any:
            asked.append(len(tried))
            return outcome(0.9 if any(item.key == "activation" for item in tried) else 0.4, tried)

    composer = Loose(case(), (Set("b"),))
    object.__setattr__(composer, "case", _AnyRecipe())
    found = minimise(made, AnyTrainer(), composer, known=0.9, tolerance=0.02, deadline=FOREVER, floor=0.3)
    assert [item.key for item in found.patch] == ["activation"] * 3
    assert set(asked) == {4, 3, 1}  # all, the line without the rest, the rest without the line; never two of three
    assert len({item.effect for item in found.patch}) == 1


class _AnyRecipe:
    """A case whose recipe takes every patch."""

    class recipe:  # noqa: N801
        architecture = FrozenDict({"config": {}})

        @staticmethod
        def get(path: str) -> Any:
            return 0 if path.startswith("fit/") else "sigmoid"

        @classmethod
        def set(cls, path: str, value: Any) -> Any:
            return cls

        fit_known = True


def test_a_single_line_needs_no_run():
    """Without it nothing is left, and what that gives is known; so is what it gives itself."""
    trainer = FakeTrainer(lambda n: 0.9)
    found = smaller(patch("a"), trainer, known=0.85, floor=0.3)
    assert trainer.asked == []
    assert (found.patch, found.complete, found.outcomes) == (patch("a"), True, ())
    assert found.patch.changes[0].effect == pytest.approx(0.55)


def test_seeds_are_averaged():
    """Seed 1 needs `b`, seed 0 does not: on average it is worth something."""
    made: list[int] = []

    class Moody(FakeTrainer):
        def run(self, settings: Any, tried: Any, *, seed: int = 0, **more: Any) -> Any:
            made.append(seed)
            bad = seed == 1 and not settings.fit["b"]
            return outcome(0.75 if bad else 0.9 if settings.fit["a"] else 0.4, tried, seed=seed)

    found = smaller(patch("a", "b"), Moody(lambda n: 0.0))
    assert names(found.patch) == "ab"
    assert set(made) >= {0, 1}


def test_losses_within_the_tolerance_do_not_add_up():
    """Each line is worth 0.015, under the tolerance of 0.02; all of them together are not."""
    trainer = FakeTrainer(lambda n: 0.5 + 0.015 * sum(map(bool, n.values())))
    found = smaller(patch("a", "b", "c", "d"), trainer)
    kept = 0.015 * len(found.patch)
    assert kept >= 0.06 - 0.02


def test_patch_without_a_line_that_does_not_apply_counts_as_the_run_as_it_came(monkeypatch):
    monkeypatch.setattr(Composer, "sound", lambda self, made: any(item.key == "a" for item in made))
    found = smaller(patch("a", "b"), FakeTrainer(lambda n: 0.9))
    assert names(found.patch) == "a"
    assert found.patch.changes[0].effect == pytest.approx(0.6, abs=0.01)


@pytest.mark.parametrize("status", [Status.FAILED, Status.DIVERGED])
def test_patch_that_fails_without_a_line_needs_it(status):
    def score(n: Any) -> Any:
        return 0.9 if n["a"] else outcome(None, status=status)

    assert names(smaller(patch("a", "b"), FakeTrainer(score)).patch) == "a"


def test_time_that_is_over_leaves_the_patch_whole_and_says_so():
    found = smaller(patch("a", "b"), FakeTrainer(lambda n: 0.9), deadline=time.monotonic() - 1)
    assert found.patch == patch("a", "b")
    assert not found.complete
    assert [item.effect for item in found.patch] == [None, None]


def test_time_that_runs_out_keeps_what_was_found():
    trainer = FakeTrainer(lambda n: 0.9 if n["a"] and n["b"] else 0.4, seconds=0.1)
    found = smaller(patch("a", "b", "c", "d"), trainer, deadline=time.monotonic() + 0.75)
    assert not found.complete
    assert {"a", "b"} <= set(names(found.patch))
    assert len(found.patch) < 4


def test_every_run_is_reported():
    heard: list[Any] = []
    found = smaller(patch("a", "b"), FakeTrainer(lambda n: 0.9 if n["a"] else 0.4), on_trial=heard.append)
    assert tuple(heard) == found.outcomes
    assert len(heard) >= 3


def test_smallest_patch_that_is_as_good_as_the_best():
    small, large = outcome(0.89, patch("a")), outcome(0.90, patch("a", "b"))
    assert cheapest([small, large], 0.02, set()) is small
    assert cheapest([small, large], 0.001, set()) is large


def test_contract_fixes_are_free():
    one, other = outcome(0.9, patch("a")), outcome(0.9, patch("b", "c"))
    assert cheapest([one, other], 0.02, set()) is one
    assert cheapest([one, other], 0.02, {"set_b", "set_c"}) is other


def test_cheapest_of_nothing():
    failed = outcome(None, patch("a"), status=Status.FAILED)
    cut = outcome(0.99, patch("a"), status=Status.CUT)
    unchanged = outcome(0.99)
    assert cheapest([failed, cut, unchanged], 0.02, set()) is None
    assert cheapest([], 0.02, set()) is None


@pytest.mark.parametrize("slots", [2, 3, 5])
def test_seeds_at_the_same_time_leave_the_same_patch(slots):
    def value(numbers: Any) -> float:
        return 0.3 + 0.4 * bool(numbers["a"]) + 0.2 * bool(numbers["b"])

    alone = smaller(patch("a", "b", "c"), FakeTrainer(value))
    found = smaller(patch("a", "b", "c"), FakeTrainer(value), slots=slots)
    assert found.patch == alone.patch
    assert [change.effect for change in found.patch] == [change.effect for change in alone.patch]
    assert found.outcomes == alone.outcomes


def test_no_time_for_all_seeds_leaves_the_patch_incomplete():
    ticking = iter([0.0, 0.0, 9.0, 9.0, 9.0])
    found = smaller(patch("a", "b"), FakeTrainer(lambda numbers: 0.9), deadline=5.0, now=lambda: next(ticking))
    assert not found.complete
    assert found.patch == patch("a", "b")
