"""Which file speaks of which symptom, and what it says is the likely cause."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType

from autofix.manual.page import TITLE, Page, read_page

PACKAGE = "autofix.symptoms"
CAUSES = "Likely causes"


@functools.cache
def titles() -> Mapping[str, str]:
    """Returns the module of each symptom by the symptom's name: the title of a rule's docstring says whose it is."""
    found: dict[str, str] = {}
    for entry in sorted(files(PACKAGE).iterdir(), key=lambda entry: entry.name):
        # An installation without sources has no manual; the rules work all the same.
        if not entry.name.endswith(".py") or entry.name.startswith("_"):
            continue
        first, *_ = entry.read_text(encoding="utf-8").splitlines() or [""]
        title = TITLE.match(first.removeprefix('"""'))
        for name in title[1].split(", ") if title else ():
            found[name] = entry.name.removesuffix(".py")
    return MappingProxyType(found)


@functools.cache
def source_of(module: str) -> str:
    """Returns the source of a module of the symptoms, such as `dead_units`."""
    return (files(PACKAGE) / f"{module}.py").read_text(encoding="utf-8")


@functools.cache
def page_of(name: str) -> Page | None:
    """Returns what is written about a symptom; None where nothing is.

    Args:
        name: Name of the symptom, such as "DEAD_UNITS".
    """
    module = titles().get(name)
    return None if module is None else read_page(source_of(module))


def causes_led_by(name: str, start: str) -> tuple[str, ...]:
    """Returns the likely causes of a symptom, one of which a rule has seen, with that one first.

    Args:
        name: Name of the symptom, such as "DEAD_UNITS".
        start: Words that the cause begins with.
    """
    return tuple(sorted(likely_causes(name), key=lambda cause: not cause.startswith(start)))


@functools.cache
def likely_causes(name: str) -> tuple[str, ...]:
    """Returns the likely causes of a symptom, the likeliest first; empty where none are written down."""
    page = page_of(name)
    return () if page is None else tuple(line for line in page.lines(CAUSES, name) if line)
