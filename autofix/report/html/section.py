"""What a page shows: sections with charts and tables, or why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from autofix.report.html.chart import Chart, spread

Document = Mapping[str, Any]

NAMES = {"before": "before", "control": "trained as long", "after": "after"}
# Rows of a table behind a chart.
MOST_ROWS = 24


@dataclass(frozen=True)
class Table:
    """A table: numbers are aligned to the right, text to the left.

    Attributes:
        caption: What it holds.
        head: Names of its columns.
        rows: Its cells, as text.
    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Figure:
    """A chart and the table behind it."""

    chart: Chart
    table: Table | None = None


@dataclass(frozen=True)
class Section:
    """A section of the page.

    Attributes:
        id: Anchor.
        title: Heading.
        kind: Which block of the template shows it.
        lead: A sentence under the heading.
        figures: Charts, in order.
        data: What that block needs besides.
    """

    id: str
    title: str
    kind: str = "figures"
    lead: str = ""
    figures: tuple[Figure, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Missing:
    """A section that has nothing to show, and why."""

    title: str
    why: str


def table_of(chart: Chart) -> Table:
    """The points of a chart, evenly spread, side by side where the series share their x."""
    found = {one.label: {point[0]: point[1] for point in one.points} for one in chart.series}
    places = sorted({place for points in found.values() for place in points if place is not None})
    picked = [places[index] for index in spread(len(places), MOST_ROWS)]
    if places and picked[-1] != places[-1]:
        picked.append(places[-1])
    named = len(found) > 1 or next(iter(found)) in NAMES.values()
    head = (chart.x, *(f"{chart.y} {label}" if named else chart.y for label in found))
    rows = tuple(
        (cell_text(place), *(cell_text(points[place]) if place in points else "" for points in found.values()))
        for place in picked
    )
    return Table(f"{chart.title}: values", head, rows)


def runs_of(document: Document) -> dict[str, Any]:
    """Returns the runs that were looked at, by role."""
    runs = document.get("runs") or {}
    return {key: runs[key] for key in ("before", "after") if runs.get(key)}


def cell_text(value: float | None) -> str:
    """Writes a number in a table."""
    return "not finite" if value is None else f"{value:.4g}"
