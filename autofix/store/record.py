"""`Record`: the run folder of a repair under way."""

from __future__ import annotations

import contextlib
import datetime
import logging
import os
import socket
import threading
import uuid
from collections.abc import Iterator
from typing import Any

from autofix.budget import Clock
from autofix.errors import FixYourCall, one_line
from autofix.exits import Exit
from autofix.result import RepairResult
from autofix.store import folder as names
from autofix.store import results
from autofix.store.folder import FAILED, FINISHED, INTERRUPTED, RUNNING, RunFolder
from autofix.store.inputs import Inputs
from autofix.store.ledger import Ledger
from autofix.store.recorded import Recorded
from autofix.store.studies import Shelf, in_database, in_journal
from autofix.store.urls import hidden
from autofix.training import Trains

logger = logging.getLogger(__name__)

FORMAT = 1
# Seconds between two notes of the time that was spent: what a killed process spent since the last one is not counted.
BEAT = 5.0


class Record:
    """Writes down what a repair does, so that it can go on in another process.

    A disk that fills up meanwhile, or a database that goes away, costs what could not be written down and nothing
    else: `trouble` says so, and the repair goes on.

    Args:
        folder: The run folder; held by this process.
        inputs: What the repair is asked for.
        storage: URL of the database that keeps the study; None for a journal in the folder.

    Attributes:
        folder: The run folder.
        ledger: Every finished run of the trainer.
        shelf: Every finished trial of the search.
        trouble: What could not be written down, as sentences.

    Raises:
        FixYourCall: If the folder belongs to a repair with other inputs, is corrupt or cannot be written.
        TryLater: If the database does not answer.
    """

    def __init__(self, folder: RunFolder, inputs: Inputs, storage: str | None = None) -> None:
        self.folder = folder
        before = folder.run_document()
        if before:
            inputs.check(before, str(folder.path))
        identity = str(before.get("id") or uuid.uuid4().hex[:12])
        self.spent = float(before.get("seconds") or 0.0)
        self._document: dict[str, Any] = {
            "format": FORMAT,
            "id": identity,
            "state": RUNNING,
            "exit": None,
            "error": None,
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "started": before.get("started") or _now(),
            "resumed": [*(before.get("resumed") or ()), *([_now()] if before else ())],
            "ended": None,
            "seconds": self.spent,
            "study": before.get("study") or f"{folder.path.name}-{identity}",
            "storage": None if storage is None else hidden(storage),
            "seed": inputs.settings.get("seed"),
            **inputs.to_dict(),
        }
        self.trouble: list[str] = []
        self._lock = threading.Lock()
        try:
            folder.tidy()
            folder.write_run(self._document)
            self.ledger = Ledger(folder / names.TRIALS)
            name = self._document["study"]
            study = in_journal(folder / names.JOURNAL, name) if storage is None else in_database(storage, name)
        except OSError as error:
            raise FixYourCall(
                f"`out` must be a folder that can be written. Received: {folder.path} ({error}). Make room there, or "
                "choose another folder."
            ) from error
        self.shelf = Shelf(study, self._in_trouble)

    def trainer(self, trainer: Trains, clock: Clock) -> Recorded:
        """Returns a trainer that makes no run twice; the time that was spent before is taken off the clock."""
        self.spent = max([self.spent, *(entry.ended for entry in self.ledger)])
        return Recorded(trainer, self.ledger, clock, self.spent, self._in_trouble)

    @contextlib.contextmanager
    def running(self, clock: Clock) -> Iterator[None]:
        """Notes the time that is spent while the block runs, and how it ends if it ends badly."""
        stop = threading.Event()
        beat = threading.Thread(target=self._beat, args=(stop, clock), name="autofix-record", daemon=True)
        beat.start()
        try:
            yield
        except Exception as error:
            self._end(FAILED, clock.spent, None, one_line(error))
            raise
        except BaseException as error:  # Ctrl-C, or a signal that was made an exception
            code = error.code if isinstance(error, SystemExit) and isinstance(error.code, int) else Exit.INTERRUPTED
            self._end(INTERRUPTED, clock.spent, code)
            raise
        finally:
            stop.set()
            beat.join()

    def finish(self, result: RepairResult, *, interrupted: bool) -> RepairResult:
        """Writes the result down; returns it with a note on whatever could not be written."""
        try:
            results.write(result, self.folder)
        except OSError as error:
            self.trouble.append(
                f"the result could not be written to {self.folder.path} ({error}): make room and run this again, or "
                "call `result.save` with another folder"
            )
        else:
            code = Exit.INTERRUPTED if interrupted else result.exit
            self._end(INTERRUPTED if interrupted else FINISHED, result.seconds, code)
        return result.noted(self.trouble)

    def _in_trouble(self, error: Exception) -> None:
        logger.debug("not written down", exc_info=error)
        sentence = (
            f"not everything could be written to {self.folder.path} ({hidden(one_line(error))}): what was finished "
            "before is still there, and the result is complete; had the repair been interrupted, some runs would have "
            "to be made again"
        )
        if sentence not in self.trouble:
            self.trouble.append(sentence)

    def _end(self, state: str, seconds: float, code: int | None, error: str | None = None) -> None:
        ended = {"state": state, "exit": None if code is None else int(code), "ended": _now(), "error": error}
        self._save({**ended, "seconds": max(self.spent, seconds)})

    def _beat(self, stop: threading.Event, clock: Clock) -> None:
        while not stop.wait(BEAT):
            self._save({"seconds": max(self.spent, clock.spent)})

    def _save(self, changes: dict[str, Any]) -> None:
        with self._lock:
            self._document.update(changes)
            try:
                self.folder.write_run(self._document)
            except OSError as error:
                self._in_trouble(error)


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
