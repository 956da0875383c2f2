"""The change log as plain text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from autofix.change import Change
from autofix.report.document import line_of
from autofix.report.words import count_text, effect_text, outputs_text, over_text, place_text, seconds_text

if TYPE_CHECKING:
    from autofix.findings import Findings
    from autofix.result import RepairResult

WIDTH = 100

# Findings shown in full; the rest are counted.
FINDINGS = 6
# Likely causes shown of each, where no change was found that does away with them.
CAUSES = 3


def change_log(result: RepairResult) -> str:
    """Returns the change log that a person reads: verdict, proof, changes with evidence and effect, what is next."""
    return "\n".join(_lines(result))


def findings(result: Findings) -> str:
    """Returns what a check found: each finding with its likely causes and what treats it."""
    return "\n".join(_found(result))


def _found(result: Findings) -> Iterator[str]:
    count = len(result)
    yield (
        "Nothing is wrong that shows before training."
        if result.ok
        else (f"{count} {'thing is' if count == 1 else 'things are'} wrong, as shows before training")
    )
    for item in result:
        yield from _wrapped(str(item), "  - ")
        if item.causes:
            yield from _wrapped(f"likely causes: {' '.join(item.causes[:CAUSES])}", "    ")
        if item.strategies:
            yield from _wrapped(f"treated by: {', '.join(item.strategies)}", "    ")
    for item in result.notes:
        yield from _wrapped(f"Note: {item}", "")
    for what in result.unchecked:
        yield from _wrapped(f"Not looked at: {what}.".replace("..", "."), "")


def _lines(result: RepairResult) -> Iterator[str]:
    yield f"{result.verdict.name}  {result.verdict.value}"
    yield from _scores(result)
    shown = [item for item in result.diagnosis if item.severity >= 0.3][:FINDINGS]
    if shown:
        yield ""
        yield "What was wrong"
        for item in shown:
            yield from _wrapped(str(item), "  - ")
            if not result.patch and item.causes:
                yield from _wrapped(f"likely causes: {' '.join(item.causes[:CAUSES])}", "    ")
        if len(result.diagnosis) > len(shown):
            yield f"  ({count_text(len(result.diagnosis) - len(shown), 'lesser finding')} in `result.diagnosis`)"
    if result.patch:
        yield ""
        yield "What was changed" if result.retrained else "What was changed (the trained weights were kept)"
        for number, line in enumerate(result.patch.lines, 1):
            yield from _change(number, line, result.metric)
    if result.next_steps:
        yield ""
        yield "What to look at next"
        for step in result.next_steps:
            yield from _wrapped(step, "  - ")
    if result.notes:
        yield ""
        for note in result.notes:
            yield from _wrapped(f"Note: {note}", "")
    yield ""
    counts = (count_text(len(result.trials), "training run"), count_text(result.traces, "compiled program"))
    yield f"{', '.join(counts)}, {seconds_text(result.seconds)}."


def _scores(result: RepairResult) -> Iterator[str]:
    if result.before is None:
        return
    seeds = len(result.before.values)
    over = f"{seeds} seeds" if seeds > 1 else "1 run"
    yield f"  {result.metric}{over_text(dict(result.before.outputs))} on rows the search never saw, {over}"
    for label, found in (("before", result.before), ("trained as long", result.control), ("after", result.after)):
        if found is not None:
            parts = outputs_text(dict(found.outputs))
            yield f"    {label:15}   {found}{f'   ({parts})' if parts else ''}"


def _change(number: int, line: tuple[Change, ...], metric: str) -> Iterator[str]:
    shown = line_of(line)
    yield f"  {number}. {place_text(shown['places'])}: {' | '.join(shown['before'])} -> {shown['after']}"
    yield from _wrapped(f"why: {shown['why']}", "     ")
    effect = effect_text(shown["effect"], metric)
    yield f"     {effect}   [{shown['strategy']}]" if effect else f"     [{shown['strategy']}]"


def _wrapped(text: str, lead: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=lead, subsequent_indent=" " * len(lead)) or [lead]
