"""Results on standard output: as a table for people, as JSON or YAML for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from autofix.cli.ending import failure
from autofix.cli.terminal import printable
from autofix.report.words import BEYOND_READING, NO_LOSS, capital, effect_text, place_text

if TYPE_CHECKING:
    from autofix.supervisor import Ended

# Width of a table where nobody looks at a terminal.
WIDTH = 100
SCORES = {"before": "before", "trained as long": "control", "after": "after"}
# Files of a run folder that people look for.
FILES = ("repaired.keras", "patch.yaml", "change_log.md", "metrics.json", "encoding.json")


def finish(ended: Ended, folder: Path, form: str) -> NoReturn:
    """Writes how a run ended, and ends the command with its exit code.

    Raises:
        SystemExit: If there is a result.
        click.ClickException: If there is none; its message says why.
    """
    from autofix.cli.folder import summary_of

    if ended.error is not None or "status" not in ended.document:
        way = f"stopped; run the same command again to go on where it was ({folder})."
        raise failure(ended.error or way, ended.exit)
    write(summary_of(folder), form, lambda shown: _show(shown, folder))
    raise SystemExit(int(ended.exit))


def _show(document: Mapping[str, Any], folder: Path) -> None:
    """Prints a result: coloured in a terminal that shows colours, else as plain text."""
    from rich.console import Console

    from autofix.report import document as documents
    from autofix.report import terminal
    from autofix.store.folder import RunFolder

    console = Console(highlight=False)
    if not terminal.is_colourful(console):
        click.echo(summarised(document), nl=False)
        return
    terminal.print_document(_printable(documents.of_run(RunFolder.at(folder))), console)
    console.print(_written(document))


def _printable(value: Any) -> Any:
    """Returns plain data whose texts give no orders to a terminal."""
    if isinstance(value, Mapping):
        return {key: _printable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_printable(item) for item in value]
    return printable(value) if isinstance(value, str) else value


def write(document: Mapping[str, Any], form: str, table: Callable[[Mapping[str, Any]], None]) -> None:
    """Writes a result in one of the forms; `table` is for people."""
    if form == "table":
        table(document)
    else:
        click.echo(serialised(document, form), nl=False)


def serialised(document: Mapping[str, Any], form: str) -> str:
    """Returns a result as "json" or "yaml"."""
    from autofix import yaml_text

    return json.dumps(document, indent=1) + "\n" if form == "json" else yaml_text.write(dict(document))


def summarised(document: Mapping[str, Any]) -> str:
    """Returns how a run ended, for a terminal: verdict, scores, changes, findings, files."""
    return _rendered(lambda console: _summary(console, document))


def show_findings(document: Mapping[str, Any]) -> None:
    """Prints what a diagnosis or a check found."""
    click.echo(_rendered(lambda console: _found(console, document)), nl=False)


def show_changes(document: Mapping[str, Any]) -> None:
    """Prints the changes of a patch."""
    shown = _rendered(lambda console: _changes(console, document)).lstrip("\n")
    click.echo(shown or "The patch changes nothing.\n", nl=False)


def show_rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Prints rows as a table."""

    def printed(console: Any) -> None:
        table = _table(*columns)
        for row in rows:
            table.add_row(*(_cell(row[name]) for name in columns))
        console.print(table)

    click.echo(_rendered(printed), nl=False)


def _summary(console: Any, document: Mapping[str, Any]) -> None:
    status = str(document["status"]).replace("_", " ").upper()
    console.print(f"[bold]{status}[/bold]  {_plain(document.get('verdict') or '')}")
    _scores(console, document)
    _changes(console, document)
    _findings(console, document.get("diagnosis") or ())
    for heading, key in (("What to look at next", "next_steps"), ("Notes", "notes")):
        lines = document.get(key) or ()
        if lines:
            console.print(f"\n[bold]{heading}[/bold]")
            _points(console, lines)
    console.print(f"\n{_written(document)}")


def _written(document: Mapping[str, Any]) -> str:
    """Returns where the files of a run are, as markup."""
    files = [name for name in FILES if (Path(document["folder"]) / name).exists()]
    return f"Written to {_plain(document['folder'])}: {', '.join(files)}"


def _found(console: Any, document: Mapping[str, Any]) -> None:
    console.print(f"[bold]{_plain(document['sentence'])}[/bold]")
    _findings(console, document["findings"])
    notes = [f"{item['symptom']}: {item['evidence']}" for item in document["notes"]]
    told = [*notes, *document.get("told", ()), *(f"Not looked at: {what}" for what in document["unchecked"])]
    if told:
        console.print("\n[bold]Notes[/bold]")
        _points(console, told)
    if document["findings"]:
        console.print(f"\nautofix explain {document['findings'][0]['symptom']}: what it is and what treats it")


def _rendered(printed: Callable[[Any], None]) -> str:
    """Returns what is printed to a console: styled and as wide as the terminal where there is one."""
    from rich.console import Console

    real = Console(highlight=False)
    console = real if real.is_terminal else Console(highlight=False, width=WIDTH, color_system=None)
    with console.capture() as captured:
        printed(console)
    return "\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n"


def _plain(text: Any) -> str:
    """Returns text in which nothing is taken for markup, nor for an order to the terminal."""
    from rich.markup import escape

    return escape(printable(str(text)))


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    return "" if value is None else _plain(value)


def _points(console: Any, lines: Iterable[Any], lead: str = "  - ") -> None:
    """Prints points whose further lines are indented like the first."""
    from rich.padding import Padding
    from rich.table import Table

    grid = Table.grid(padding=0)
    grid.add_column(width=len(lead), no_wrap=True)
    grid.add_column(overflow="fold")
    for line in lines:
        grid.add_row(lead, _plain(line))
    console.print(Padding(grid, 0))


def _table(*columns: str) -> Any:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE, pad_edge=False, show_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name, overflow="fold")
    return table


def _scores(console: Any, document: Mapping[str, Any]) -> None:
    table = _table(f"{document.get('metric')}, held-out rows", "mean", "spread", "runs")
    for name, key in SCORES.items():
        measured = document.get(key)
        if measured:
            runs = sum(value is not None for value in measured["values"])
            table.add_row(name, _cell(measured["mean"]), _cell(measured["spread"]), str(runs))
            for output, score in (measured.get("outputs") or {}).items():
                table.add_row(f"  output {_plain(output)}", _cell(score), "", "")
    if table.rows:
        console.print()
        console.print(table)


def _changes(console: Any, document: Mapping[str, Any]) -> None:
    from autofix.change import Patch
    from autofix.report.document import line_of

    lines = [line_of(line) for line in Patch.from_dict({"changes": document.get("changes") or []}).lines]
    if not lines:
        return
    table = _table("change", "from", "to", "worth")
    for number, line in enumerate(lines, 1):
        before = _plain(" | ".join(line["before"]))
        table.add_row(
            f"{number}. {_plain(place_text(line['places']))}", before, _plain(line["after"]), _worth(line["effect"])
        )
    console.print()
    console.print(table)
    for number, line in enumerate(lines, 1):
        # A column of numbers has no words for what is worth it without a score.
        told = "" if _worth(line["effect"]) else effect_text(line["effect"], str(document.get("metric") or "the score"))
        said = f" {capital(told)}." if told else ""
        _points(console, [f"{line['why']}{said} [{line['strategy']}]"], f"  {number}. ")


def _worth(effect: float | None) -> str:
    """What is lost without a change, where that is a number to read."""
    return _cell(effect) if effect is not None and NO_LOSS <= effect <= BEYOND_READING else ""


def _findings(console: Any, found: Sequence[Mapping[str, Any]]) -> None:
    if not found:
        return
    table = _table("finding", "severity", "evidence")
    for item in found:
        where = f" [{item['layer']}]" if item.get("layer") else ""
        table.add_row(_plain(item["symptom"]), f"{item['severity']:.2f}", _plain(f"{item['evidence']}{where}"))
    console.print()
    console.print(table)
