"""A trainer whose runs are made by other processes."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from autofix.change import Patch
from autofix.frozen import EMPTY
from autofix.isolation.arrays import packed
from autofix.isolation.pool import Pool
from autofix.isolation.worker import Answer, Request, RunFailed
from autofix.outcome import Outcome, Status
from autofix.recipe import Recipe
from autofix.strategy import RangeTest
from autofix.trainer import Trainer
from autofix.trainer.memo import Making, Memo
from autofix.trainer.start import Start, Weights
from autofix.training import Progress

if TYPE_CHECKING:
    import keras

logger = logging.getLogger(__name__)

# Seconds that a run may take beyond its deadline before it counts as hung. It looks at the clock between parts of an
# epoch only: compiling and the first part of a large model are allowed for, on a machine that others use too.
GRACE = 120.0
# Seconds that a measurement without a deadline may take: a range test makes some 150 steps, of up to ten seconds each.
LONGEST_MEASUREMENT = 1_800.0


class IsolatedTrainer:
    """Has runs made by slots. Whatever ends a slot ends one run, which then failed for that reason.

    What it answers is what a `Trainer` would: the same runs from the same weights on the same rows, none made twice.

    Args:
        local: Trains in this process what cannot be sent to another one, and builds the models that are handed over.
        pool: The slots.

    Attributes:
        rung: Share of a run that the search makes of each candidate.
    """

    def __init__(self, local: Trainer, pool: Pool) -> None:
        self.rung = 1.0
        self._local = local
        self._pool = pool
        self._memo = Memo()

    @property
    def start(self) -> Start:
        """Which weights runs start from."""
        return self._local.start

    @property
    def traces(self) -> int:
        """Number of training functions that had to be compiled, here and in the slots."""
        return self._local.traces + self._pool.traces

    def run(
        self,
        recipe: Recipe,
        patch: Patch,
        *,
        seed: int = 0,
        deadline: float = math.inf,
        probes: bool = False,
        holdout: bool = False,
        whole: bool = False,
        refit: bool = False,
        full: bool = False,
        keep: Callable[[Progress], bool] | None = None,
    ) -> Outcome:
        """Trains a recipe; see `Trainer.run`.

        Raises:
            FixTheCrash: If one run after the other ended its process in the same way.
        """
        making = Making.of(recipe, seed, whole=whole, refit=refit, full=full, rung=self.rung)
        known = None if refit else self._memo.find(making, patch, holdout=holdout, probes=probes)
        if known is not None:
            return known
        began = time.monotonic()
        named = {
            "seed": seed,
            "deadline": deadline,  # of a clock that all processes of a machine share
            "probes": probes,
            "holdout": holdout,
            "whole": whole,
            "refit": refit,
            "full": full,
            "keep": keep,
        }
        try:
            outcome: Outcome = self._ask("run", (recipe, patch), named, deadline=deadline, grace=GRACE).value
        except RunFailed as failed:
            spent = time.monotonic() - began
            return Outcome(patch, seed, Status.FAILED, None, seconds=spent, share=making.share, error=str(failed))
        if not refit:
            self._memo.keep(making, outcome)
        return outcome

    def fit(self, recipe: Recipe, patch: Patch, source: Any, *, seed: int, deadline: float) -> Outcome:
        """Trains a recipe on the user's own data object, which is at home in this process alone."""
        return self._local.fit(recipe, patch, source, seed=seed, deadline=deadline)

    def together(self, calls: Sequence[Callable[[], Outcome]]) -> list[Outcome]:
        """Makes several runs at the same time, as many as there are slots. An interrupt ends all."""
        if len(calls) < 2:
            return [call() for call in calls]
        with ThreadPoolExecutor(len(calls), thread_name_prefix="autofix") as threads:
            futures = [threads.submit(call) for call in calls]
            try:
                return [future.result() for future in futures]
            except BaseException:
                self._pool.stop()
                threads.shutdown(cancel_futures=True)
                self._pool.resume()
                raise

    def range_test(self, recipe: Recipe) -> RangeTest:
        """Runs a learning-rate range test.

        Raises:
            RunFailed: If it came to nothing.
        """
        test: RangeTest = self._ask("range_test", (recipe,)).value
        return test

    def score_weights(self, recipe: Recipe, patch: Patch, weights: Weights) -> Outcome:
        """Scores a recipe with given weights, without training it.

        Raises:
            RunFailed: If the weights do not fit the recipe.
        """
        outcome: Outcome = self._ask("score_weights", (recipe, patch, weights)).value
        return outcome

    def choose_rung(self, recipe: Recipe) -> float:
        """Sets the share of a run that a search makes of each candidate at first; see `Trainer.choose_rung`.

        Raises:
            RunFailed: If no step could be timed.
        """
        answer = self._ask("choose_rung", (recipe,))
        self.rung = answer.rung
        seconds: float = answer.value
        return seconds

    def build(self, outcome: Outcome, recipe: Recipe) -> keras.Model:
        """Returns the trained model of an outcome, in this process."""
        return self._local.build(outcome, recipe)

    def close(self) -> None:
        """Ends the slots and releases what is held here."""
        self._pool.close()
        self._local.close()

    def _ask(
        self,
        method: str,
        positional: tuple[Any, ...],
        named: Mapping[str, Any] = EMPTY,
        *,
        deadline: float = -math.inf,
        grace: float = LONGEST_MEASUREMENT,
    ) -> Answer:
        request = Request(method, positional, dict(named), self.rung)
        program = self._program(positional[0])
        answer = self._pool.ask(packed(request), program=program, deadline=deadline, grace=grace)
        if answer.error is not None:
            logger.debug("a slot raised %s", answer.traceback)
            raise answer.error
        return answer

    def _program(self, recipe: Recipe) -> str | None:
        """Returns the name of the program that a recipe needs; None for a recipe that has none."""
        try:
            return self._local.store.key(recipe)
        except Exception as error:  # a broken candidate; its run will say why
            logger.debug("no program: %s", error)
            return None
