"""The change log in Markdown: what lies in a run folder and in a pull request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from autofix.change import Change
from autofix.report.document import line_of
from autofix.report.text import CAUSES
from autofix.report.words import count_text, effect_text, outputs_text, over_text, seconds_text

if TYPE_CHECKING:
    from autofix.result import RepairResult


def markdown(result: RepairResult) -> str:
    """Returns the change log as Markdown: verdict, proof, findings, changes with evidence and effect, what is next."""
    return "\n".join(_lines(result)) + "\n"


def _lines(result: RepairResult) -> Iterator[str]:
    yield f"# {result.verdict.name}: {result.verdict.value}"
    scores = [
        (name, found)
        for name, found in (
            ("before", result.before),
            ("trained as long", result.control),
            ("after", result.after),
        )
        if found is not None
    ]
    if scores:
        over = over_text(dict(scores[0][1].outputs))
        yield from ("", f"| {result.metric}{over} on rows the search never saw | score | seeds |", "|---|---|---|")
        for name, found in scores:
            parts = outputs_text(dict(found.outputs))
            yield f"| {name} | {found}{f' ({_plain(parts)})' if parts else ''} | {len(found.values)} |"
    if result.patch:
        yield from ("", "## What was changed", "")
        if not result.retrained:
            yield from ("The trained weights were kept.", "")
        for number, line in enumerate(result.patch.lines, 1):
            yield from _change(number, line, result.metric)
    if result.diagnosis:
        yield from ("", "## What was wrong", "")
        for item in result.diagnosis:
            yield f"- {_plain(str(item))} (severity {item.severity:.2f}, certainty {item.certainty:.2f})"
            if not result.patch:
                yield from (f"  - likely cause: {_plain(cause)}" for cause in item.causes[:CAUSES])
    for title, items in (("What to look at next", result.next_steps), ("Notes", result.notes)):
        if items:
            yield from ("", f"## {title}", "", *(f"- {_plain(item)}" for item in items))
    yield from ("", f"{count_text(len(result.trials), 'training run')}, {seconds_text(result.seconds)}.")


def _change(number: int, line: tuple[Change, ...], metric: str) -> Iterator[str]:
    shown = line_of(line)
    places = ", ".join(f"`{path}`" for path in shown["places"])
    yield f"{number}. {places}: `{' | '.join(shown['before'])}` -> `{shown['after']}` ({shown['strategy']})"
    yield f"   - why: {_plain(shown['why'])}"
    effect = effect_text(shown["effect"], metric)
    if effect:
        yield f"   - {effect}"


def _plain(text: str) -> str:
    """One line, whose angle brackets are no tags: names of layers and messages may hold anything."""
    return " ".join(text.split()).replace("<", "&lt;").replace(">", "&gt;")
