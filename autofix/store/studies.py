"""The search's study beyond its process: a journal file in the run folder, or a database."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import optuna

from autofix.errors import TryLater, one_line
from autofix.store import journal
from autofix.store.urls import hidden, with_driver

logger = logging.getLogger(__name__)

# What to do about a journal that is corrupt.
ANEW = (
    "Rename that file and run this again: what was trained is in the folder `trials`, and the journal is written anew "
    "from it."
)


def _warn(error: Exception) -> None:
    logger.warning(
        "A trial could not be written down; it is tried again with the next one. %s", hidden(one_line(error))
    )


@dataclass
class Shelf:
    """Keeps the finished trials of a search.

    Trials are written when they are finished, each in one go: whatever ends the process leaves none that seems to
    run, and the sampler is never asked to wait for the disk.

    Attributes:
        study: Where they are kept.
        on_trouble: Told when a trial could not be written down; it is tried again with the next one.
    """

    study: optuna.Study
    on_trouble: Callable[[Exception], None] = _warn
    _waiting: list[optuna.trial.FrozenTrial] = field(default_factory=list)

    @property
    def trials(self) -> list[optuna.trial.FrozenTrial]:
        """The finished trials, in their order. One that seems to run, of whoever, is told as failed."""
        for trial in self.study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
            self.study.tell(trial.number, state=optuna.trial.TrialState.FAIL, skip_if_finished=True)
        found = self.study.get_trials(states=(optuna.trial.TrialState.COMPLETE,))
        # One that was written, and of which the answer got lost with the connection, was written once more.
        return list({(trial.datetime_start, str(trial.params)): trial for trial in found}.values())

    def add(self, trial: optuna.trial.FrozenTrial) -> None:
        """Writes a finished trial down."""
        self._waiting.append(trial)
        try:
            while self._waiting:
                self.study.add_trial(self._waiting[0])
                del self._waiting[0]
        except Exception as error:  # whatever a file system or a database driver raises
            self.on_trouble(error)


def in_journal(path: Path, name: str) -> optuna.Study:
    """Returns the study of a journal file; see `journal.opened`.

    Args:
        path: The journal; created if needed. This process must be the only one that runs trials in it.
        name: Name of the study; created if needed.

    Raises:
        FixYourCall: If the journal is corrupt before its last line.
        OSError: If it cannot be written.
    """
    return _study(journal.opened(path, way_out=ANEW), name)


def in_database(url: str, name: str) -> optuna.Study:
    """Returns the study of a database.

    Args:
        url: Such as ``postgresql://user:password@host/name``.
        name: Name of the study; created if needed.

    Raises:
        FixYourCall: If the address is wrong, what talks to such a database is not installed, or it refuses.
        TryLater: If the database does not answer.
    """
    from autofix.store import databases  # SQLAlchemy takes a while

    databases.engine(url).dispose()
    try:
        # A database that was restarted meanwhile is connected to again.
        settings = {"pool_pre_ping": True, "connect_args": databases.connecting(url)}
        storage = optuna.storages.RDBStorage(with_driver(url), engine_kwargs=settings)
        return _study(storage, name)
    except Exception as error:  # whatever a driver raises
        refusal = databases.refusal(error, url)
        if refusal is not None:
            raise refusal from None  # the frames of the driver hold the address in full
        raise TryLater(
            f"`storage` must answer. Received: {hidden(url)!r} ({databases.reason(error)}). Check that the database is "
            "up, and run this again."
        ) from None


def in_memory(trials: Iterable[optuna.trial.FrozenTrial]) -> optuna.Study:
    """Returns a study with these trials that depends on no file."""
    study = optuna.create_study(direction="maximize")
    study.add_trials(trials)
    return study


def _study(storage: optuna.storages.BaseStorage, name: str) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        return optuna.load_study(study_name=name, storage=storage)
    except KeyError:  # what only reads a study writes nothing
        return optuna.create_study(storage=storage, study_name=name, direction="maximize", load_if_exists=True)
