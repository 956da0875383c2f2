"""What was wrong, what was changed, what it is worth, and how to do it again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autofix.report.html import charts
from autofix.report.html.section import NAMES, Document, Figure, Missing, Section, Table
from autofix.report.words import BEYOND_READING, capital, effect_text, metric_text, over_text, score_text

# Findings below this severity are told of in a list that is folded away; so are all but the first of the others.
LESSER, MOST_FINDINGS = 0.3, 6


def changes(document: Document) -> Section | Missing:
    """What was changed, why, and what each change is worth."""
    title = "What was changed"
    lines = document.get("changes") or []
    if not lines:
        return Missing(title, "nothing was changed.")
    lead = (
        "The trained weights were kept: nothing was trained anew."
        if document.get("retrained") is False
        else "In the order in which they are applied, each with its evidence and what it is worth."
    )
    most = max((line["effect"] or 0.0 for line in lines if (line["effect"] or 0.0) < BEYOND_READING), default=0.0)
    metric = metric_text(document["metric"])
    rows = [
        {
            **line,
            "worth": capital(effect_text(line["effect"], metric)) or "Effect not measured",
            "width": _share(line["effect"], most),
        }
        for line in lines
    ]
    return Section("changes", title, "changes", lead, data={"lines": rows})


def findings(document: Document) -> Section | Missing:
    """What was wrong."""
    found = document.get("diagnosis") or []
    if not found:
        return Missing("What was wrong", "no symptom was found.")
    main = [one for one in found if one["severity"] >= LESSER]
    lesser = [*main[MOST_FINDINGS:], *(one for one in found if one["severity"] < LESSER)]
    healed = bool(document.get("changes"))
    title = "What was wrong" if main and healed else "What was seen"
    return Section(
        "findings", title, "findings", data={"main": main[:MOST_FINDINGS], "lesser": lesser, "causes": not healed}
    )


def scores(document: Document) -> Section | Missing:
    """Scores per seed, before and after."""
    metric = metric_text(document["metric"])
    rows = [
        (key, NAMES[key], document[key]["mean"], document[key]["values"])
        for key in ("before", "control", "after")
        if document.get(key)
    ]
    if not rows:
        return Missing("Scores", "no score was measured on held-out rows.")
    count = max(len(row[3]) for row in rows)
    seeds = document.get("reproduce", {}).get("seeds") or []
    named = [f"seed {seed}" for seed in seeds]
    called = named if len(named) == count else [f"run {place}" for place in range(1, count + 1)]
    head = ("", "mean", "spread", *called)
    how = "Each dot is a run with a seed of its own, the bar is the mean." if count > 1 else "One run."
    over = over_text(document[rows[0][0]].get("outputs") or {})
    lead = f"{capital(metric)}{over} on rows that the search never saw; higher is better. {how}"
    table = {
        "head": head,
        "rows": [
            {"key": key, "label": label, "mean": mean, "spread": document[key]["spread"], "values": values}
            for key, label, mean, values in rows
        ],
    }
    figures = (
        (Figure(charts.strip("scores-chart", "Scores by seed" if count > 1 else "Before and after", rows, metric)),)
        if count > 1 or len(rows) > 1
        else ()
    )
    return Section("scores", "Scores", "scores", lead, figures, {"table": table, "outputs": _by_output(document, rows)})


def _by_output(document: Document, rows: Sequence[tuple[Any, ...]]) -> Table | None:
    """Mean score of each output, where there are several."""
    found = {label: document[key].get("outputs") or {} for key, label, *_ in rows}
    names = list(next(iter(found.values())))
    if not names:
        return None
    cells = tuple((name, *(score_text(scores.get(name)) for scores in found.values())) for name in names)
    return Table("Scores by output", ("output", *found), cells)


def reproduce(document: Document) -> Section | Missing:
    """How to make the repaired model again."""
    title, found = "How to reproduce it", document.get("reproduce") or {}
    if not found.get("patch"):
        return Missing(title, "there is no patch to apply.")
    fit = {key: value for key, value in found.get("fit", {}).items() if key in ("epochs", "batch_size") and value}
    for line in document["changes"]:
        for path in line["places"]:
            key = path.removeprefix("fit/")
            if key in fit:
                fit[key] = line["after"]
    arguments = "".join(f", {key}={value}" for key, value in fit.items())
    return Section("reproduce", title, "reproduce", data={**found, "arguments": arguments})


def versions(document: Document) -> Section | Missing:
    """What it was made with."""
    found = document.get("versions") or {}
    if not found:
        return Missing("Versions", "they were not written down.")
    return Section("versions", "Versions", "versions", data={"versions": found})


def _share(value: float | None, most: float) -> float | None:
    if value is None or value <= 0:
        return None
    return 1.0 if value > BEYOND_READING else min(1.0, value / most)
