"""A chart with all that a page needs to show it, and what the charts have in common."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from autofix.report.html.svg import NARROW, ROLES, WIDE, Drawing, Sketch, draw, styled
from autofix.report.words import MINUS

# Pairs of x and y; y is None where there is a gap.
Points = Sequence[Sequence[Any]]

# Scores further below the best than so many times its distance from the median are drawn at the edge of the chart.
SPREADS = 3.0
# ... but none that is as near as this: R2 of -1 and accuracies are worth their room.
NEAR = 2.0
# Axes on which there is nothing between the whole numbers.
COUNTED = ("training step", "epoch", "training run")


@dataclass(frozen=True)
class Series:
    """One line or cloud of points.

    Attributes:
        key: Its role, which gives it its colour.
        label: What it is called.
        points: x and y; y is None where there is a gap.
        texts: What is said of each point besides its numbers; empty for nothing.
    """

    key: str
    label: str
    points: Points
    texts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chart:
    """A chart with all that a page needs to show it.

    Attributes:
        name: Its id on the page.
        title: What it shows.
        description: The same for who cannot see it: axes and what stands out.
        wide: For a wide page.
        narrow: For a phone.
        series: What is drawn.
        x: What the horizontal axis is.
        y: What the vertical axis is.
        grid: Rows, columns and values of a heat map; None for other charts.
        note: A sentence below it.
        lines: Whether the points of a series are joined, so that all of them can be read at one x.
        has_legend: Whether its series have to be told apart by a legend.
    """

    name: str
    title: str
    description: str
    wide: Drawing
    narrow: Drawing
    series: tuple[Series, ...]
    x: str
    y: str
    grid: dict[str, Any] | None = None
    note: str = ""
    lines: bool = False
    has_legend: bool = False

    @property
    def data(self) -> dict[str, Any]:
        """What the script of the page reads."""
        return {
            "x": self.x,
            "y": self.y,
            "wide": asdict(self.wide.frame),
            "narrow": asdict(self.narrow.frame),
            "series": [asdict(one) for one in self.series],
            "grid": self.grid,
            "lines": self.lines,
        }


def both(
    name: str, title: str, paint: Callable[[Sketch], None], height: int, series: tuple[Series, ...], x: str, y: str,
    *, description: str, grid: dict[str, Any] | None = None, note: str = "", half: bool = False, lines: bool = False,
    has_legend: bool | None = None,
) -> Chart:  # fmt: skip
    """Returns a chart that is drawn twice: for wide pages and for phones.

    Args:
        name: Id of the chart.
        title: What it shows.
        paint: Draws it.
        height: CSS pixels.
        series: What is drawn.
        x: What the horizontal axis is.
        y: What the vertical axis is.
        description: The same in words.
        grid: Rows, columns and values of a heat map.
        note: A sentence below it.
        half: Whether two of it stand side by side on a wide page: one drawing serves both.
        lines: Whether points of a series are joined.
        has_legend: Whether there is a legend; None for one if there are several series.
    """
    with styled():
        wide = draw(f"{name}-w", paint, NARROW if half else WIDE, height)
        narrow = wide if half else draw(f"{name}-n", paint, NARROW, height)
    return Chart(
        name,
        title,
        description,
        wide,
        narrow,
        series,
        x,
        y,
        grid,
        note,
        lines,
        len(series) > 1 if has_legend is None else has_legend,
    )


def lowest(values: Sequence[float]) -> float:
    """Returns the value below which scores are drawn at the edge: one floor of -1e6 would hide all others."""
    if not values:
        return 0.0
    ordered = sorted(values)
    median, best = ordered[len(ordered) // 2], ordered[-1]
    least = best - max(NEAR, SPREADS * (best - max(median, best - NEAR)))
    near = next(value for value in ordered if value >= least)
    # Below the others by a tenth of what they reach over, so that it shows that these are apart.
    return near if near == ordered[0] else near - 0.1 * (best - near or 1.0)


def edge(values: Sequence[float], low: float) -> str:
    """Says how many scores are drawn at the edge; nothing if none is."""
    below = sum(value < low for value in values)
    return (
        f"Scores below {plain(float(f'{low:.3g}'))} are drawn at the edge ({below} of {len(values)})." if below else ""
    )


def axes_of(sketch: Sketch, x: str, y: str, log_x: bool, log_y: bool) -> None:
    """Gives the axes of a sketch their titles and ticks."""
    from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

    axes = sketch.axes
    axes.set_xlabel(x)
    axes.set_title(y, loc="left", fontsize=12, color=ROLES["muted"], pad=8)
    for axis, logarithmic, most in ((axes.xaxis, log_x, 4 if sketch.is_narrow else 7), (axes.yaxis, log_y, 5)):
        if logarithmic:
            axis.set_major_locator(LogLocator(numticks=most + 1))
            axis.set_minor_locator(NullLocator())
            axis.set_major_formatter(lambda value, place: power(round(math.log10(value))) if value > 0 else "")
        else:
            axis.set_major_locator(MaxNLocator(most, integer=axis is axes.xaxis and x in COUNTED))
            axis.set_major_formatter(plain)
    axes.grid(axis="x", visible=False)
    axes.spines["left"].set_visible(False)


def plain(value: float, _: float = 0.0) -> str:
    """Writes a number on an axis; the second argument is what Matplotlib passes besides."""
    if value and not 1e-3 <= abs(value) < 1e6:
        return f"{value:.1e}".replace("e-0", "e-").replace("e+0", "e").replace("-", MINUS)
    text = f"{value:,.4f}".rstrip("0").rstrip(".") if abs(value) < 1000 else f"{value:,.0f}"
    return text.replace("-", MINUS)


def power(exponent: int) -> str:
    """Writes a power of ten as one: 10⁻³."""
    if 0 <= exponent <= 2:
        return str(10**exponent)
    return "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def spread(count: int, most: int) -> list[int]:
    """Returns at most so many of the numbers below `count`, at equal distances from 0."""
    return list(range(0, count, max(1, math.ceil(count / most))))
