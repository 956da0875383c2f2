"""Composes the patches of several strategies into one candidate that is valid by construction."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from autofix.change import Patch
from autofix.contract import Violation, violations
from autofix.recipe import Recipe
from autofix.strategy import Case, RangeTest, Strategy

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

logger = logging.getLogger(__name__)

OFF, GUESS, SEARCH = "off", "guess", "search"


@dataclass
class Composer:
    """Turns choices into patches.

    Attributes:
        case: The run as it came.
        strategies: In the order in which their patches are applied.
        range_test: Runs a learning-rate range test on a recipe; None to go without.
        failed: Strategies that raised, with the error; they are left out from then on.
    """

    case: Case
    strategies: Sequence[Strategy]
    range_test: Callable[[Recipe], RangeTest] | None = None
    failed: dict[str, str] = field(default_factory=dict)
    _ranges: dict[str, RangeTest] = field(default_factory=dict)

    def patch(self, modes: Mapping[str, str], trial: BaseTrial | None = None) -> Patch:
        """Returns the joint patch of the chosen strategies, relative to the user's recipe.

        Args:
            modes: "off", "guess" or "search" by strategy name; what is missing is off.
            trial: Where "search" draws from.
        """
        recipe, total = self.case.recipe, Patch()
        for strategy in self.strategies:
            mode = modes.get(strategy.name, OFF)
            if mode == OFF or strategy.name in self.failed:
                continue
            part = self._part(strategy, mode, trial, self.case.at(recipe))
            recipe, total = part.apply(recipe), total.then(part)
        return total

    def sound(self, patch: Patch) -> bool:
        """Whether the patched recipe has no output, loss and label contract that cannot train."""
        return not any(found.fatal for found in self._violations(patch))

    def faults(self, patch: Patch) -> int:
        """Number of faults of output, loss and labels in the patched recipe."""
        return len(self._violations(patch))

    def _violations(self, patch: Patch) -> tuple[Violation, ...]:
        recipe = patch.apply(self.case.recipe)
        return violations(recipe, self.case.facts, self.case.output_shapes)

    def range_of(self, recipe: Recipe) -> RangeTest | None:
        """Returns the range test of a recipe, whatever its learning rate; None if none was made."""
        test = self._ranges.get(_without_rate(recipe))
        return test if test and test.rates else None

    def _part(self, strategy: Strategy, mode: str, trial: BaseTrial | None, case: Case) -> Patch:
        try:
            if strategy.name == "learning_rate" and self.range_test is not None:
                case = self._ranged(case)
            part = strategy.suggest(trial, case) if mode == SEARCH and trial is not None else strategy.guess(case)
            part.apply(case.recipe)
        except Exception as error:  # a strategy that fails is left out; the repair goes on
            logger.debug("strategy %s failed", strategy.name, exc_info=True)
            self.failed[strategy.name] = f"{type(error).__name__}: {error}"
            return Patch()
        return part

    def _ranged(self, case: Case) -> Case:
        assert self.range_test is not None
        key = _without_rate(case.recipe)
        if key not in self._ranges:
            try:
                self._ranges[key] = self.range_test(case.recipe)
            except Exception:  # a recipe that cannot train has no curve; its trial will say why
                logger.debug("no range test", exc_info=True)
                self._ranges[key] = RangeTest()
        return replace(case, range_test=self._ranges[key])


def _without_rate(recipe: Recipe) -> str:
    path = "compile/optimizer/learning_rate"
    return (recipe.set(path, 0.0) if recipe.has(path) else recipe).fingerprint()
