"""What was predicted for rows that the search never saw, before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autofix.report.html import charts
from autofix.report.html.chart import Series
from autofix.report.html.section import NAMES, Document, Figure, Missing, Section, Table, table_of
from autofix.report.words import NOTHING, capital

# Two confusion tables stand side by side if each has room in half of a page, here in characters of its columns; PADDING
# is that of a column, in characters, and RECALL the last column.
HALF_PAGE, PADDING, RECALL = 46, 1.5, 7
# How each kind of panel is read.
LEADS = {
    "confusion": "Rows of a table are the true classes, columns what was predicted.",
    "scatter": "A perfect model puts every dot on the line.",
}


def predictions(document: Document) -> Section | Missing:
    """Confusion of classes, or predicted against true values, on held-out rows."""
    title, found = "Predictions", document.get("predictions") or {}
    shown = {key: found[key] for key in ("before", "after") if found.get(key)}
    if not shown:
        return Missing(title, "no predictions on held-out rows were kept.")
    outputs = []
    count = max(len(parts) for parts in shown.values())
    for index in range(count):
        parts = {key: one[index] for key, one in shown.items() if index < len(one)}
        outputs.append(_output(index, parts, count))
    kinds = {panel["kind"] for output in outputs for panel in output["panels"]}
    said = [sentence for kind, sentence in LEADS.items() if kind in kinds]
    lead = " ".join(["On rows that the search never saw.", *said])
    return Section("predictions", title, "predictions", lead, data={"outputs": outputs})


def _output(index: int, parts: Mapping[str, Any], count: int) -> dict[str, Any]:
    first = next(iter(parts.values()))
    truths = [pair for one in parts.values() for pair in one["pairs"]]
    limits = _limits(truths) if truths else (0.0, 1.0)
    panels = []
    for key, one in parts.items():
        panel: dict[str, Any] = {
            "key": key,
            "label": capital(NAMES[key]),
            "rows": one["rows"],
            "seeds": one.get("seeds", 1),
        }
        if not one["finite"]:
            panel |= {"kind": "broken"}
        elif one["is_multilabel"]:
            panel |= {"kind": "labels", "table": _labels(one)}
        elif one["counts"]:
            panel |= {"kind": "confusion", "classes": one["classes"], "cells": _cells(one["counts"])}
        elif one["pairs"]:
            points = [[true, said] for true, said in one["pairs"]]
            series = Series(key, NAMES[key], points)
            chart = charts.scatter(f"pairs-{index}-{key}", panel["label"], series, limits)
            panel |= {"kind": "scatter", "figure": Figure(chart, table_of(chart))}
        else:
            panel |= {"kind": "broken"}
        panels.append(panel)
    wide = any(_width(panel["classes"], panel["cells"]) > HALF_PAGE for panel in panels if "cells" in panel)
    return {"name": first["output"] if count > 1 else "", "panels": panels, "wide": wide}


def _cells(counts: Sequence[Sequence[int]]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for place, row in enumerate(counts):
        total = sum(row)
        cells = [
            {"count": count, "share": count / total if total else 0.0, "right": column == place}
            for column, count in enumerate(row)
        ]
        rows.append({"cells": cells, "recall": row[place] / total if total else None})
    while rows and not any(cell["count"] for cell in rows[-1]["cells"]):
        rows.pop()  # no row has "no class" as its truth
    return rows


def _width(classes: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> float:
    """Characters that a confusion table is wide."""
    counts = [max((len(str(row["cells"][place]["count"])) for row in rows), default=1) for place in range(len(classes))]
    columns = [max(2, len(name), count) + PADDING for name, count in zip(classes, counts, strict=True)]
    return max(map(len, classes), default=0) + sum(columns) + RECALL


def _labels(one: Mapping[str, Any]) -> Table:
    rows = []
    for name, (true_no, false_yes, false_no, true_yes) in zip(one["classes"], one["counts"], strict=True):
        found = _ratio(true_yes, true_yes + false_no)
        rows.append(
            (name, _ratio(true_yes, true_yes + false_yes), found, str(true_yes + false_no), str(true_no + false_yes))
        )
    return Table("By label", ("label", "precision", "recall", "with it", "without it"), tuple(rows))


def _ratio(part: int, whole: int) -> str:
    return f"{part / whole:.2f}" if whole else NOTHING


def _limits(pairs: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Both axes: the true values with some room; predictions that are far out are drawn at the edge."""
    true = [pair[0] for pair in pairs]
    room = 0.15 * ((max(true) - min(true)) or abs(max(true)) or 1.0)
    return min(true) - room, max(true) + room
