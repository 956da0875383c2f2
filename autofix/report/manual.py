"""Explanations as text for a terminal, and as Markdown for a page."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from autofix.manual.explanation import SYMPTOM, Explanation
from autofix.manual.page import Constant

WIDTH = 100
INDENT = "    "
# Longest value of a constant that is shown in full.
LONGEST = 200
TREATS, REFERENCES = "What treats it", "References"


@dataclass(frozen=True)
class Part:
    """One heading and what stands under it: a paragraph, names, points or thresholds."""

    heading: str
    paragraph: str = ""
    names: tuple[str, ...] = ()
    of: str = ""
    points: tuple[str, ...] = ()
    readings: tuple[tuple[str, str], ...] = ()
    thresholds: tuple[Constant, ...] = ()


def text(item: Explanation) -> str:
    """Returns an explanation as plain text."""
    return "\n".join([f"{item.name}: {item.sentence}", *(line for part in _parts(item) for line in _text(part))])


def listing(items: Iterable[Explanation]) -> str:
    """Returns one line for each explanation."""
    items = tuple(items)
    width = max((len(item.name) for item in items), default=0)
    return "\n".join(f"{item.name:<{width}}  {item.sentence}" for item in items)


def markdown(item: Explanation) -> str:
    """Returns an explanation as a section of a Markdown page."""
    file = "strategies.md" if item.kind == SYMPTOM else "symptoms.md"
    parts = ("\n".join(_markdown(part, file)) for part in _parts(item))
    return "\n\n".join((f"## {item.name}", item.sentence, *parts))


def page(title: str, lead: str, items: Sequence[Explanation]) -> str:
    """Returns a Markdown page about all of them, with a table of contents."""
    contents = [f"- [`{item.name}`](#{item.name}): {item.sentence}" for item in items]
    parts = (f"# {title}", lead, "\n".join(contents), *(markdown(item) for item in items))
    return "\n\n".join(parts) + "\n"


def _parts(item: Explanation) -> Iterator[Part]:
    sections = dict(item.sections)
    treats, references = sections.pop(TREATS, ""), sections.pop(REFERENCES, "")
    for heading, content in sections.items():
        yield Part(heading, content)
    if item.kind == SYMPTOM:
        yield Part("How it is measured", _stage(item), readings=item.readings)
    if item.causes:
        yield Part("Likely causes, the likeliest first", points=item.causes)
    if treats or item.related:
        heading, of = (TREATS, "Strategies") if item.kind == SYMPTOM else ("What calls for it", "Symptoms")
        yield Part(heading, treats, item.related, of)
    if item.thresholds:
        yield Part("Thresholds", thresholds=item.thresholds)
    if references:
        yield Part(REFERENCES, references)


def _stage(item: Explanation) -> str:
    if item.is_seen_before_training:
        return "Before any training, from the program and the data."
    return "By the probes of a training run; live by `autofix.Watch` and `autofix.monitor`."


def _text(part: Part) -> Iterator[str]:
    yield from ("", part.heading)
    yield from _wrapped(part.paragraph)
    if part.names:
        yield from _wrapped(f"{part.of}: {', '.join(part.names)}.")
    for number, point in enumerate(part.points, 1):
        yield from _wrapped(point, f"{INDENT}{number}. ")
    for name, meaning in part.readings:
        yield from _wrapped(f"{name}: {meaning}", f"{INDENT}- ")
    for comment, constants in _grouped(part.thresholds):
        yield from _wrapped(", ".join(f"{one.name} = {_short(one.value)}" for one in constants))
        yield from _wrapped(comment, INDENT * 2)


def _markdown(part: Part, file: str) -> Iterator[str]:
    paragraph = _plain(part.paragraph)
    linked = ", ".join(f"[`{name}`]({file}#{name})" for name in part.names)
    names = f"{part.of}: {linked}." if linked else ""
    yield " ".join(word for word in (f"**{part.heading}.**", paragraph, names) if word)
    points = [f"{number}. {_plain(point)}" for number, point in enumerate(part.points, 1)]
    yield from ("", *points) if points else ()
    readings = [f"- `{name}`: {meaning}" for name, meaning in part.readings]
    yield from ("", *readings) if readings else ()
    yield from ("", "| name | value | what it is |", "|---|---|---|") if part.thresholds else ()
    for comment, constants in _grouped(part.thresholds):
        called = "<br>".join(f"`{one.name}`" for one in constants)
        values = "<br>".join(f"`{_cell(_short(one.value))}`" for one in constants)
        yield f"| {called} | {values} | {_cell(comment)} |"


def _grouped(thresholds: Iterable[Constant]) -> Iterator[tuple[str, list[Constant]]]:
    """Yields constants that share a comment together."""
    for comment, constants in groupby(thresholds, key=lambda constant: constant.comment):
        found = list(constants)
        yield from [(comment, found)] if comment else [("", [one]) for one in found]


def _plain(paragraph: str) -> str:
    """Keeps powers such as 2**10 from turning into bold type."""
    parts = paragraph.split("`")
    return "`".join(part if index % 2 else part.replace("**", r"\*\*") for index, part in enumerate(parts))


def _cell(value: str) -> str:
    return value.replace("|", "\\|")


def _short(value: str) -> str:
    return value if len(value) <= LONGEST else f"{value[: LONGEST - 1]}…"


def _wrapped(content: str, lead: str = INDENT) -> list[str]:
    # A name with a hyphen stays in one piece: it is looked up, or searched for.
    rest = " " * len(lead)
    return textwrap.wrap(content, WIDTH, initial_indent=lead, subsequent_indent=rest, break_on_hyphens=False)
