"""Errors, named by what the caller does next."""

from __future__ import annotations

import difflib
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


class TryLater(AutofixError):
    """Something outside is in the way: a lock that is held, a database that does not answer. Nothing is lost."""


class StaleChange(AutofixError):
    """A change was applied to a recipe whose value is no longer the one it was made for."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Returns ``" Did you mean 'x'?"`` for the nearest known word, or an empty string."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def one_line(error: BaseException) -> str:
    """Returns the reason of an error, without the frames and colours that TensorFlow and Keras write into it."""
    name = type(error).__name__
    lines = [line for line in (re.sub(r"\x1b\[\d*m", "", line).strip() for line in str(error).splitlines()) if line]
    if lines[:1] == ["in user code:"]:
        frames = [index for index, line in enumerate(lines) if line.startswith("File ")]
        lines = lines[frames[-1] + 2 :] if frames else lines[1:]
    count = 2 if "Exception encountered when calling" in "".join(lines[:1]) else 1
    return f"{name}: {' '.join(lines[:count]).removeprefix(f'{name}: ')}"[:300]
