"""What is under way, as files: each step is on the disk before the next one begins, so that any may be the last.

```
work/<key>/
  asked.json       what the training is asked for
  run/             the repair: its runs, to go on from
  challenger/      the new model, patch, metrics and the spread of its data
  answer.json      what came of the training; there once all of it is
  traceback.txt    where the user's own code failed, if it did
  decision.json    what is done about it; from here on nothing is decided again
  notified         the hooks were told
```
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autofix.files import write_json, write_text
from autofix.retraining import history
from autofix.retraining.models import BLESSED, MODEL, NOT_BLESSED, Models

ASKED, ANSWER, DECISION, CHALLENGER, RUN = "asked.json", "answer.json", "decision.json", "challenger", "run"
NOTIFIED = "notified"
# Letters of a key that name a folder: enough to tell the work of one pipeline apart.
KEY = 16


@dataclass(frozen=True)
class Work:
    """One retraining under way.

    Attributes:
        folder: Where it is.
    """

    folder: Path

    @classmethod
    def of(cls, models: Models, key: str) -> Work:
        """Returns the work of a key; what is there of it is gone on with."""
        work = cls(models.work / key[:KEY])
        work.folder.mkdir(parents=True, exist_ok=True)
        return work

    def read(self, name: str) -> dict[str, Any] | None:
        """Returns a JSON file, None where there is none yet."""
        try:
            found = json.loads((self.folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def write(self, name: str, document: Mapping[str, Any]) -> None:
        """Writes a JSON file whole or not at all."""
        write_json(self.folder / name, dict(document))

    def drop_answer(self) -> None:
        """Removes the answer, so that the next call asks again."""
        (self.folder / ANSWER).unlink(missing_ok=True)

    def drop(self) -> None:
        """Removes it. The decision goes first: without it, what is left is nothing but leftovers."""
        (self.folder / DECISION).unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)


def finish(models: Models, work: Work, notify: Callable[[Mapping[str, Any]], list[str]]) -> dict[str, Any]:
    """Does what was decided. Each step sees whether it was done before, so that this may be called any number of times.

    Args:
        models: The folder of models.
        work: Its `decision.json` says what to do: `record`, the line for the history; `version`, the number of the
            challenger or None; `promotes`, whether it becomes the champion.
        notify: Tells the hooks; returns what went wrong.

    Returns:
        The record.
    """
    decision = work.read(DECISION)
    assert decision is not None
    record: dict[str, Any] = decision["record"]
    version = decision["version"]
    if version is not None and version not in models.versions:
        _add(models, work, decision)
    if decision["promotes"] and models.current() == decision["champion"]:
        models.point(version)
    if not any(line.get("id") == record["id"] for line in history.read(models.history)):
        history.append(models.history, record)
    if not (work.folder / NOTIFIED).exists():
        failed = notify(record)
        if failed:
            history.append(models.history, {"time": record["time"], "of": record["id"], "hooks_failed": failed})
            record = {**record, "notes": [*record["notes"], *failed]}
        write_text(work.folder / NOTIFIED, "\n".join(failed))
    models.prune(decision["keep"], version)
    work.drop()
    return record


def settle(models: Models, notify: Callable[[Mapping[str, Any]], list[str]]) -> list[dict[str, Any]]:
    """Finishes what was decided before a crash.

    Returns:
        The records of it.
    """
    models.settle()
    folders = sorted(models.work.iterdir()) if models.work.is_dir() else []
    found = []
    for folder in folders:
        work = Work(folder)
        if work.read(DECISION) is not None:
            found.append(finish(models, work, notify))
    return found


def drop_others(models: Models, own: Work | None) -> None:
    """Removes work that nobody will go on with: of other data, other settings, another champion."""
    for folder in models.work.iterdir() if models.work.is_dir() else ():
        if own is None or folder != own.folder:
            Work(folder).drop()


def _add(models: Models, work: Work, decision: Mapping[str, Any]) -> None:
    """Puts the challenger among the versions, with the marker that says whether it may serve."""
    draft = work.folder / CHALLENGER
    if not (draft / MODEL).is_file():  # it was moved, and the version has been removed since
        return
    record = decision["record"]
    marker, other = (BLESSED, NOT_BLESSED) if decision["promotes"] else (NOT_BLESSED, BLESSED)
    (draft / other).unlink(missing_ok=True)
    write_text(draft / marker, record["reason"] + "\n")
    write_json(draft / "run.json", {**decision["run"], "id": record["id"], "time": record["time"]})
    models.add(draft, decision["version"])
