"""The search's study beyond its process: a journal file in the run folder, or a database."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import optuna
from optuna.storages.journal import BaseJournalBackend, JournalFileBackend

from autofix.errors import FixYourCall, TryLater, one_line
from autofix.store.urls import hidden, with_driver

# Put behind the name of a journal: what was cut off its end.
TORN = ".torn"


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
    on_trouble: Callable[[Exception], None] = lambda error: None
    _waiting: list[optuna.trial.FrozenTrial] = field(default_factory=list)

    @property
    def trials(self) -> list[optuna.trial.FrozenTrial]:
        """The finished trials, in their order. One that seems to run, of whoever, is told as failed."""
        for trial in self.study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
            self.study.tell(trial.number, state=optuna.trial.TrialState.FAIL, skip_if_finished=True)
        return self.study.get_trials(states=(optuna.trial.TrialState.COMPLETE,))

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
    """Returns the study of a journal file, which `optuna-dashboard` opens too.

    A last line that was not written to its end is cut off; its bytes are put behind those in a file beside it.

    Args:
        path: The journal; created if needed. This process must be the only one that runs trials in it.
        name: Name of the study; created if needed.

    Raises:
        FixYourCall: If the journal is corrupt before its last line.
        OSError: If it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _mend(path)
    try:
        storage = optuna.storages.JournalStorage(_Journal(path))
    except OSError:
        raise
    except Exception as error:  # whatever Optuna makes of records that nobody wrote
        raise _corrupt(path, f"where the records do not fit together ({one_line(error)})") from error
    return _study(storage, name)


def in_database(url: str, name: str) -> optuna.Study:
    """Returns the study of a database.

    Args:
        url: Such as ``postgresql://user:password@host/name``.
        name: Name of the study; created if needed.

    Raises:
        FixYourCall: If the address is wrong, or what talks to such a database is not installed.
        TryLater: If the database does not answer.
    """
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError

    shown = hidden(url)
    try:
        # A database that was restarted meanwhile is connected to again.
        storage = optuna.storages.RDBStorage(with_driver(url), engine_kwargs={"pool_pre_ping": True})
        return _study(storage, name)
    except (ArgumentError, NoSuchModuleError):
        raise FixYourCall(
            "`storage` must be the URL of a database, such as 'postgresql://user@host/name' or 'sqlite:///file.db'. "
            f"Received: {shown!r}."
        ) from None
    except ImportError as error:
        raise FixYourCall(
            f"`storage` needs a driver that is not installed. Received: {shown!r} ({error}). For PostgreSQL, "
            "`pip install 'keras-autofix[postgresql]'`."
        ) from None
    except Exception as error:  # whatever a driver raises, with the password in it or without
        reason = one_line(error).replace(url, shown).replace(with_driver(url), shown)
        raise TryLater(
            f"`storage` must answer. Received: {shown!r} ({reason}). Check that the database is up, and run this again."
        ) from None


def in_memory(trials: Iterable[optuna.trial.FrozenTrial]) -> optuna.Study:
    """Returns a study with these trials that depends on no file."""
    study = optuna.create_study(direction="maximize")
    study.add_trials(trials)
    return study


class _Journal(BaseJournalBackend):
    """A journal file that one process writes, so that it needs no lock that could outlive it.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = JournalFileBackend(str(path))

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        """Yields the records from a number on."""
        return self._file.read_logs(log_number_from)

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Writes records behind the others, all or none."""
        lines = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs)
        with self._path.open("ab") as file:
            size = file.tell()
            try:
                file.write(lines.encode())
                file.flush()
                os.fsync(file.fileno())
            except OSError:  # a full disk takes a part of a line
                os.truncate(self._path, size)
                raise


def _study(storage: optuna.storages.BaseStorage, name: str) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        return optuna.load_study(study_name=name, storage=storage)
    except KeyError:  # what only reads a study writes nothing
        return optuna.create_study(storage=storage, study_name=name, direction="maximize", load_if_exists=True)


def _mend(path: Path) -> None:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return
    end = data.rfind(b"\n") + 1
    for number, line in enumerate(data[:end].split(b"\n")[:-1], 1):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        if not isinstance(record, dict):
            raise _corrupt(path, f"line {number} is none")
    if end < len(data):
        with path.with_name(path.name + TORN).open("ab") as file:
            file.write(data[end:] + b"\n")
            file.flush()
            os.fsync(file.fileno())
        os.truncate(path, end)


def _corrupt(path: Path, what: str) -> FixYourCall:
    return FixYourCall(
        f"a journal must hold one record a line. Received: {path}, {what}. Rename that file and run this again: "
        "what was trained is in the folder `trials`, and the journal is written anew from it."
    )
