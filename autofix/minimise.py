"""Drops what a patch does not need, and measures what each remaining line is worth."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from functools import partial
from statistics import fmean

from autofix.change import Change, Patch
from autofix.compose import Composer
from autofix.errors import StaleChange
from autofix.outcome import Outcome, Status
from autofix.training import Trains, in_turn

# Seeds over which a patch and the patch without a line are compared; the runs are paired by seed.
SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class Minimal:
    """The outcome of a minimisation.

    Attributes:
        patch: What is left, each change with its effect.
        complete: Whether every remaining line was tried without; False when the time was up before.
        outcomes: Runs that were made for it.
    """

    patch: Patch
    complete: bool
    outcomes: tuple[Outcome, ...]


def minimise(
    patch: Patch,
    trainer: Trains,
    composer: Composer,
    *,
    known: float,
    tolerance: float,
    deadline: float,
    floor: float,
    on_trial: Callable[[Outcome], None] = lambda outcome: None,
    now: Callable[[], float] = time.monotonic,
    slots: int = 1,
) -> Minimal:
    """Leaves out one line at a time for as long as the repair holds (a 1-minimal patch, as in delta debugging).

    Args:
        patch: A candidate that repairs.
        trainer: Trains the patches.
        composer: Knows the user's recipe and which patches are sound.
        known: Its score rank in the search.
        tolerance: Score rank that may be lost.
        deadline: In seconds of `now`.
        floor: Rank of the run as it came: stands in for a patch that cannot be trained.
        on_trial: Told of every run.
        now: Tells the time.
        slots: Runs to make at the same time; with more than one, a bad patch may cost more of them.

    Returns:
        What is left, with the effect of each line.
    """
    runs: list[Outcome] = []

    def ranks(candidate: Patch, seeds: Sequence[int], least: float) -> list[float] | None:
        """Score rank by seed, up to the first that is below `least`; None when the time is up."""
        if not candidate:
            return [floor]
        recipe, found = candidate.apply(composer.case.recipe), []

        def calls() -> Iterator[Callable[[], Outcome]]:
            for seed in seeds:
                if now() >= deadline:
                    return
                # With probes once: what is left may be a patch that no search has looked at.
                probes = seed == SEEDS[0]
                yield partial(trainer.run, recipe, candidate, seed=seed, deadline=deadline, probes=probes)

        for outcome in in_turn(trainer, calls(), slots):
            runs.append(outcome)
            on_trial(outcome)
            if outcome.status is Status.CUT:
                return None
            found.append(outcome.rank if outcome.score is not None else floor)
            if outcome.status is not Status.DONE or outcome.rank < least:
                return found
        return found if len(found) == len(seeds) else None

    if len(patch.lines) == 1:  # nothing can be left out: without it, it is the run as it came
        return Minimal(_measured(patch, {patch.lines[0]: known - floor}), True, ())
    contract = {strategy.name for strategy in composer.strategies if strategy.is_contract}
    base = ranks(patch, SEEDS, float("-inf"))
    if base is None:
        return Minimal(patch, False, tuple(runs))
    goal = fmean(base)
    worth: dict[tuple[Change, ...], float] = {}
    while True:
        line = _next(patch, worth, contract)
        if line is None:
            return Minimal(_measured(patch, worth), True, tuple(runs))
        rest = patch.without(line)
        faults = _faults(rest, composer)
        # A model that is handed over has no fault that is certain: one run then tells what mending it is worth.
        stays = faults is None or faults > composer.faults(patch)
        seeds = SEEDS[:1] if stays else SEEDS
        found = [floor] if faults is None else ranks(rest, seeds, goal - 3 * tolerance - 0.1 * abs(goal))
        if found is None:
            return Minimal(_measured(patch, worth), False, tuple(runs))
        if not stays and fmean(found) >= goal - tolerance:
            # What the others are worth has to be asked again: it may have been the line that is gone.
            patch, worth, base = rest, {}, found
        else:
            worth[line] = fmean(base[: len(found)]) - fmean(found)


def _next(patch: Patch, worth: dict[tuple[Change, ...], float], contract: Set[str]) -> tuple[Change, ...] | None:
    """The line to try without next: remedies before contract fixes, the costliest first, the last applied first.

    A contract fix mends a fault that is there for certain; a remedy may only have covered for it.
    """
    open_lines = [line for line in patch.lines if line not in worth]
    return max(
        reversed(open_lines),
        key=lambda line: (line[0].strategy not in contract, max(change.cost for change in line)),
        default=None,
    )


def _faults(patch: Patch, composer: Composer) -> int | None:
    """Faults of output, loss and labels under a patch; None where they, or the patch, let nothing be trained."""
    try:
        return composer.faults(patch) if composer.sound(patch) else None
    except StaleChange:
        return None


def _measured(patch: Patch, worth: dict[tuple[Change, ...], float]) -> Patch:
    effects = {id(change): effect for line, effect in worth.items() for change in line}
    return Patch(tuple(replace(change, effect=effects.get(id(change))) for change in patch))


def cheapest(outcomes: Sequence[Outcome], tolerance: float, contract: Set[str]) -> Outcome | None:
    """Returns the smallest patch among the outcomes that are as good as the best one, within `tolerance`.

    Changes of the strategies named in `contract` are free: they mend faults that are there for certain.
    """

    def cost(patch: Patch) -> float:
        return Patch(tuple(change for change in patch if change.strategy not in contract)).cost

    done = [item for item in outcomes if item.status is Status.DONE and item.score is not None and item.patch]
    if not done:
        return None
    best = max(item.rank for item in done)
    good = [item for item in done if item.rank >= best - tolerance]
    return min(good, key=lambda item: (cost(item.patch), -item.rank))
