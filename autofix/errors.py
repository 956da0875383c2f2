"""Errors, named by what the caller does next."""

from __future__ import annotations

import difflib
import errno
import re
from collections.abc import Iterable


class AutofixError(Exception):
    """Base of every error that autofix raises on purpose."""


class FixYourCall(AutofixError, ValueError):
    """An argument is wrong. The message says which, what came, and what to pass instead."""


class FixYourData(AutofixError, ValueError):
    """The data cannot be used as it is. The message says what to change."""


class FixYourModel(AutofixError, ValueError):
    """The model cannot be used as it is. The message says what to change."""


class FixTheCrash(AutofixError):
    """One run after the other ends its process in the same way: no further run would tell anything.

    Args:
        message: What happens, and what to do about it.
        traceback: What the last process wrote before it ended.
    """

    def __init__(self, message: str, traceback: str = "") -> None:
        super().__init__(message)
        self.traceback = traceback


class Stopped(BaseException):
    """The process is asked to end now and to be resumed later. No `Exception`: nothing but clean-up may catch it."""


class TryLater(AutofixError):
    """Something outside is in the way: a lock that is held, a database that does not answer. Nothing is lost."""


class StaleChange(AutofixError):
    """A change was applied to a recipe whose value is no longer the one it was made for."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Returns ``" Did you mean 'x'?"`` for the nearest known word, or an empty string."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def one_line(error: BaseException) -> str:
    """Returns the reason of an error, without the frames, colours and nodes that TensorFlow and Keras write into it."""
    name = type(error).__name__
    plain = (re.sub(r"\x1b\[\d*m|\{\{.*?\}\} *", "", line).strip() for line in str(error).splitlines())
    lines = [line for line in plain if line]
    if lines[:1] == ["in user code:"]:
        frames = [index for index, line in enumerate(lines) if line.startswith("File ")]
        lines = lines[frames[-1] + 2 :] if frames else lines[1:]
    count = 2 if "Exception encountered when calling" in "".join(lines[:1]) else 1
    return f"{name}: {' '.join(lines[:count]).removeprefix(f'{name}: ')}"[:300]


def of_the_machine(error: OSError) -> str:
    """Returns a fault of the machine, such as a disk that is full, with the way out."""
    where = f" {str(error.filename)!r}" if error.filename else ""
    ways = {errno.ENOSPC: "Free some space", errno.EROFS: "Pass an --out that can be written to"}
    way = ways.get(error.errno or 0, "Check that it exists and may be read and written")
    return f"{error.strerror or error}{':' if where else ''}{where}. {way}, then run the same command again."
