"""The charts of a report: what each of them draws."""

from __future__ import annotations

import math
from collections.abc import Sequence

from autofix.report.html.chart import Chart, Points, Series, axes_of, both, edge, lowest, plain, power, spread
from autofix.report.html.svg import ROLES, Sketch

# Values that reach over more than this factor are drawn on a logarithmic scale.
LOGARITHMIC = 50.0
ZERO = "0 is drawn at the lower edge."
# Of gradients that are not finite; no colour of the scale is near it, for the colour-blind neither.
NOT_FINITE = "#e8590c"
# CSS pixels: the height of a chart, what of a heat map is not colours, and what a label beside its scale takes up.
TALL, AROUND, LABEL = 236, 40, 20
DASHES = {"before": (0, (4, 2)), "control": (0, (1, 1.6)), "after": "solid"}
MARKERS = {"before": "s", "control": "o", "after": "D"}


def curves(
    name: str,
    title: str,
    series: Sequence[Series],
    *,
    x: str,
    y: str,
    log_x: bool = False,
    marks: Sequence[tuple[float, str]] = (),
    clamp: bool = False,
    note: str = "",
    has_legend: bool | None = None,
) -> Chart:
    """Returns a chart of lines.

    Args:
        name: Id of the chart.
        title: What it shows.
        series: The lines, the later ones on top.
        x: Title of the horizontal axis.
        y: Title of the vertical axis.
        log_x: Whether that axis is logarithmic.
        marks: Vertical lines, and what they mark.
        clamp: Whether values far below the others are drawn at the edge.
        note: A sentence below it.
        has_legend: Whether there is a legend; None for one if there are several lines.
    """
    values = [point[1] for one in series for point in one.points if point[1] is not None]
    least = min((value for value in values if value > 0), default=math.inf)
    logarithmic = not clamp and min(values, default=-1.0) >= 0 and max(values) > LOGARITHMIC * least
    low = lowest(values) if clamp else least if logarithmic else -math.inf
    below = ZERO if logarithmic and 0 in values else "" if logarithmic else edge(values, low)
    note = " ".join(part for part in (note, below) if part)
    ends = _ends(series, logarithmic)

    def paint(sketch: Sketch) -> None:
        axes = sketch.axes
        axes.set_xscale("log" if log_x else "linear")
        axes.set_yscale("log" if logarithmic else "linear")
        for one in series:
            where = [point[0] for point in one.points]
            height = [math.nan if point[1] is None else max(low, point[1]) for point in one.points]
            alone = len(height) == 1
            (line,) = axes.plot(
                where, height, color=ROLES[one.key], linestyle=DASHES[one.key], marker="o" if alone else "", label=""
            )
            sketch.group(line, one.key)
            gap = next((number for number, value in enumerate(height) if math.isnan(value)), None)
            if gap is not None:
                # Where a line ends because the loss was no longer finite: at the upper edge, which is where it went.
                (cross,) = axes.plot(
                    where[max(gap - 1, 0)], 0.97, marker="x", markersize=8, markeredgewidth=2, clip_on=False,
                    color=ROLES[one.key], transform=axes.get_xaxis_transform(),
                )  # fmt: skip
                sketch.group(cross, one.key)
        for place, (at, label) in enumerate(marks):
            axes.axvline(at, color=ROLES["muted"], linewidth=1, linestyle=(0, (2, 2)))
            axes.annotate(
                label,
                (at, 1),
                (3, -2 - 14 * place),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                va="top",
                color=ROLES["muted"],
                fontsize=11,
                bbox={"facecolor": ROLES["paper"], "linewidth": 0, "pad": 1},
            )
        axes_of(sketch, x, y, log_x, logarithmic)

    return both(
        name, title, paint, TALL, tuple(series), x, y, note=note, lines=True, has_legend=has_legend,
        description=f"Line chart of {y} against {x}. {ends}",
    )  # fmt: skip


def strip(name: str, title: str, rows: Sequence[tuple[str, str, float, Sequence[float]]], metric: str) -> Chart:
    """Returns a chart of scores: a row of dots, one a seed, and a bar at their mean, for each contender.

    Args:
        name: Id of the chart.
        title: What it shows.
        rows: Role, label, mean and scores.
        metric: Title of the horizontal axis.
    """
    values = [value for row in rows for value in row[3]]
    low = lowest(values)

    def paint(sketch: Sketch) -> None:
        axes = sketch.axes
        for number, (key, _, mean, values) in enumerate(rows):
            shown = [max(low, value) for value in values]
            # Dots of equal scores lie on each other: moved apart up and down, so that each can be counted.
            heights = [number + 0.09 * (index - (len(shown) - 1) / 2) for index in range(len(shown))]
            (bar,) = axes.plot([max(low, mean)] * 2, [number - 0.3, number + 0.3], color=ROLES[key], linewidth=3)
            dots = axes.scatter(shown, heights, s=34, color=ROLES[key], alpha=0.55, linewidths=0, zorder=3)
            sketch.group(bar, key)
            sketch.group(dots, key)
        axes.set_yticks(range(len(rows)), [row[1] for row in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.margins(x=0.08)
        axes.grid(axis="y", visible=False)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(metric)
        axes.xaxis.set_major_formatter(plain)

    series = tuple(
        Series(key, label, [[value, number] for value in values]) for number, (key, label, _, values) in enumerate(rows)
    )
    said = "; ".join(f"{label}: {', '.join(f'{value:.3f}' for value in values)}" for _, label, _, values in rows)
    return both(
        name, title, paint, 62 + 40 * len(rows), series, metric, "", description=f"Scores per seed. {said}.",
        has_legend=False, note=edge(values, low),
    )  # fmt: skip


def scatter(name: str, title: str, one: Series, limits: tuple[float, float]) -> Chart:
    """Returns a chart of predicted against true values, both axes the same, with the line of no error."""

    def paint(sketch: Sketch) -> None:
        axes = sketch.axes
        axes.plot(limits, limits, color=ROLES["muted"], linewidth=1, linestyle=(0, (2, 2)))
        where = [point[0] for point in one.points]
        height = [min(max(point[1] or 0.0, limits[0]), limits[1]) for point in one.points]
        dots = axes.scatter(where, height, s=12, color=ROLES[one.key], alpha=0.45, linewidths=0)
        sketch.group(dots, one.key)
        axes.set_xlim(limits)
        axes.set_ylim(limits)
        axes_of(sketch, "true", "predicted", False, False)

    return both(
        name, title, paint, 300, (one,), "true", "predicted", half=True,
        description=f"Scatter plot of predicted against true values for {len(one.points)} rows.",
    )  # fmt: skip


def heat_map(
    name: str, title: str, rows: Sequence[str], steps: Sequence[int], values: Sequence[Sequence[float | None]],
    scale: tuple[float, float],
) -> Chart:  # fmt: skip
    """Returns a heat map of gradient norms on a logarithmic scale.

    Args:
        name: Id of the chart.
        title: What it shows.
        rows: Layers, from input to output.
        steps: Training step of each column.
        values: Norms [layers, steps]; None where they were not finite.
        scale: Logarithms of the norms at both ends of the colours.
    """
    logs = [[_log(value, scale[0]) for value in row] for row in values]

    def paint(sketch: Sketch) -> None:
        from matplotlib import colormaps

        axes = sketch.axes
        colours = colormaps["cividis"].with_extremes(bad=NOT_FINITE)
        image = axes.imshow(logs, aspect="auto", cmap=colours, vmin=scale[0], vmax=scale[1], interpolation="nearest")
        shown = spread(len(steps), 4 if sketch.is_narrow else 7)
        axes.set_xticks(shown, [f"{steps[column]:,}" for column in shown])
        every = spread(len(rows), 24)
        most = 14 if sketch.is_narrow else 28
        axes.set_yticks(every, [_short(rows[row], most) for row in every])
        axes.grid(visible=False)
        for spine in axes.spines.values():
            spine.set_visible(False)
        axes.set_xlabel("training step of each look")
        bar = axes.figure.colorbar(image, ax=axes, fraction=0.05, pad=0.02, aspect=30)
        bar.outline.set_visible(False)
        bar.ax.tick_params(size=0)
        ticks = range(math.ceil(scale[0]), math.floor(scale[1]) + 1)
        ticks = ticks[:: max(1, math.ceil(len(ticks) / max(2, min(6, (height - AROUND) // LABEL))))]
        bar.set_ticks(list(ticks), labels=[power(tick) for tick in ticks])

    height = max(120, min(560, 58 + round(20 * min(len(rows), 24) + 4 * max(0, len(rows) - 24))))
    said = f"from {power(math.floor(scale[0]))} to {power(math.ceil(scale[1]))}"
    broken = any(value is None for row in values for value in row)
    grid = {"rows": list(rows), "steps": list(steps), "values": [list(row) for row in values]}
    return both(
        name, title, paint, height, (), "training step", "layer", grid=grid,
        note="Orange: the gradient was not finite." if broken else "",
        description=f"Heat map of the gradient norm of {len(rows)} layers at {len(steps)} steps, colours {said}.",
    )  # fmt: skip


def history(name: str, title: str, kinds: Sequence[Series], best: Points, *, y: str) -> Chart:
    """Returns a chart of all training runs in their order, with the best score so far as a line."""
    values = [point[1] for one in kinds for point in one.points if point[1] is not None]
    low = lowest(values)

    def paint(sketch: Sketch) -> None:
        axes = sketch.axes
        axes.step(
            [point[0] for point in best], [max(low, point[1] or 0.0) for point in best], where="post",
            color=ROLES["muted"], linewidth=1,
        )  # fmt: skip
        for one in kinds:
            dots = axes.scatter(
                [point[0] for point in one.points], [max(low, point[1] or 0.0) for point in one.points], s=30,
                marker=MARKERS[one.key], color=ROLES[one.key], alpha=0.8, linewidths=0, zorder=3, clip_on=False,
            )  # fmt: skip
            sketch.group(dots, one.key)
            axes_of(sketch, "training run", y, False, False)

    return both(
        name, title, paint, TALL, tuple(kinds), "run", y, note=edge(values, low),
        description=f"Scatter plot of {y} against number of the run.",
    )  # fmt: skip


def _log(value: float | None, low: float) -> float:
    if value is None:
        return math.nan
    return max(low, math.log10(value)) if value > 0 else low


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else "…" + text[-(most - 1) :]


def _ends(series: Sequence[Series], logarithmic: bool) -> str:
    """Says where the lines begin and end."""
    said = []
    for one in series:
        values = [point[1] for point in one.points if point[1] is not None]
        if values:
            broke = "; it then was no longer finite" if one.points[-1][1] is None else ""
            said.append(f"{one.label}: from {values[0]:.4g} to {values[-1]:.4g}{broke}")
    scale = " The scale is logarithmic." if logarithmic else ""
    return "; ".join(said) + "." + scale
