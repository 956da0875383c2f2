"""`Journal`: a study in a file, one record a line, that no death of a writer and no full disk makes unreadable."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import filelock
import optuna
from optuna.storages.journal import BaseJournalBackend, JournalFileBackend

from autofix.errors import FixYourCall, one_line

# Put behind the name of a journal: what was cut off its end, and the lock of those who share it. Optuna's own lock is
# a file that outlives a writer who is killed, and that the others then wait for.
TORN, LOCK = ".torn", ".writers"
# Seconds to wait for other writers; each takes milliseconds, on a slow disk a second.
LONGEST_WAIT = 60.0


def opened(path: Path, *, way_out: str, shared: bool = False) -> optuna.storages.JournalStorage:
    """Opens a journal, which `optuna-dashboard` opens too.

    A last line that was not written to its end is cut off; its bytes are put behind those in a file beside it.

    Args:
        path: The journal; created if needed.
        way_out: What to do about a journal that is corrupt, as the end of a message.
        shared: Whether other processes may write it at the same time.

    Raises:
        FixYourCall: If the journal is corrupt before its last line.
        OSError: If it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # In full: what is opened later is this file, wherever the process is by then.
    journal = _Journal(path.absolute(), shared=shared)
    number = journal.mend()
    if number is not None:
        raise _corrupt(path, f"line {number} is none", way_out)
    try:
        return optuna.storages.JournalStorage(journal)
    except OSError:
        raise
    except Exception as error:  # whatever Optuna makes of records that nobody wrote
        raise _corrupt(path, f"where the records do not fit together ({one_line(error)})", way_out) from error


class _Journal(BaseJournalBackend):
    """The file, as Optuna asks for it.

    Args:
        path: The file.
        shared: Whether other processes may write it at the same time.
    """

    def __init__(self, path: Path, *, shared: bool) -> None:
        self._path = path
        self._shared = shared
        self._file = JournalFileBackend(str(path))

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        """Yields the records from a number on."""
        return self._file.read_logs(log_number_from)

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Writes records behind the others, all or none."""
        lines = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs)
        with self._alone():
            if self._shared and _is_torn(self._path):  # another writer was killed since
                _cut(self._path)
            with self._path.open("ab") as file:
                size = file.tell()
                try:
                    file.write(lines.encode())
                    file.flush()
                    os.fsync(file.fileno())
                except OSError:  # a full disk takes a part of a line
                    os.truncate(self._path, size)
                    raise

    def mend(self) -> int | None:
        """Cuts a torn end off; returns the number of the first line that is no record, None if all are."""
        with self._alone():
            data = self._path.read_bytes()
            for number, line in enumerate(data.split(b"\n")[:-1], 1):
                if not _is_record(line):
                    return number
            if not data.endswith(b"\n") and data:
                _cut(self._path)
        return None

    def _alone(self) -> contextlib.AbstractContextManager[object]:
        if not self._shared:
            return contextlib.nullcontext()
        # The system takes the lock from who dies. A new object each time: threads wait for each other too.
        return filelock.FileLock(f"{self._path}{LOCK}", timeout=LONGEST_WAIT, thread_local=False)


def _is_torn(path: Path) -> bool:
    with path.open("rb") as file:
        if not file.seek(0, os.SEEK_END):
            return False
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"


def _cut(path: Path) -> None:
    data = path.read_bytes()
    end = data.rfind(b"\n") + 1
    with path.with_name(path.name + TORN).open("ab") as file:
        file.write(data[end:] + b"\n")
        file.flush()
        os.fsync(file.fileno())
    os.truncate(path, end)


def _is_record(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _corrupt(path: Path, what: str, way_out: str) -> FixYourCall:
    return FixYourCall(f"a journal must hold one record a line. Received: {path}, {what}. {way_out}")
