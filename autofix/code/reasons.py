"""Why a value is what it is: the lines of a change log, as comments beside the code that they are about."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from autofix.change import Change, Patch
from autofix.code.expressing import express
from autofix.code.layout import flat
from autofix.frozen import thaw
from autofix.report.words import capital, effect_text, place_text

# Characters of a short comment, which fill a line with its mark; the full sentence is in the change log.
SHORT = 84
# Characters of a former value in it.
LONGEST = 40


def legend(patch: Patch, metric: str = "") -> Iterator[tuple[int, str]]:
    """Yields number and full sentence of each line of a patch."""
    for number, line in enumerate(patch.lines, 1):
        first = line[0]
        effect = capital(effect_text(first.effect, metric or "the score"))
        yield number, f"{place_text([change.path for change in line])}: {first.why}{f' {effect}.' if effect else ''}"


def numbers(patch: Patch) -> Mapping[str, int]:
    """Returns the number of the line that each changed path belongs to; the last one for a path changed twice."""
    return {change.path: number for number, line in enumerate(patch.lines, 1) for change in line}


def was(change: Change) -> str:
    """Returns what stood there before, as short as a person would say it."""
    if change.key == "after":
        return "new layer" if len(change.after) == 1 else "new layers"
    if change.key == "skip":
        return "left out"
    if change.before is None:
        return f"new: {change.key}"
    return f"{change.key} was {_shown(change.before, change.key)}"


def short(change: Change, *, bare: bool = False) -> str:
    """Returns a comment of a few words: what was there, and why it is not any more."""
    what = "" if bare else f"{was(change)}; "
    return textwrap.shorten(f"{what}{_clause(change.why)}", SHORT, placeholder=" ...")


def _shown(value: Any, key: str) -> str:
    """A value as code, without the modules."""
    text = flat(express(thaw(value), lambda group, name: name, key=key))
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _clause(why: str) -> str:
    """The first sentence, which goes on after a semicolon."""
    first = why.split(". ")[0].rstrip(".")
    return first[:1].lower() + first[1:] if first[1:2].islower() else first


def named(value: Any) -> str:
    """Returns the name of a serialized layer."""
    config = value.get("config") if isinstance(value, Mapping) else None
    return str(config.get("name")) if isinstance(config, Mapping) else ""


def names_in(value: Any) -> Iterator[str]:
    """Yields the names of all layers in a value, those of nested models included."""
    if isinstance(value, Mapping):
        if "class_name" in value and named(value):
            yield named(value)
        for item in value.values():
            yield from names_in(item)
    elif isinstance(value, tuple | list):
        for item in value:
            yield from names_in(item)
