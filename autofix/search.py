"""The search over candidates: first guesses in order of promise, then Optuna's TPE. The only owner of a study."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import optuna

from autofix.change import Patch
from autofix.compose import GUESS, OFF, SEARCH, Composer
from autofix.outcome import Outcome, Status
from autofix.scoring import Score
from autofix.shelf import Shelf
from autofix.training import Bar, Trains, in_turn

logger = logging.getLogger(__name__)

# A candidate without a finite score is told to the sampler as this far below the worst finite one.
WORSE = 0.1
# Seeds that a candidate has to hold up with before the search ends with it; they serve the minimising too.
VERIFYING = (1, 2)
# A drawn candidate may be dropped from this share of its epochs on.
FIRST_RUNG = 1 / 3
# ... if it is behind the best candidate's own curve at that point by this share of the best score.
BEHIND = 0.25
# Modes by strategy name; None leaves them to the sampler.
Plan = Mapping[str, str] | None


@dataclass(frozen=True)
class Asked:
    """A candidate to train.

    Attributes:
        number: Number of its trial.
        patch: The candidate.
        trial: The trial that is told of it; None for one that was told in an earlier process.
    """

    number: int
    patch: Patch
    trial: optuna.Trial | None


@dataclass
class Search:
    """Owns the Optuna study of one repair.

    Attributes:
        trainer: Trains candidates.
        composer: Turns choices into patches.
        seed: Seed of the sampler.
        enough: Whether nothing better than a candidate needs to be looked for.
        reserve: Seconds that proving a given candidate would take; they are kept free.
        most_trials: Candidates to train at most; None for no bound.
        on_trial: Told of every run.
        now: Tells the time that deadlines are held against.
        slots: Candidates that are trained at the same time.
        shelf: Keeps the trials; None to forget them with the process.
        outcomes: Everything trained, by trial number.
        settled: The candidate that was enough, for as long as it is.
    """

    trainer: Trains
    composer: Composer
    seed: int
    enough: Callable[[Outcome], bool]
    reserve: Callable[[Outcome], float] = lambda outcome: 0.0
    most_trials: int | None = None
    on_trial: Callable[[Outcome], None] = lambda outcome: None
    now: Callable[[], float] = time.monotonic
    slots: int = 1
    shelf: Shelf | None = None
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    settled: Outcome | None = None
    _seen: dict[Patch, Outcome] = field(default_factory=dict)
    _planned: set[tuple[tuple[str, str], ...]] = field(default_factory=set)
    _asked: int = 0

    def __post_init__(self) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.study = optuna.create_study(
            direction="maximize", sampler=_sampler(self.seed, 0), pruner=optuna.pruners.NopPruner()
        )
        self._left = list(self.shelf.trials) if self.shelf is not None else []

    @property
    def best(self) -> Outcome | None:
        """The best candidate of those that were trained the longest share of their run."""
        done = [outcome for outcome in self.outcomes.values() if outcome.status is Status.DONE and outcome.score]
        longest = max((outcome.share for outcome in done), default=0.0)
        done = [outcome for outcome in done if outcome.share == longest]
        return max(done, key=lambda outcome: outcome.rank, default=None)

    def know(self, outcome: Outcome) -> None:
        """Takes in a run that was made before, so that it is not made again."""
        self._seen[outcome.patch] = outcome

    def demote(self, patch: Patch, score: float) -> None:
        """Takes in that a candidate did worse in the proof than in the search: it counts for no more than that."""
        for number, outcome in self.outcomes.items():
            if outcome.patch == patch and outcome.score is not None and outcome.rank > score:
                self.outcomes[number] = replace(outcome, score=replace(outcome.score, value=score, tie=0.0))
        if self.settled is not None and self.settled.patch == patch:
            self.settled = None

    def promote(self, most: int, deadline: float) -> None:
        """Trains the best candidates again, as long as the trainer's rung says now."""
        done = [item for item in self.outcomes.items() if item[1].status is Status.DONE and item[1].score]
        best = sorted(done, key=lambda item: -item[1].rank)[:most]

        def calls() -> Iterator[Callable[[], Outcome]]:
            for _, outcome in best:
                if self._over(deadline):
                    return
                recipe = outcome.patch.apply(self.composer.case.recipe)
                until = deadline - self._kept()
                yield partial(self.trainer.run, recipe, outcome.patch, deadline=until, probes=True)

        longer = in_turn(self.trainer, calls(), self.slots)
        for (number, _), outcome in zip(best, longer, strict=False):
            if outcome.status is Status.CUT:
                return
            self._take(number, outcome, deadline)

    def guesses(self, plans: Sequence[Mapping[str, str]], deadline: float) -> None:
        """Trains first guesses in order, none twice; returns early when one is enough or the time is up.

        Args:
            plans: Mode by strategy name, one mapping a candidate.
            deadline: In seconds of `now`.
        """
        left = list({tuple(sorted(plan.items())): plan for plan in plans}.items())
        while not self._over(deadline):
            left = [(key, plan) for key, plan in left if key not in self._planned]
            now = left[: self._room()]
            if not now:
                return
            self._planned.update(key for key, _ in now)
            self._several([plan for _, plan in now], deadline - self._kept())

    def draws(self, deadline: float, patience: int) -> None:
        """Lets TPE draw candidates until `patience` in a row were no better, or the time is up."""
        idle, best = 0, self.best.rank if self.best else float("-inf")
        while idle < patience and not self._over(deadline):
            drawn = min(self._room(), patience - idle)
            self._several([None] * drawn, deadline - self._kept())
            found = self.best.rank if self.best else float("-inf")
            idle = 0 if found > best + 1e-4 else idle + drawn
            best = max(best, found)

    def _over(self, deadline: float) -> bool:
        return self.settled is not None or self._room() < 1 or self.now() + self._kept() >= deadline

    def _kept(self) -> float:
        return self.reserve(self.best) if self.best is not None else 0.0

    def _room(self) -> int:
        """How many candidates may be trained at the same time now."""
        return self.slots if self.most_trials is None else min(self.slots, self.most_trials - len(self.outcomes))

    def _several(self, plans: Sequence[Plan], deadline: float) -> None:
        """Trains one candidate a plan, all at the same time, and takes them in in their order."""
        asked: list[Asked] = []
        told = 0
        try:
            asked.extend(map(self._ask, plans))
            unseen = list(dict.fromkeys(item.patch for item in asked if item.patch not in self._seen))
            calls = [partial(self._train, patch, deadline, plans[0] is None) for patch in unseen]
            trained = dict(zip(unseen, in_turn(self.trainer, calls, self.slots), strict=True))
            for item, plan in zip(asked, plans, strict=True):
                outcome = self._seen.get(item.patch)
                if outcome is None:
                    outcome = self._take(item.number, trained[item.patch], deadline)
                if item.trial is not None:
                    self._tell(item.trial, outcome, "draw" if plan is None else "guess")
                told += 1
        except BaseException:  # Ctrl-C: the study that is handed over has no trial that still runs
            for item in asked[told:]:
                if item.trial is not None:
                    self.study.tell(item.trial, state=optuna.trial.TrialState.FAIL)
            raise

    def _ask(self, plan: Plan) -> Asked:
        self._asked += 1
        known = self._recall(plan)
        if known is not None:
            return known
        # By number, so that a search that goes on in another process draws what it would have drawn in this one.
        self.study.sampler = _sampler(self.seed, self._asked)
        if plan is not None:
            self.study.enqueue_trial(self._uses(plan))
        trial = self.study.ask()
        try:
            modes = {
                strategy.name: trial.suggest_categorical(f"{strategy.name}.use", [OFF, GUESS, SEARCH])
                for strategy in self.composer.strategies
            }
            return Asked(trial.number, self.composer.patch(modes, trial), trial)
        except BaseException:
            self.study.tell(trial, state=optuna.trial.TrialState.FAIL)
            raise

    def _recall(self, plan: Plan) -> Asked | None:
        """Returns the candidate that an interrupted search has trained at this point; None where there is none."""
        kind = "draw" if plan is None else "guess"
        for place, kept in enumerate(self._left):
            uses = {key: value for key, value in kept.params.items() if key.endswith(".use")}
            if kept.user_attrs.get("asked") != kind or (plan is not None and uses != self._uses(plan)):
                continue
            modes = {key.removesuffix(".use"): value for key, value in uses.items()}
            composer = replace(self.composer, failed=dict(self.composer.failed))
            patch = composer.patch(modes, optuna.trial.FixedTrial(kept.params))
            if patch.to_dict() != kept.user_attrs.get("patch"):
                return None
            del self._left[place]
            self.composer.failed.update(composer.failed)
            self.study.add_trial(kept)
            return Asked(len(self.study.get_trials(deepcopy=False)) - 1, patch, None)
        return None

    def _uses(self, plan: Mapping[str, str]) -> dict[str, str]:
        return {f"{strategy.name}.use": plan.get(strategy.name, OFF) for strategy in self.composer.strategies}

    def _take(self, number: int, outcome: Outcome, deadline: float) -> Outcome:
        """Takes in a finished run; one that is enough is tried with other seeds, unless only the proof is left."""
        self.on_trial(outcome)
        if self.settled is None and outcome.status is Status.DONE and self.enough(outcome):
            if len(outcome.patch.lines) > 1:
                outcome = self._verified(outcome, deadline)
            else:
                self.settled = outcome
        self._seen[outcome.patch] = self.outcomes[number] = outcome
        return outcome

    def _verified(self, outcome: Outcome, deadline: float) -> Outcome:
        """Runs a promising candidate with other seeds: it counts for what it gives on average."""
        recipe, scores = outcome.patch.apply(self.composer.case.recipe), [outcome.score]
        once = outcome.again

        def calls() -> Iterator[Callable[[], Outcome]]:
            for seed in VERIFYING:
                if self.now() + once >= deadline:
                    return
                yield partial(self.trainer.run, recipe, outcome.patch, seed=seed, deadline=deadline)

        for again in in_turn(self.trainer, calls(), self.slots):
            if again.status is Status.CUT:
                break
            self.on_trial(again)
            scores.append(again.score)
            if again.status is not Status.DONE or again.score is None:
                return replace(outcome, status=again.status, score=again.score, error=again.error)
            outcome = replace(outcome, score=Score.mean([score for score in scores if score is not None]))
            if not self.enough(outcome):
                return outcome
        self.settled = outcome
        return outcome

    def _train(self, patch: Patch, deadline: float, pruned: bool) -> Outcome:
        if not self.composer.sound(patch):
            return Outcome(patch, 0, Status.FAILED, None, error="refused: output, loss and labels do not fit")
        best = self.best if pruned else None
        curve = best.trace.epoch_scores if best and best.trace else ()
        bar = Bar(FIRST_RUNG, curve, BEHIND * abs(best.rank)) if best else Bar(FIRST_RUNG)
        recipe = patch.apply(self.composer.case.recipe)
        return self.trainer.run(recipe, patch, deadline=deadline, probes=True, keep=bar)

    def _tell(self, trial: optuna.Trial, outcome: Outcome, asked: str) -> None:
        for number, rank in enumerate(outcome.trace.epoch_scores if outcome.trace else ()):
            trial.report(rank, number)  # by number: epochs come again with every division of small data
        trial.set_user_attr("asked", asked)
        trial.set_user_attr("status", outcome.status.name.lower())
        trial.set_user_attr("patch", outcome.patch.to_dict())
        trial.set_user_attr("seconds", outcome.seconds)
        trial.set_user_attr("engine", outcome.engine)
        if outcome.reason:
            trial.set_user_attr("reason", outcome.reason)
        if outcome.error:
            trial.set_user_attr("error", outcome.error)
        finite = [item.score.value for item in self.outcomes.values() if item.score is not None]
        worst = min(finite, default=0.0) - WORSE
        unscored = outcome.score is None or outcome.status is Status.FAILED
        told = self.study.tell(trial, worst if unscored else max(outcome.rank, worst))
        if self.shelf is not None:
            self.shelf.add(told)


def _sampler(seed: int, number: int) -> optuna.samplers.BaseSampler:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        own = int(np.random.SeedSequence((seed, number)).generate_state(1)[0])
        return optuna.samplers.TPESampler(seed=own, n_startup_trials=5)
