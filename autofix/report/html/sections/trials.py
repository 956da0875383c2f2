"""All runs of a search in their order, what they tried, and what mattered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autofix.report.html import charts
from autofix.report.html.chart import Series
from autofix.report.html.section import Document, Figure, Missing, Section
from autofix.report.words import metric_text

# Strategies that are listed by what the scores depend on.
MOST_IMPORTANT = 8
TOO_FEW = "Too few candidates to tell: shares of variance need a dozen of them."
# Role (and so colour), kind of a run, and what runs of that kind are called.
KINDS = (
    ("before", "as it came", "as it came"),
    ("control", "candidate", "candidates"),
    ("after", "the repair", "the repair"),
)


def search(document: Document) -> Section | Missing:
    """All runs in their order, what they tried, and what mattered."""
    if document.get("retrained") is False:
        return Missing("The search", "there was none: the trained weights were kept.")
    trials, metric = document.get("trials") or [], metric_text(document["metric"])
    scored = [trial for trial in trials if _score(trial) is not None]
    if len(trials) < 2 or not scored:
        return Missing("The search", "there was none: at most one run was made.")
    series = []
    for key, kind, label in KINDS:
        of_kind = [trial for trial in scored if trial["kind"] == kind]
        points = [[float(trial["number"]), _score(trial)] for trial in of_kind]
        texts = tuple("; ".join(trial["changes"]) or "nothing changed" for trial in of_kind)
        if points:
            series.append(Series(key, label, points, texts))
    best: list[list[float | None]] = []
    for trial in scored:
        reached = _score(trial) or 0.0
        best.append([float(trial["number"]), max(reached, best[-1][1] or 0.0) if best else reached])
    chart = charts.history("search-chart", "Score of every training run", series, best, y=metric)
    spent = sum(trial["seconds"] for trial in trials)
    ended = {kind: sum(trial["status"] == kind for trial in trials) for kind in ("pruned", "diverged", "failed", "cut")}
    words = {"pruned": "stopped early", "diverged": "diverged", "failed": "failed", "cut": "cut off by the time"}
    said = ", ".join(f"{count} {words[kind]}" for kind, count in ended.items() if count)
    ends = f"; {said}" if said else ""
    lead = f"{len(trials)} training runs, {spent:.1f} s of training{ends}. The line is the best score so far."
    important = document.get("importances")
    data = {
        "trials": trials,
        "importances": list((important or {}).items())[:MOST_IMPORTANT],
        "why_none": "No study of the search is at hand." if important is None else TOO_FEW,
        "tried": _tried(trials),
    }
    return Section("search", "The search", "search", lead, (Figure(chart),), data)


def _tried(trials: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each strategy: how many candidates used it, and the best score among them."""
    found: dict[str, list[float | None]] = {}
    for trial in trials:
        if trial["kind"] != "as it came":
            for name in trial["strategies"]:
                found.setdefault(name, []).append(trial["score"])
    rows = [
        {"name": name, "count": len(reached), "best": max((one for one in reached if one is not None), default=None)}
        for name, reached in found.items()
    ]
    return sorted(rows, key=lambda row: -row["count"])


def _score(trial: Mapping[str, Any]) -> float | None:
    score: float | None = trial["holdout"] if trial["score"] is None else trial["score"]
    return score
