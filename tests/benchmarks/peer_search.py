"""The tuners: Optuna's TPE, random search and KerasTuner's Hyperband on one space, and the control that trains longer.

Each begins with the author's own settings, takes the rest of the time for candidates of its own, and is free to stop a
training early. Where the author's settings lie inside the space the tuner is told how they did.
"""

from __future__ import annotations

import contextlib
import math
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import optuna

from .peer_curve import MULTIPLES
from .peer_program import Program, Settings
from .peer_race import MOST_CRASHES, Epoch, Race, Trial, Watch
from .peer_space import Space

# Ten multiples are ten to thirty trainings: with the default of ten random ones TPE would hardly begin.
STARTUP_TRIALS = 5
# Of the author's epochs: before, a training with a warm start looks better than one that ends better.
WARMUP_SHARE = 0.25
# Longest training that Hyperband may be given, in the author's epochs; the space of the others ends there too.
LONGEST = (5.0, 3.0, 2.0, 1.0)
FACTOR = 3
# More epochs than any budget holds.
ENDLESS = 1_000_000


@dataclass(frozen=True)
class OptunaDraws:
    """Draws from an Optuna trial."""

    trial: optuna.Trial

    def choice(self, name: str, options: Sequence[Any]) -> Any:
        """One of some options."""
        return self.trial.suggest_categorical(name, options)

    def rate(self, name: str, low: float, high: float) -> float:
        """A number on a logarithmic scale."""
        return self.trial.suggest_float(name, low, high, log=True)

    def count(self, name: str, low: int, high: int) -> int:
        """A whole number on a logarithmic scale."""
        return self.trial.suggest_int(name, low, high, log=True)


@dataclass(frozen=True)
class TunerDraws:
    """Draws from KerasTuner's hyperparameters."""

    values: Any

    def choice(self, name: str, options: Sequence[Any]) -> Any:
        """One of some options."""
        return self.values.Choice(name, list(options))

    def rate(self, name: str, low: float, high: float) -> float:
        """A number on a logarithmic scale."""
        return float(self.values.Float(name, low, high, sampling="log"))

    def count(self, name: str, low: int, high: int) -> int:
        """A whole number on a logarithmic scale."""
        return int(self.values.Int(name, low, high, sampling="log"))


def tpe(race: Race, program: Program, space: Space) -> None:
    """Optuna with its defaults, a short start-up, and a median pruner that sees the score of every epoch."""
    sampler = optuna.samplers.TPESampler(seed=race.seed, n_startup_trials=STARTUP_TRIALS)
    warmup = round(WARMUP_SHARE * program.epochs)
    _ask_and_tell(race, program, space, sampler, optuna.pruners.MedianPruner(STARTUP_TRIALS, warmup))


def random_search(race: Race, program: Program, space: Space) -> None:
    """Independent draws from the space, each trained to its end."""
    _ask_and_tell(race, program, space, optuna.samplers.RandomSampler(seed=race.seed), optuna.pruners.NopPruner())


def _ask_and_tell(
    race: Race, program: Program, space: Space, sampler: optuna.samplers.BaseSampler, pruner: optuna.pruners.BasePruner
) -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner)
    point = space.point(program.author)
    if point is None:
        race.train(program, Settings())
    else:
        study.enqueue_trial(point)
        first = study.ask()
        space.draw(OptunaDraws(first))
        _run(race, program, Settings(), study, first)
    while not race.over:
        trial = study.ask()
        _run(race, program, space.draw(OptunaDraws(trial)), study, trial)


def _run(race: Race, program: Program, settings: Settings, study: optuna.Study, trial: optuna.Trial) -> None:
    pruned = []

    def stop(epoch: Epoch) -> bool:
        trial.report(epoch.score, epoch.number)
        if trial.should_prune():
            pruned.append(epoch.number)
        return bool(pruned)

    result = race.train(program, settings, stop)
    if pruned:
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    else:
        study.tell(trial, result.score)


def hyperband(race: Race, program: Program, space: Space) -> None:
    """KerasTuner's Hyperband: many short trainings, the best third of them continued, and so on.

    Epochs are its own to decide. The longest training is the longest for which its first bracket fits into the time
    that is left, judged by what the author's settings took; with more, it would never come to continue any. It goes on
    with further brackets until the time is up.
    """
    import keras_tuner

    first = race.train(program, Settings())
    left = race.seconds - race.clock.seconds
    longest = longest_training(program.epochs, first, race.seconds / MULTIPLES[-1], left)

    time_is_up = contextlib.suppress(keras_tuner.errors.FatalError)

    class Candidates(keras_tuner.HyperModel):
        """Builds and fits what the tuner draws."""

        def build(self, hp: Any) -> keras.Model:
            if race.over:
                raise keras_tuner.errors.FatalError("The time is up.")
            keras.utils.set_random_seed(race.seed * 10_000 + race.trials)
            return program.build(space.draw(TunerDraws(hp), epochs=False))

        def fit(self, hp: Any, model: keras.Model, *args: Any, callbacks: Any = (), **kwargs: Any) -> dict[str, float]:
            race.trials += 1
            watch = Watch(race)
            try:
                model.fit(
                    *args, batch_size=hp.get("batch_size"), callbacks=[watch, *callbacks], **program.fit, **kwargs
                )
            except Exception as error:  # whatever a combination of settings makes Keras raise
                race.crash(error)
                return {"val_score": race.floor}
            return {"val_score": watch.best}

    with tempfile.TemporaryDirectory(prefix="autofix-hyperband-") as folder, _silence(), time_is_up:
        tuner = keras_tuner.Hyperband(
            Candidates(),
            objective=keras_tuner.Objective("val_score", "max"),
            max_epochs=longest,
            factor=FACTOR,
            hyperband_iterations=ENDLESS,
            seed=race.seed,
            directory=folder,
            project_name="peer",
            overwrite=True,
            max_consecutive_failed_trials=MOST_CRASHES,
        )
        tuner.search(*race.parts.fit, verbose=0)


def longest_training(author_epochs: int, first: Trial, run_seconds: float, seconds: float) -> int:
    """The most epochs for which the first bracket of Hyperband takes no more than some seconds; else the least.

    Args:
        author_epochs: Epochs of the author's program.
        first: How the author's settings went.
        run_seconds: Seconds of the author's whole run, for an epoch's share if `first` ended after one.
        seconds: The time there is.
    """
    later = run_seconds / author_epochs
    if first.epochs > 1:
        later = (first.seconds - first.first_epoch_seconds) / (first.epochs - 1)
    choices = [max(2, round(multiple * author_epochs)) for multiple in LONGEST]
    fitting = [most for most in choices if bracket_seconds(most, first.first_epoch_seconds, later) <= seconds]
    return max(fitting, default=min(choices))


def bracket_seconds(longest: int, start: float, epoch: float) -> float:
    """What the first bracket takes: in each round a `FACTOR`th of the trainings goes on, `FACTOR` times as long.

    The sizes are those of `HyperbandOracle`. Each round builds its models again.

    Args:
        longest: Epochs of the last round.
        start: Seconds of building a model and training it for one epoch.
        epoch: Seconds of every further epoch.
    """
    rounds = 0
    while longest >= FACTOR**rounds:
        rounds += 1
    total, before = 0.0, 0
    for left in reversed(range(rounds)):
        size = math.ceil(_most_rounds(longest) / rounds * FACTOR**left)
        until = math.ceil(longest / FACTOR**left)
        total += size * (start + epoch * (until - before - 1))
        before = until
    return total


def _most_rounds(longest: int) -> int:
    return math.ceil(1 + math.log(longest, FACTOR))


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):  # noqa: PTH123
        yield


def longer(race: Race, program: Program, model: keras.Model) -> None:
    """The control: the author's own model, trained on for as long as there is time."""
    race.start()
    try:
        model.fit(
            *race.parts.fit,
            epochs=ENDLESS,
            batch_size=program.batch_size,
            callbacks=[Watch(race)],
            verbose=0,
            **program.fit,
        )
    except Exception as error:  # a program that crashes does so however long it is trained
        race.crash(error)
