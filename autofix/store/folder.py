"""`RunFolder`: what is in the folder of one repair, read and written without TensorFlow."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock

from autofix import files
from autofix.change import Patch
from autofix.errors import FixYourCall, TryLater
from autofix.outcome import Outcome
from autofix.store import curves
from autofix.store.ledger import Ledger
from autofix.store.stopped import INTERRUPTED as INTERRUPTED
from autofix.store.stopped import RUN as RUN

MODEL = "repaired.keras"
PATCH = "patch.yaml"
CHANGE_LOG = "change_log.md"
CHANGES = "change_log.json"
DIAGNOSIS = "diagnosis.json"
METRICS = "metrics.json"
HISTORY = "history.csv"
JOURNAL = "optuna.journal"
TRIALS = "trials"
LOCK = "run.lock"

RUNNING, FINISHED, FAILED = "running", "finished", "failed"
STATES = (RUNNING, FINISHED, INTERRUPTED, FAILED)
# Seconds to wait for a lock: whoever only looks holds it for a moment.
PATIENCE = 2.0


@dataclass(frozen=True)
class RunFolder:
    """The folder of one repair.

    Every file in it is written whole or not at all, so that it can be read at any time, by any number of readers.

    Attributes:
        path: Where it is. It need not be there yet.
    """

    path: Path

    @classmethod
    def at(cls, path: str | os.PathLike[str]) -> RunFolder:
        """Returns the folder at a path, links and ``~`` resolved."""
        return cls(Path(path).expanduser().resolve())

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    @property
    def ledger(self) -> Ledger:
        """Every finished run of the trainer, for readers: nothing is moved or written."""
        return Ledger(self.path / TRIALS, is_own=False)

    def run_document(self) -> dict[str, Any]:
        """Returns `run.json`; empty where no repair was begun.

        Raises:
            FixYourCall: If it is there and cannot be read.
        """
        return self.document(RUN)

    def write_run(self, document: dict[str, Any]) -> None:
        """Writes `run.json`.

        Raises:
            OSError: If it cannot be written.
        """
        files.write_json(self.path / RUN, document)

    def result_document(self) -> dict[str, Any]:
        """Returns `metrics.json`; empty where there is no result yet."""
        return self.document(METRICS)

    def changes_document(self) -> dict[str, Any]:
        """Returns `change_log.json`; empty where there is no result yet."""
        return self.document(CHANGES)

    def diagnosis_document(self) -> dict[str, Any]:
        """Returns `diagnosis.json`; empty where there is no result yet."""
        return self.document(DIAGNOSIS)

    def patch(self) -> Patch:
        """Returns what was changed; an empty patch where there is no result yet.

        Raises:
            FixYourCall: If the file is there and holds no patch.
        """
        try:
            return Patch.from_yaml((self.path / PATCH).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return Patch()

    def change_log(self) -> str:
        """Returns the change log that a person reads; empty where there is no result yet."""
        try:
            return (self.path / CHANGE_LOG).read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""

    def history(self) -> list[dict[str, str]]:
        """Returns the rows of `history.csv`; none where there is no result yet."""
        try:
            with (self.path / HISTORY).open(encoding="utf-8", newline="") as file:
                return list(csv.DictReader(file))
        except FileNotFoundError:
            return []

    def trials(self) -> list[Outcome]:
        """Returns every finished run, in order, without weights: scores and, where probes were on, traces."""
        return [entry.outcome for entry in self.ledger if entry.outcome is not None]

    def before_and_after(self) -> tuple[Outcome | None, Outcome | None]:
        """Returns a run of the program as it came and one of the repaired one; see `curves.before_and_after`."""
        return curves.before_and_after(self.trials(), self.patch())

    def state(self) -> str | None:
        """Returns `running`, `finished`, `interrupted` or `failed`; None where no repair was begun.

        A repair that was killed could not say so: it counts as interrupted as soon as its process is gone.
        """
        state = self.run_document().get("state")
        return INTERRUPTED if state == RUNNING and not self.is_held() else state

    def is_held(self) -> bool:
        """Whether a process is writing here now."""
        if not (self.path / LOCK).exists():
            return False
        try:
            with self._lock().acquire(timeout=0):
                return False
        except filelock.Timeout:
            return True
        except OSError:  # a folder that cannot be written has no writer
            return False

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keeps other processes from writing here while the block runs.

        Raises:
            TryLater: If another process is writing here.
            FixYourCall: If nothing can be written here.
        """
        lock = self._lock()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=PATIENCE, poll_interval=0.05)
        except filelock.Timeout as error:
            pid = self.run_document().get("pid", "unknown")
            raise TryLater(
                f"only one process may write a run folder. Received: {self.path}, which process {pid} is writing. Wait "
                "for it to end, or choose another folder."
            ) from error
        except (OSError, NotImplementedError) as error:
            raise FixYourCall(
                f"`out` must be a folder that can be written. Received: {self.path} ({error}). Choose another folder."
            ) from error
        try:
            yield
        finally:
            lock.release()

    def tidy(self) -> None:
        """Deletes what a killed process has left half-written; to be called by who holds the folder."""
        for place in (self.path, self.path / TRIALS):
            for draft in place.glob(f"{files.DRAFTS}*"):
                shutil.rmtree(draft, ignore_errors=True)

    def _lock(self) -> filelock.BaseFileLock:
        # Not by thread: what one thread took, another one may have to give back.
        return filelock.FileLock(self.path / LOCK, thread_local=False)

    def document(self, name: str) -> dict[str, Any]:
        """Returns the JSON file of this name; empty where there is none.

        Raises:
            FixYourCall: If it is there and cannot be read.
        """
        path = self.path / name
        try:
            document = json.loads(path.read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except (ValueError, RecursionError) as error:
            raise FixYourCall(
                f"`{name}` of a run folder must be JSON that autofix wrote. Received: {path} ({error}). Delete it, or "
                "choose another folder."
            ) from error
        if not isinstance(document, dict):
            raise FixYourCall(f"`{name}` of a run folder must be a mapping. Received: {path}. Choose another folder.")
        return document
