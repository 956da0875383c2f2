"""The change log in a terminal: scores, findings, and the changes as a table in colour.

Where nobody looks, or nobody wants colour (https://no-color.org), it is the plain text of `str(result)`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from autofix.report import document as documents
from autofix.report.words import (
    count_text,
    effect_text,
    measured_text,
    metric_text,
    outputs_text,
    over_text,
    seconds_text,
)

if TYPE_CHECKING:
    from rich.console import Console

    from autofix.result import RepairResult

# Findings shown; the rest are counted.
FINDINGS = 6
# Columns that are not worth a table; and shares of a console: of paths, which are to stand whole, and of effects.
NARROWEST, CHANGE, EFFECT = 60, 0.4, 0.22
BEFORE, AFTER, SOFT = "red", "green", "dim"
TONES = {"repaired": "bold green", "healthy": "bold green", "improved": "bold yellow"}


def show(result: RepairResult, console: Console | None = None) -> None:
    """Prints the change log of a result on standard output.

    Args:
        result: What a repair handed back.
        console: Where to print; standard output by default.
    """
    from rich.console import Console

    console = Console(highlight=False) if console is None else console
    if not is_colourful(console):
        console.print(str(result), markup=False, soft_wrap=True)
        return
    print_document(documents.brief(result), console)


def is_colourful(console: Console) -> bool:
    """Whether a console is a terminal, wide enough, whose reader has not asked for plain text."""
    is_plain = bool(os.environ.get("NO_COLOR")) or console.is_dumb_terminal or console.width < NARROWEST
    return console.is_terminal and not is_plain


def print_document(document: Mapping[str, Any], console: Console) -> None:
    """Prints a document (see `autofix.report.document`) in colour."""
    from rich.padding import Padding
    from rich.text import Text

    tone = TONES.get(document["status"], "bold")
    title = document["status"].replace("_", " ").upper()
    console.print(Text.assemble((title, tone), "  ", document["verdict"]))
    metric = metric_text(document["metric"])
    if document.get("before"):
        seeds = len(document["before"]["values"])
        over = f"{seeds} seeds" if seeds > 1 else "1 run"
        outputs = over_text(document["before"].get("outputs") or {})
        console.print(Text(f"  {metric}{outputs} on rows the search never saw, {over}", SOFT))
        console.print(Padding(_scores(document), (0, 0, 0, 4)))
    found = document.get("diagnosis") or []
    if found:
        console.print()
        console.print(Text("What was wrong" if document.get("changes") else "What was seen", "bold"))
        for one in found[:FINDINGS]:
            where = Text(f" [{one['layer']}]", SOFT) if one["layer"] else Text()
            said = Text.assemble("• ", (one["sentence"], "bold"), " ", one["evidence"], where)
            console.print(Padding(said, (0, 0, 0, 2)))
        if len(found) > FINDINGS:
            console.print(Padding(Text(f"and {len(found) - FINDINGS} more", SOFT), (0, 0, 0, 2)))
    if document.get("changes"):
        console.print()
        kept = " (the trained weights were kept)" if document.get("retrained") is False else ""
        console.print(Text(f"What was changed{kept}", "bold"))
        console.print(_changes(document["changes"], metric, console.width))
    for step in document.get("next_steps") or ():
        console.print(Text.assemble(("Next: ", "bold"), step))
    for note in document.get("notes") or ():
        console.print(Text(f"Note: {note}", SOFT))
    count = document.get("count", len(document.get("trials") or ()))
    console.print()
    console.print(Text(f"{count_text(count, 'training run')}, {seconds_text(document.get('seconds', 0.0))}", SOFT))


def _scores(document: Mapping[str, Any]) -> Any:
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify="right")
    table.add_column(overflow="fold")
    for key, label, tone in (
        ("before", "before", BEFORE),
        ("control", "trained as long", ""),
        ("after", "after", AFTER),
    ):
        one = document.get(key)
        if one:
            score = measured_text(one["mean"], one["spread"], len(one["values"]))
            table.add_row(label, score, outputs_text(one.get("outputs") or {}), style=tone)
    return table


def _changes(lines: list[Mapping[str, Any]], metric: str, width: int) -> Any:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_lines=True, expand=False)
    table.add_column("", justify="right", style=SOFT)
    longest = max(len(part) for line in lines for part in (line["places"][0], *line["before"], line["after"]))
    table.add_column("change", overflow="fold", width=min(longest + 2, int(CHANGE * width)))
    table.add_column("why", overflow="fold")
    table.add_column("effect", overflow="fold", width=int(EFFECT * width))
    for number, line in enumerate(lines, 1):
        places = line["places"]
        more = f" and {len(places) - 1} more" if len(places) > 1 else ""
        change = Text.assemble(
            (places[0], "bold"),
            more,
            "\n",
            (f"- {' | '.join(line['before'])}", BEFORE),
            "\n",
            (f"+ {line['after']}", AFTER),
        )
        worth = effect_text(line["effect"], metric)
        effect = Text.assemble(worth, "\n" if worth else "", (line["strategy"], SOFT))
        table.add_row(str(number), change, Text(line["why"]), effect)
    return table
