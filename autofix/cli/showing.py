"""Results on standard output: as a table for people, as JSON or YAML for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from autofix.cli.ending import failure

if TYPE_CHECKING:
    from autofix.supervisor import Ended

# Width of a table where nobody looks at a terminal.
WIDTH = 100
# What a script reads: all that `metrics.json` holds but what is long and stands in files of its own.
ELSEWHERE = ("trials", "recipe", "traceback")


def finish(ended: Ended, folder: Path, form: str) -> NoReturn:
    """Writes how a run ended, and ends the command with its exit code.

    Raises:
        SystemExit: If there is a result.
        click.ClickException: If there is none; its message says why.
    """
    document = {key: value for key, value in ended.document.items() if key not in ELSEWHERE}
    error = ended.error or document.get("error")
    if error and document.get("verdict") is None:
        raise failure(str(error), ended.exit)
    if document:
        write({**document, "folder": str(folder)}, form, summary)
    raise SystemExit(int(ended.exit))


def write(document: Mapping[str, Any], form: str, table: Any) -> None:
    """Writes a result in one of the forms."""
    if form == "json":
        click.echo(json.dumps(document, indent=1))
    elif form == "yaml":
        from autofix import yaml_text

        click.echo(yaml_text.write(dict(document)), nl=False)
    else:
        table(document)


def summary(document: Mapping[str, Any]) -> None:
    """Prints how a run ended: verdict, scores, changes, findings, files."""
    console = _console()
    status = str(document["status"]).replace("_", " ").upper()
    console.print(f"[bold]{status}[/bold]  {_plain(document.get('verdict'))}")
    _scores(console, document)
    _changes(console, document)
    _findings(console, document.get("diagnosis", ()), bool(document.get("changes")))
    for heading, key in (("What to look at next", "next_steps"), ("Notes", "notes")):
        lines = document.get(key) or ()
        if lines:
            console.print(f"\n[bold]{heading}[/bold]")
            for line in lines:
                console.print(f"  - {_plain(line)}")
    console.print(f"\n{_plain(_files(document))}")


def findings(document: Mapping[str, Any]) -> None:
    """Prints what a diagnosis or a check found."""
    console = _console()
    found = document["findings"]
    console.print(f"[bold]{_plain(document['sentence'])}[/bold]")
    _findings(console, found, False)
    for line in document.get("notes", ()):
        console.print(f"Note: {_plain(line)}")


def _console() -> Any:
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=False)
    return console if console.is_terminal else Console(highlight=False, width=WIDTH, color_system=None)


def _plain(text: Any) -> str:
    """Returns text in which nothing is taken for markup."""
    from rich.markup import escape

    return escape(str(text))


def _table(*columns: str) -> Any:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE, pad_edge=False, show_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name, overflow="fold")
    return table


def _scores(console: Any, document: Mapping[str, Any]) -> None:
    rows = [
        (name, document.get(key))
        for name, key in (("before", "before"), ("trained as long", "control"), ("after", "after"))
    ]
    rows = [(name, measured) for name, measured in rows if measured]
    if not rows:
        return
    table = _table(f"{document['metric']} on held-out rows", "mean", "spread", "runs")
    for name, measured in rows:
        values = [value for value in measured["values"] if value is not None]
        table.add_row(name, f"{measured['mean']:.3f}", f"{measured['spread']:.3f}", str(len(values)))
    console.print()
    console.print(table)


def _changes(console: Any, document: Mapping[str, Any]) -> None:
    from autofix.change import Patch
    from autofix.report.text import show

    if not document.get("changes"):
        return
    table = _table("", "changed", "from", "to", "worth")
    for number, line in enumerate(Patch.from_dict(document).lines, 1):
        first = line[0]
        where = first.path if len(line) == 1 else f"{first.path} and {len(line) - 1} more"
        worth = "" if first.effect is None else f"{first.effect:.3f}"
        table.add_row(str(number), _plain(where), _plain(show(first.before)), _plain(show(first.after)), worth)
    console.print()
    console.print(table)
    for number, line in enumerate(Patch.from_dict(document).lines, 1):
        console.print(f"  {number}. why: {_plain(line[0].why)} \\[{line[0].strategy}]")


def _findings(console: Any, found: Sequence[Mapping[str, Any]], mended: bool) -> None:
    if not found:
        return
    table = _table("finding", "severity", "evidence")
    for item in found:
        where = f" [{item['layer']}]" if item.get("layer") else ""
        table.add_row(_plain(item["symptom"]), f"{item['severity']:.2f}", _plain(f"{item['evidence']}{where}"))
    console.print()
    console.print(table)
    if not mended:
        console.print(f"[dim]autofix explain {_plain(found[0]['symptom'])}  says what it is and what treats it[/dim]")


def _files(document: Mapping[str, Any]) -> str:
    return f"Written to {document['folder']}: repaired.keras, patch.yaml, change_log.md, metrics.json"
