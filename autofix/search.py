"""The search over candidates: first guesses in order of promise, then Optuna's TPE. The only owner of a study."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import optuna

from autofix.change import Patch
from autofix.compose import GUESS, OFF, SEARCH, Composer
from autofix.outcome import Outcome, Status
from autofix.scoring import Score
from autofix.training import Bar, Trains

logger = logging.getLogger(__name__)

# A candidate without a finite score is told to the sampler as this far below the worst finite one.
WORSE = 0.1
# Seeds that a candidate has to hold up with before the search ends with it; they serve the minimising too.
VERIFYING = (1, 2)
# A drawn candidate may be dropped from this share of its epochs on.
FIRST_RUNG = 1 / 3
# ... if it is behind the best candidate's own curve at that point by this share of the best score.
BEHIND = 0.25


@dataclass
class Search:
    """Owns the Optuna study of one repair.

    Attributes:
        trainer: Trains candidates.
        composer: Turns choices into patches.
        seed: Seed of the sampler.
        enough: Whether nothing better than a candidate needs to be looked for.
        reserve: Seconds that proving a given candidate would take; they are kept free.
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
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    settled: Outcome | None = None
    _seen: dict[Patch, Outcome] = field(default_factory=dict)
    _planned: set[tuple[tuple[str, str], ...]] = field(default_factory=set)

    def __post_init__(self) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            self.study = optuna.create_study(
                direction="maximize",
                sampler=optuna.samplers.TPESampler(seed=self.seed, n_startup_trials=5),
                pruner=optuna.pruners.NopPruner(),
            )

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
        for number, outcome in sorted(done, key=lambda item: -item[1].rank)[:most]:
            if self._over(deadline):
                return
            recipe = outcome.patch.apply(self.composer.case.recipe)
            longer = self.trainer.run(recipe, outcome.patch, deadline=deadline - self._kept(), probes=True)
            if longer.status is Status.CUT:
                return
            self._take(number, longer, deadline)

    def guesses(self, plans: Sequence[Mapping[str, str]], deadline: float) -> None:
        """Trains first guesses in order, none twice; returns early when one is enough or the time is up.

        Args:
            plans: Mode by strategy name, one mapping a candidate.
            deadline: In seconds of `time.monotonic`.
        """
        for plan in plans:
            if self._over(deadline):
                return
            key = tuple(sorted(plan.items()))
            if key in self._planned:
                continue
            self._planned.add(key)
            self.study.enqueue_trial(
                {f"{strategy.name}.use": plan.get(strategy.name, OFF) for strategy in self.composer.strategies}
            )
            self._one(deadline - self._kept(), pruned=False)

    def draws(self, deadline: float, patience: int) -> None:
        """Lets TPE draw candidates until `patience` in a row were no better, or the time is up."""
        idle, best = 0, self.best.rank if self.best else float("-inf")
        while idle < patience and not self._over(deadline):
            self._one(deadline - self._kept(), pruned=True)
            found = self.best.rank if self.best else float("-inf")
            idle = 0 if found > best + 1e-4 else idle + 1
            best = max(best, found)

    def _over(self, deadline: float) -> bool:
        full = self.most_trials is not None and len(self.outcomes) >= self.most_trials
        return self.settled is not None or full or time.monotonic() + self._kept() >= deadline

    def _kept(self) -> float:
        return self.reserve(self.best) if self.best is not None else 0.0

    def _one(self, deadline: float, *, pruned: bool) -> None:
        trial = self.study.ask()
        try:
            outcome = self._outcome(trial, deadline, pruned)
        except BaseException:  # Ctrl-C: the study that is handed over has no trial that still runs
            self.study.tell(trial, state=optuna.trial.TrialState.FAIL)
            raise
        self._tell(trial, outcome)

    def _outcome(self, trial: optuna.Trial, deadline: float, pruned: bool) -> Outcome:
        modes = {
            strategy.name: trial.suggest_categorical(f"{strategy.name}.use", [OFF, GUESS, SEARCH])
            for strategy in self.composer.strategies
        }
        patch = self.composer.patch(modes, trial)
        outcome = self._seen.get(patch)
        if outcome is None:
            outcome = self._take(trial.number, self._train(patch, deadline, pruned), deadline)
        return outcome

    def _take(self, number: int, outcome: Outcome, deadline: float) -> Outcome:
        """Takes in a finished run; one that is enough is tried with other seeds, unless only the proof is left."""
        self.on_trial(outcome)
        if outcome.status is Status.DONE and self.enough(outcome):
            if len(outcome.patch.lines) > 1:
                outcome = self._verified(outcome, deadline)
            else:
                self.settled = outcome
        self._seen[outcome.patch] = self.outcomes[number] = outcome
        return outcome

    def _verified(self, outcome: Outcome, deadline: float) -> Outcome:
        """Runs a promising candidate with other seeds: it counts for what it gives on average."""
        recipe, scores = outcome.patch.apply(self.composer.case.recipe), [outcome.score]
        for seed in VERIFYING:
            if time.monotonic() + outcome.again >= deadline:
                break
            again = self.trainer.run(recipe, outcome.patch, seed=seed, deadline=deadline)
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

    def _tell(self, trial: optuna.Trial, outcome: Outcome) -> None:
        for number, rank in enumerate(outcome.trace.epoch_scores if outcome.trace else ()):
            trial.report(rank, number)  # by number: epochs come again with every division of small data
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
        if outcome.score is None or outcome.status is Status.FAILED:
            self.study.tell(trial, worst)
        else:
            self.study.tell(trial, max(outcome.rank, worst))
