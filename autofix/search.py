"""The search over candidates: first guesses in order of promise, then Optuna's TPE. The only owner of a study."""

from __future__ import annotations

import itertools
import logging
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import optuna

from autofix.change import Patch
from autofix.compose import GUESS, OFF, SEARCH, Composer
from autofix.outcome import Outcome, Status
from autofix.trainer import Progress, Trainer

logger = logging.getLogger(__name__)

# A candidate without a finite score is told to the sampler as this far below the worst finite one.
WORSE = 0.1
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
        good_enough: Score rank at which nothing better needs to be looked for.
        reserve: Seconds that proving a given candidate would take; they are kept free.
        outcomes: Everything trained, by trial number.
    """

    trainer: Trainer
    composer: Composer
    seed: int
    good_enough: float
    reserve: Callable[[Outcome], float] = lambda outcome: 0.0
    most_trials: int | None = None
    on_trial: Callable[[Outcome], None] = lambda outcome: None
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    _seen: dict[Patch, Outcome] = field(default_factory=dict)

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
        """The best finished candidate."""
        done = [outcome for outcome in self.outcomes.values() if outcome.status is Status.DONE and outcome.score]
        return max(done, key=lambda outcome: outcome.rank, default=None)

    def know(self, outcome: Outcome) -> None:
        """Takes in a run that was made before, so that it is not made again."""
        self._seen[outcome.patch] = outcome

    def guesses(self, plans: Sequence[Mapping[str, str]], deadline: float) -> None:
        """Trains first guesses in order; returns early when one is good enough or the time is up.

        Args:
            plans: Mode by strategy name, one mapping a candidate.
            deadline: In seconds of `time.monotonic`.
        """
        for plan in plans:
            if self._over(deadline):
                return
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
        enough = self.best is not None and self.best.rank >= self.good_enough
        full = self.most_trials is not None and len(self.outcomes) >= self.most_trials
        return enough or full or time.monotonic() + self._kept() >= deadline

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
            outcome = self._train(patch, trial, deadline, pruned)
            self._seen[patch] = outcome
            self.outcomes[trial.number] = outcome
            self.on_trial(outcome)
        return outcome

    def _train(self, patch: Patch, trial: optuna.Trial, deadline: float, pruned: bool) -> Outcome:
        if not self.composer.sound(patch):
            return Outcome(patch, 0, Status.FAILED, None, error="refused: output, loss and labels do not fit")
        best, reports = self.best, itertools.count()  # epochs come again with every division of small data

        def keep(progress: Progress) -> bool:
            trial.report(progress.rank, next(reports))
            if best is None or progress.fraction < FIRST_RUNG:
                return True
            curve = best.trace.epoch_scores if best.trace else ()
            at = int(progress.fraction * len(curve))
            return not curve or progress.rank > curve[min(at, len(curve) - 1)] - BEHIND * abs(best.rank)

        recipe = patch.apply(self.composer.case.recipe)
        return self.trainer.run(recipe, patch, deadline=deadline, probes=True, keep=keep if pruned else None)

    def _tell(self, trial: optuna.Trial, outcome: Outcome) -> None:
        trial.set_user_attr("status", outcome.status.name.lower())
        trial.set_user_attr("patch", outcome.patch.to_dict())
        trial.set_user_attr("seconds", outcome.seconds)
        if outcome.error:
            trial.set_user_attr("error", outcome.error)
        finite = [item.score.value for item in self.outcomes.values() if item.score is not None]
        worst = min(finite, default=0.0) - WORSE
        if outcome.score is None or outcome.status is Status.FAILED:
            self.study.tell(trial, worst)
        else:
            self.study.tell(trial, max(outcome.rank, worst))
