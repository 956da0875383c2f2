"""`Ledger`: every finished run of the trainer, one file each, written whole or not at all."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from autofix import files
from autofix.frozen import EMPTY, FrozenDict, canonical
from autofix.outcome import Outcome
from autofix.store import arrays, written

logger = logging.getLogger(__name__)

FORMAT = 1
_NAME = re.compile(r"(\d{5,})-([0-9a-f]{16})\.json")
# Put behind the name of a file that cannot be read, so that it is kept for a look and not read again.
ASIDE = ".corrupt"


@dataclass(frozen=True)
class Entry:
    """One answer of the trainer.

    Attributes:
        number: Its place in the order of answers, from 0.
        asked: What was asked; see `autofix.store.recorded`.
        began: Seconds of the budget that were spent when it was asked.
        ended: Seconds that were spent when it was answered.
        outcome: The run that was made, without its weights; None where something else was asked.
        answer: What came of it where that is no run, as plain data.
    """

    number: int
    asked: Mapping[str, Any]
    began: float
    ended: float
    outcome: Outcome | None = None
    answer: Mapping[str, Any] = EMPTY


class Ledger:
    """Answers of a trainer in a folder. Only one process writes; any number of threads of it may.

    An answer is a JSON file, and weights that are worth keeping an ``.npz`` beside it. Names begin with the number of
    the answer, so that a listing tells the story of the search.

    Args:
        folder: Created with the first answer.
        is_own: Whether this process is the one that writes: it sets aside what cannot be read. Others leave it.
    """

    def __init__(self, folder: str | os.PathLike[str], *, is_own: bool = True) -> None:
        self.folder = Path(folder)
        self._is_own = is_own
        self._lock = threading.RLock()
        self._names: dict[str, str] = {}
        self._known: dict[str, Entry] = {}
        found = sorted(item.name for item in self.folder.iterdir()) if self.folder.is_dir() else []
        for name in found:
            match = _NAME.fullmatch(name)
            if match:
                self._names[match[2]] = name
        self._next = 1 + max((_number(name) for name in self._names.values()), default=-1)

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[Entry]:
        """All answers that can be read, in the order in which they were given."""
        for key, name in self._in_order():
            entry = self._read(key, name)
            if entry is not None:
                yield entry

    def find(self, asked: Mapping[str, Any]) -> Entry | None:
        """Returns the answer that was given before; None if there is none that can be read."""
        key = _key(asked)
        with self._lock:
            name = self._names.get(key)
            return None if name is None else self._read(key, name)

    def after(self, entry: Entry) -> Entry | None:
        """Returns the answer that was given next; None for the last one."""
        with self._lock:
            for key, name in self._in_order():
                found = self._read(key, name) if _number(name) > entry.number else None
                if found is not None:
                    return found
        return None

    def add(
        self,
        asked: Mapping[str, Any],
        *,
        began: float,
        ended: float,
        outcome: Outcome | None = None,
        answer: Mapping[str, Any] = EMPTY,
        keep_weights: bool = False,
    ) -> Entry:
        """Writes an answer down.

        Args:
            asked: What was asked, as plain data.
            began: Seconds of the budget that were spent when it was asked.
            ended: Seconds that were spent when it was answered.
            outcome: The run that was made.
            answer: What came of it where that is no run, as plain data.
            keep_weights: Whether the weights of the outcome are worth their space.

        Raises:
            OSError: If it cannot be written. Nothing is left half-written.
        """
        with self._lock:
            key = _key(asked)
            number = self._next
            name = f"{number:05d}-{key}.json"
            if keep_weights and outcome is not None and outcome.weights is not None:
                # First: what is interrupted in between leaves weights without an answer, never the reverse.
                with files.replacing(self._weights(name)) as draft:
                    arrays.write(draft, outcome.weights)
            outcome = None if outcome is None else replace(outcome, weights=None)
            entry = Entry(number, FrozenDict(asked), began, ended, outcome, FrozenDict(answer))
            document = {
                "format": FORMAT,
                "asked": dict(asked),
                "began": began,
                "ended": ended,
                "outcome": None if outcome is None else written.of_outcome(outcome),
                "answer": dict(answer),
            }
            files.write_text(self.folder / name, written.dumped(document) + "\n")
            self._next, self._names[key], self._known[key] = number + 1, name, entry
            return entry

    def weights(self, entry: Entry) -> tuple[np.ndarray, ...] | None:
        """Returns the weights that were kept with an answer; None where there are none or they cannot be read."""
        path = self._weights(f"{entry.number:05d}-{_key(entry.asked)}.json")
        try:
            return arrays.read(path)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            self._set_aside(path, error)
            return None

    def drop_weights(self, entry: Entry) -> None:
        """Deletes the weights that were kept with an answer."""
        self._weights(f"{entry.number:05d}-{_key(entry.asked)}.json").unlink(missing_ok=True)

    def _read(self, key: str, name: str) -> Entry | None:
        with self._lock:
            if key not in self._known:
                path = self.folder / name
                try:
                    self._known[key] = _entry(written.loaded(path.read_bytes()), key, _number(name))
                except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                    del self._names[key]
                    self._set_aside(path, error)
                    return None
            return self._known[key]

    def _set_aside(self, path: Path, error: Exception) -> None:
        if not self._is_own:
            logger.warning("%s cannot be read and is left out. %s", path, error)
            return
        logger.warning("%s cannot be read and is set aside; that run is made again. %s", path, error)
        try:
            path.replace(path.with_name(path.name + ASIDE))
        except OSError as why:
            logger.debug("%s stays where it is: %s", path, why)

    def _in_order(self) -> list[tuple[str, str]]:
        return sorted(self._names.items(), key=lambda item: _number(item[1]))

    def _weights(self, name: str) -> Path:
        return (self.folder / name).with_suffix(".npz")


def _entry(document: Any, key: str, number: int) -> Entry:
    if document["format"] != FORMAT:
        raise ValueError(f"`format` must be {FORMAT}. Received: {document['format']!r}.")
    if _key(document["asked"]) != key:
        raise ValueError("it holds another answer than its name says")
    run = document["outcome"]
    return Entry(
        number,
        FrozenDict(document["asked"]),
        float(document["began"]),
        float(document["ended"]),
        None if run is None else written.to_outcome(run),
        FrozenDict(document["answer"]),
    )


def _key(asked: Mapping[str, Any]) -> str:
    return hashlib.blake2b(canonical(asked).encode(), digest_size=8).hexdigest()


def _number(name: str) -> int:
    return int(name.split("-", 1)[0])
