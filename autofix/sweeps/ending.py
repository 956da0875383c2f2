"""`Ending`: how a cell ended, complete enough that its run folder may be lost."""

from __future__ import annotations

import contextlib
import json
import math
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from autofix.errors import FixYourCall
from autofix.exits import Exit
from autofix.store.folder import RunFolder

# Characters of a patch or change log that go into the storage; typical ones have a few thousand.
LONGEST = 1_000_000
# What of a run folder is kept beside its metrics.
KEPT = {"patch": "patch.yaml", "change_log": "change_log.md"}


@dataclass(frozen=True)
class Ending:
    """How a cell ended.

    Attributes:
        exit: The exit code that the repair alone would have had.
        metrics: What the run folder's `metrics.json` holds, and what was changed; empty where there is no result.
        error: What went wrong, if something did.
        patch: The patch, as YAML.
        change_log: The change log, as Markdown.
        machine: Name of the machine that did it.
        folder: The run folder there.
    """

    exit: int
    metrics: Mapping[str, Any]
    error: str | None = None
    patch: str | None = None
    change_log: str | None = None
    machine: str = ""
    folder: str = ""

    @classmethod
    def of(cls, code: Exit, metrics: Mapping[str, Any], error: str | None, folder: Path) -> Ending:
        """Returns how the repair in a run folder ended."""
        texts = {name: _text(folder / file) for name, file in KEPT.items()}
        if metrics:
            metrics = {**metrics, "changes": _changes(folder)}
        return cls(
            int(code), metrics, error, texts["patch"], texts["change_log"], socket.gethostname(), str(folder.resolve())
        )

    @classmethod
    def given_up(cls, deaths: int) -> Ending:
        """Returns the ending of a cell that nobody should try again."""
        return cls(
            int(Exit.UNUSABLE),
            {},
            f"{deaths} workers died of it, perhaps for want of memory. Run it alone with `autofix repair`.",
            machine=socket.gethostname(),
        )

    @property
    def status(self) -> str:
        """The verdict in lower case; "error" where there is none."""
        return str(self.metrics.get("status") or "error")

    @property
    def score(self) -> float | None:
        """Score of the model that the repair hands back; None if it was not measured."""
        after = mean(self.metrics, "after")
        return mean(self.metrics, "before") if after is None else after

    def to_dict(self) -> dict[str, Any]:
        """Returns the ending as JSON-ready data."""
        document: dict[str, Any] = json.loads(json.dumps(asdict(self), default=str), parse_constant=lambda name: None)
        return document

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Ending:
        """Reads what `to_dict` wrote; other keys are passed over."""
        return cls(**{item.name: document[item.name] for item in fields(cls) if item.name in document})


def mean(metrics: Mapping[str, Any], name: str) -> float | None:
    """Returns the mean of what `metrics.json` holds under a name; None if it was not measured."""
    measured = metrics.get(name)
    value = measured.get("mean") if isinstance(measured, Mapping) else measured
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _changes(folder: Path) -> list[dict[str, Any]]:
    """Returns what was changed, without the reasons, which are in the change log."""
    with contextlib.suppress(FixYourCall):  # a file that was torn since
        found = RunFolder.at(folder).changes_document().get("changes") or ()
        return [{name: change.get(name) for name in ("path", "before", "after")} for change in found]
    return []


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")[:LONGEST]
    except (OSError, UnicodeDecodeError):
        return None
