"""What every benchmark reports: a table, and bars with whether they hold. Plain text where there is no terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

# Wide enough for every table here: without a terminal nothing wraps, so that lines can be searched.
PLAIN_WIDTH = 250


@dataclass(frozen=True)
class Bar:
    """A figure that must not be missed.

    Attributes:
        name: What is measured.
        value: What was measured; None where it could not be.
        sense: Whether the limit is the least or the most that is allowed.
        limit: The limit.
    """

    name: str
    value: float | None
    sense: Literal[">=", "<="]
    limit: float

    @property
    def holds(self) -> bool:
        """Whether it holds; what was not measured does not."""
        if self.value is None:
            return False
        return self.value >= self.limit if self.sense == ">=" else self.value <= self.limit

    def show(self) -> str:
        """One line: figure, limit and verdict."""
        value = "not measured" if self.value is None else f"{self.value:.3g}"
        return f"{self.name}: {value} ({self.sense} {self.limit:g}) {'holds' if self.holds else 'MISSED'}"

    def to_dict(self) -> dict[str, Any]:
        """The bar as plain data."""
        return {
            "name": self.name,
            "value": self.value,
            "sense": self.sense,
            "limit": self.limit,
            "holds": self.holds,
        }


@dataclass
class Report:
    """One benchmark: rows of text for people, the figures behind them for machines.

    Attributes:
        title: What was measured.
        columns: Names of the columns.
        rows: Cells by row.
        figures: One mapping a row.
        bars: The limits and how the figures stand against them.
        notes: What a reader must know.
    """

    title: str
    columns: Sequence[str]
    rows: list[list[str]] = field(default_factory=list)
    figures: list[dict[str, Any]] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, cells: Sequence[str], figures: dict[str, Any]) -> None:
        """Take in a finished row."""
        if len(cells) != len(self.columns):
            raise ValueError(f"`cells` must be {len(self.columns)}, one a column. Received: {len(cells)}.")
        self.rows.append(list(cells))
        self.figures.append(figures)

    @property
    def passed(self) -> bool:
        """Whether every bar holds."""
        return all(bar.holds for bar in self.bars)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data."""
        return {
            "title": self.title,
            "rows": self.figures,
            "bars": [bar.to_dict() for bar in self.bars],
            "notes": self.notes,
            "passed": self.passed,
        }

    def print(self, console: Console) -> None:
        """Write table, notes and bars."""
        plain = not console.is_terminal
        table = Table(
            title=None if plain else self.title,
            box=None if plain else box.SIMPLE_HEAD,
            header_style="" if plain else "bold",
            pad_edge=False,
        )
        for index, name in enumerate(self.columns):
            table.add_column(name, justify="left" if index == 0 else "right", no_wrap=plain)
        for cells in self.rows:
            table.add_row(*[Text(cell) for cell in cells])
        if plain:
            console.print(Text(self.title))
        console.print(table)
        for note in self.notes:
            console.print(Text(note, style="dim"), soft_wrap=True)
        for bar in self.bars:
            console.print(Text(bar.show(), style="green" if bar.holds else "bold red"), soft_wrap=True)
        console.print()


def console(**options: Any) -> Console:
    """Return the console that reports go to."""
    made = Console(highlight=False, **options)
    return made if made.is_terminal else Console(highlight=False, width=PLAIN_WIDTH, **options)
