"""Stand-ins for what costs time: strategies that set one number, and a trainer that knows its scores beforehand."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, ClassVar

from autofix.change import Change, Patch
from autofix.facts import DataFacts
from autofix.frozen import FrozenDict
from autofix.outcome import Outcome, Status
from autofix.recipe import Recipe
from autofix.scoring import Score, Scorer
from autofix.session import Session
from autofix.strategy import Case, RangeTest, Strategy
from autofix.symptom import Symptom
from autofix.trace import Trace

NUMBERS = ("a", "b", "c", "d")
FACTS = DataFacts((60, 20, 20), (), (), False, 0.0, None, 0.0, 0.0, ())


def recipe(**numbers: Any) -> Recipe:
    """A recipe whose `fit` has a few numbers, all 0, and no model."""
    fit = {**dict.fromkeys(NUMBERS, 0), "epochs": 10, "patience": None, **numbers}
    return Recipe(FrozenDict({"config": {}}), FrozenDict({"loss": "mse"}), FrozenDict(fit))


def case(**numbers: Any) -> Case:
    return Case(recipe(**numbers), FACTS, (), ())


def change(name: str, after: Any = 1, before: Any = 0, strategy: str | None = None, why: str = "because") -> Change:
    return Change(f"fit/{name}", before, after, strategy or f"set_{name}", why)


def patch(*names: str) -> Patch:
    return Patch(tuple(change(name) for name in names))


def values(settings: Recipe) -> dict[str, Any]:
    return {name: settings.fit[name] for name in NUMBERS}


@dataclass(frozen=True)
class Set(Strategy):
    """Sets one number: to 1 as a guess, to what the trial says in a search."""

    number: str = "a"
    is_contract: bool = False  # type: ignore[misc]
    treats: ClassVar[frozenset[Symptom]] = frozenset({Symptom.SLOW})

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"set_{self.number}"

    def guess(self, case: Case) -> Patch:
        before = case.recipe.fit[self.number]
        return Patch() if before == 1 else Patch((change(self.number, 1, before),))

    def suggest(self, trial: Any, case: Case) -> Patch:
        value = trial.suggest_int(f"{self.name}.value", 1, 9)
        before = case.recipe.fit[self.number]
        return Patch() if before == value else Patch((change(self.number, value, before),))


@dataclass(frozen=True)
class Fails(Strategy):
    """Raises whatever it is asked."""

    name: ClassVar[str] = "fails"
    treats: ClassVar[frozenset[Symptom]] = frozenset({Symptom.SLOW})
    asked: list[str] = field(default_factory=list)

    def guess(self, case: Case) -> Patch:
        self.asked.append("guess")
        raise ValueError("no idea")

    def suggest(self, trial: Any, case: Case) -> Patch:
        self.asked.append("suggest")
        raise ValueError("no idea")


def outcome(
    value: float | None,
    made: Patch | None = None,
    *,
    seed: int = 0,
    status: Status = Status.DONE,
    holdout: float | None = None,
    **more: Any,
) -> Outcome:
    """A run with a score (None for none at all); `holdout` is the score on the holdout part."""
    held = None if holdout is None else Score(holdout, -0.1, (holdout,))
    if held is not None:
        more.setdefault("resampled", (holdout,) * 5)
    score = None if value is None else Score(value, -0.1, (value,))
    return Outcome(made or Patch(), seed, status, score, epochs=10.0, holdout=held, **more)


@dataclass
class FakeTrainer:
    """Scores recipes by a function of their numbers; says what it was asked.

    Attributes:
        score: Value for the numbers of a recipe, or an `Outcome` to hand back, or an exception to raise.
        noise: Added per seed.
        seconds: What each run takes, slept for real.
        asked: Numbers and seed of every run.
    """

    score: Callable[[Mapping[str, Any]], Any]
    noise: Mapping[int, float] = field(default_factory=dict)
    seconds: float = 0.0
    asked: list[tuple[dict[str, Any], int]] = field(default_factory=list)
    settings: list[dict[str, Any]] = field(default_factory=list)

    def run(
        self, settings: Recipe, made: Patch, *, seed: int = 0, deadline: float = float("inf"), **more: Any
    ) -> Outcome:
        self.asked.append((values(settings), seed))
        self.settings.append({"deadline": deadline, **more})
        if time.monotonic() + self.seconds > deadline:
            return outcome(None, made, seed=seed, status=Status.CUT)
        if self.seconds:
            time.sleep(self.seconds)
        found = self.score(values(settings))
        if isinstance(found, BaseException):
            raise found
        if isinstance(found, Outcome):
            return found
        value = found + self.noise.get(seed, 0.0)
        held = value if more.get("holdout") else None
        trace = Trace(epoch_scores=(value / 2, value)) if more.get("probes") else None
        return outcome(value, made, seed=seed, holdout=held, trace=trace, seconds=self.seconds, again=self.seconds)

    def together(self, calls: Sequence[Callable[[], Outcome]]) -> list[Outcome]:
        return [call() for call in calls]

    def range_test(self, settings: Recipe) -> RangeTest:
        return RangeTest((1e-3,), (1.0,), (1e-3,))


def session(
    trainer: Any = None,
    *,
    signal: float | None = 0.9,
    chance: float = 0.3,
    noise: float = 0.0,
    perfect: float = 1.0,
    metric: str = "auto",
    splits: int = 1,
    partial: bool = False,
) -> Session:
    """A session on data of which this much is known, without a model; `partial` if not all of it was read."""
    facts = replace(FACTS, signal=signal, chance=chance, noise=noise)
    scorer = Scorer("balanced_accuracy", metric, (), 0.0, perfect)
    data: Any = SimpleNamespace(splits=(None,) * splits, partial=partial)
    model: Any = None
    return Session(model, recipe(), data, facts, scorer, trainer, case())


def on(*names: str) -> Callable[[Mapping[str, Any]], bool]:
    """Whether all these numbers were changed."""
    return lambda numbers: all(numbers[name] for name in names)


def plans(*names: Sequence[str]) -> list[dict[str, str]]:
    """Plans that guess with the strategies of the given numbers."""
    return [{f"set_{name}": "guess" for name in plan} for plan in names]
