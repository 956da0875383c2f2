"""What came of a sweep: a table for people, JSON, YAML and CSV for programs."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from autofix.exits import Exit
from autofix.files import write_json, write_text
from autofix.store.folder import METRICS, RunFolder
from autofix.sweeps.cell import Cell
from autofix.sweeps.ending import KEPT, Ending, mean

# What `metrics.json` says of a repair that has no result; None where there is no such file.
UNFINISHED = (None, "interrupted", "failed")
JSON, CSV = "summary.json", "summary.csv"


@dataclass(frozen=True)
class Row:
    """One cell in the summary.

    Attributes:
        model: Name of the model.
        data: Name of the data set.
        strategies: Name of the set of strategies.
        seed: Seed.
        status: The verdict in lower case; "waiting" before there is one, "error" if there will be none.
        exit: The exit code that the repair alone would have had; None before it is done.
        metric: Name of the metric.
        before: Mean score of the program as it came.
        after: Mean score of the repaired one.
        changes: What was changed, in short.
        seconds: Time that the repair took.
        error: What went wrong.
        folder: The run folder.
        machine: Name of the machine that did it.
    """

    model: str
    data: str
    strategies: str
    seed: int
    status: str = "waiting"
    exit: int | None = None
    metric: str | None = None
    before: float | None = None
    after: float | None = None
    changes: str = ""
    seconds: float | None = None
    error: str | None = None
    folder: str = ""
    machine: str = ""

    @classmethod
    def of(cls, cell: Cell, ending: Ending | None) -> Row:
        """Returns the row of a cell; `ending` is None while it is not done."""
        key = (cell.model, cell.data, cell.strategies, cell.job.seed)
        if ending is None:
            return cls(*key, folder=cell.job.out)
        metrics = ending.metrics
        seconds = metrics.get("seconds")
        return cls(
            *key,
            status=ending.status,
            exit=ending.exit,
            metric=metrics.get("metric"),
            before=mean(metrics, "before"),
            after=mean(metrics, "after"),
            changes=_in_short(metrics.get("changes") or ()),
            seconds=float(seconds) if isinstance(seconds, int | float) else None,
            error=ending.error or metrics.get("error"),
            folder=ending.folder or cell.job.out,
            machine=ending.machine,
        )


def rows(cells: Sequence[Cell], endings: Mapping[str, Ending | None]) -> list[Row]:
    """Returns the summary of a sweep, one row a cell, in its order."""
    return [Row.of(cell, endings.get(cell.name)) for cell in cells]


def document(name: str, table: Sequence[Row], code: Exit) -> dict[str, Any]:
    """Returns the summary as JSON-ready data."""
    done = sum(row.exit is not None for row in table)
    return {
        "study": name,
        "exit_code": int(code),
        "cells": len(table),
        "done": done,
        "verdicts": {
            status: sum(row.status == status for row in table) for status in sorted({r.status for r in table})
        },
        "rows": [asdict(row) for row in table],
    }


def as_csv(table: Sequence[Row]) -> str:
    """Returns the summary as a table with a header, numbers in full."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [item.name for item in fields(Row)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(row) for row in table)
    return text.getvalue()


def as_text(table: Sequence[Row], form: str, whole: Mapping[str, Any], width: int) -> str:
    """Returns the summary as it is printed.

    Args:
        table: Its rows.
        form: "table", "json" or "yaml".
        whole: What `document` returned.
        width: Columns of the terminal, for the table.
    """
    if form == "json":
        return json.dumps(whole, indent=1) + "\n"
    if form == "yaml":
        from autofix import yaml_text

        return yaml_text.write(dict(whole))
    return _table(table, width)


def write(folder: Path, table: Sequence[Row], whole: Mapping[str, Any]) -> None:
    """Writes `summary.json` and `summary.csv` into the folder of a sweep, each whole or not at all."""
    write_json(folder / JSON, dict(whole))
    write_text(folder / CSV, as_csv(table))


def bring_home(cells: Sequence[Cell], endings: Mapping[str, Ending | None]) -> None:
    """Writes patch, change log and metrics of cells that other machines did into the run folders that lack them."""
    for cell in cells:
        ending, folder = endings.get(cell.name), RunFolder.at(cell.job.out)
        if ending is None or folder.result_document().get("status") not in UNFINISHED:
            continue
        for name, file in KEPT.items():
            text = getattr(ending, name)
            if text is not None:
                write_text(folder / file, text)
        write_json(folder / METRICS, dict(ending.metrics))


def _table(table: Sequence[Row], width: int) -> str:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("model", "data", "strategies"):
        grid.add_column(name, overflow="fold")
    for name in ("seed", "before", "after", "seconds"):
        grid.add_column(name, justify="right", no_wrap=True)
    grid.add_column("status", no_wrap=True)
    grid.add_column("changes", overflow="fold", ratio=1)
    for row in table:
        cells = (row.model, row.data, row.strategies, str(row.seed), _score(row.before), _score(row.after))
        seconds = "-" if row.seconds is None else f"{row.seconds:.0f}"
        # As text, not as markup: names and errors may hold brackets.
        grid.add_row(*map(Text, (*cells, seconds, row.status, row.error or row.changes)))
    out = io.StringIO()
    Console(file=out, width=width, no_color=True).print(grid)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def _score(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _in_short(changes: Sequence[Mapping[str, Any]]) -> str:
    """What was changed, each kind of change once: ``activation: sigmoid -> relu (5 times)``."""
    from autofix.report.words import value_text as show

    kinds = Counter(
        f"{str(change.get('path')).rpartition('/')[2]}: {show(change.get('before'))} -> {show(change.get('after'))}"
        for change in changes
    )
    return "; ".join(kind if count == 1 else f"{kind} ({count} times)" for kind, count in kinds.items())
