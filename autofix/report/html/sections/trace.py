"""What the probes saw of the run as it came and of the repaired one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from autofix.report.html import charts
from autofix.report.html.chart import Series, spread
from autofix.report.html.section import (
    NAMES,
    Document,
    Figure,
    Missing,
    Section,
    Table,
    cell_text,
    runs_of,
    table_of,
)  # fmt: skip
from autofix.report.words import capital, metric_text

# Colours of the heat maps span at most so many powers of ten, and leave out this share of the norms at either end: one
# step that explodes would leave a single colour to all others.
DECADES, OUTLYING = 12, 0.03
# Rates of the range test that are marked.
MARKED_RATES = 3
# Shares below this are shown as none.
LEAST_SHARE = 0.005
# Settings of `compile` and `fit`, and of layers, with which the same predictions have another loss.
OF_LOSS, PENALTY = ("loss", "loss_weights", "class_weight"), "regularizer"
# Layers that are listed, the worst ones of deep models.
MOST_LAYERS = 20


def curves(document: Document) -> Section | Missing:
    """Loss and validation score along training."""
    title, runs = "Training curves", runs_of(document)
    if not runs:
        return Missing(title, "no run was looked at while it trained.")
    figures = []
    losses = [Series(key, NAMES[key], run["loss"]) for key, run in runs.items() if run["loss"]]
    broken = [_broken(NAMES[key], run) for key, run in runs.items() if run.get("non_finite_step") is not None]
    if len(losses) > 1 and _has_another_loss(document):
        broken.append("What the loss measures was changed: the two are not on one scale.")
    if losses:
        chart = charts.curves(
            "loss-chart", "Training loss", losses, x="training step", y="loss", note=" ".join(broken), has_legend=True
        )
        figures.append(Figure(chart, table_of(chart)))
    metric = metric_text(document["metric"])
    scored = [Series(key, NAMES[key], run["scores"]) for key, run in runs.items() if run["scores"]]
    if scored:
        chart = charts.curves(
            "score-chart", "Validation score", scored, x="epoch", y=metric, clamp=True, has_legend=True
        )
        figures.append(Figure(chart, table_of(chart)))
    if not figures:
        return Missing(title, "the runs ended before a loss or a score was read.")
    lead = f"One run each, seed {next(iter(runs.values()))['seed']}; the loss is averaged over stretches of steps."
    return Section("curves", title, lead=lead, figures=tuple(figures))


def range_test(document: Document) -> Section | Missing:
    """Loss against learning rate."""
    title, found = "Learning-rate range test", document.get("range_test")
    if not found or len(found["rates"]) < 2:
        return Missing(title, "none was made: no strategy needed one.")
    points = [[rate, loss] for rate, loss in zip(found["rates"], found["losses"], strict=False)]
    rates = found["candidates"][:MARKED_RATES]
    marks = [(rate, f"{rate:.2g}") for rate in rates]
    one = Series("after", "loss", points)
    chart = charts.curves(
        "range-chart", "Loss at growing learning rates", [one], x="learning rate", y="loss", log_x=True, marks=marks
    )
    said = ", ".join(f"{rate:.2g}" for rate in rates)
    lead = f"One training step at each rate (Smith 2017).{f' Rates worth a run: {said}.' if said else ''}"
    return Section("range-test", title, lead=lead, figures=(Figure(chart, table_of(chart)),))


def gradients(document: Document) -> Section | Missing:
    """Gradient norm of each layer along training."""
    title, figures = "Gradient flow", []
    found = {key: run["gradients"] for key, run in runs_of(document).items() if run["gradients"]["steps"]}
    norms = [value for one in found.values() for row in one["norms"] for value in row if value]
    if not norms:
        return Missing(title, "no gradients were read.")
    logs = sorted(math.log10(value) for value in norms if value > 0)
    out = int(OUTLYING * len(logs))
    high = math.ceil(logs[len(logs) - 1 - out])
    low = max(high - DECADES, math.floor(logs[out]))
    beyond = logs[0] < low or logs[-1] > high
    for key, one in found.items():
        chart = charts.heat_map(
            f"gradients-{key}",
            capital(NAMES[key]),
            one["layers"],
            one["steps"],
            one["norms"],
            (low, max(high, low + 1)),
        )
        picked = spread(len(one["steps"]), 6)
        rows = tuple(
            (layer, *(cell_text(row[column]) for column in picked))
            for layer, row in zip(one["layers"], one["norms"], strict=True)
        )
        head = ("layer", *(f"step {one['steps'][column]:,}" for column in picked))
        figures.append(Figure(chart, Table(f"Gradient norms {NAMES[key]}", head, rows)))
    cut = max(one["all_layers"] - len(one["layers"]) for one in found.values())
    more = f" Of deep models only some layers are shown ({cut} are not)." if cut else ""
    ends = " Norms beyond its ends have the colour of the end." if beyond else ""
    lead = f"Norm of the gradient of each layer's kernel, input at the top, on one scale for all.{ends}{more}"
    return Section("gradients", title, lead=lead, figures=tuple(figures))


def units(document: Document) -> Section | Missing:
    """Dead and saturated units per layer."""
    title = "Dead and saturated units"
    found = {
        key: {one["layer"]: one for one in run["units"] if one["activation"] != "linear"}
        for key, run in runs_of(document).items()
    }
    found = {key: one for key, one in found.items() if one}
    if not found:
        return Missing(title, "no layer with an activation was read.")
    there = [
        name
        for name in ("dead", "saturated")
        if any((layer[name] or 0.0) >= LEAST_SHARE for one in found.values() for layer in one.values())
    ]
    if not there:
        return Missing(title, "there are none, in any layer.")
    worst: dict[str, float] = {}
    for one in found.values():
        for layer, reading in one.items():
            worst[layer] = max(worst.get(layer, 0.0), *(reading[name] or 0.0 for name in there))
    least = sorted(worst.values(), reverse=True)[:MOST_LAYERS][-1]
    layers = [layer for layer, share in worst.items() if share >= max(least, LEAST_SHARE)]
    rows = [
        {
            "layer": layer,
            "cells": [
                {"key": key, "share": one[layer][name] if layer in one else None}
                for key, one in found.items()
                for name in there
            ],
        }
        for layer in layers
    ]
    meaning = {
        "dead": "Dead: a unit is 0 for every row.",
        "saturated": "Saturated: an output is within 1% of a bound of its activation.",
    }
    none = "" if len(there) > 1 else f" No layer has {'saturated' if there == ['dead'] else 'dead'} units."
    left = len(worst) - len(layers)
    others = (
        f" {left} {'layer' if left == 1 else 'layers'} with fewer or none {'is' if left == 1 else 'are'} left out."
        if left > 0
        else ""
    )
    means = " ".join(meaning[name] for name in there)
    lead = f"At the end of training, on a sample of training rows. {means}{none}{others}"
    data = {"keys": [NAMES[key] for key in found], "names": there, "rows": rows}
    return Section("units", title, "units", lead, data=data)


def _has_another_loss(document: Document) -> bool:
    places = [path.split("/") for line in document.get("changes") or [] for path in line["places"]]
    return any(
        (path[0] != "layers" and path[1:2] and path[1] in OF_LOSS) or path[-1].endswith(PENALTY) for path in places
    )


def _broken(name: str, run: Mapping[str, Any]) -> str:
    """Says where the loss was no longer finite, and what its mark on the chart is."""
    kind, _, layer = (run.get("non_finite_origin") or "").partition(":")
    arose = f"; it arose in the {kind}{f' {layer}' if layer else ''}" if kind else ""
    step = run["non_finite_step"]
    return f"{capital(name)} (\N{MULTIPLICATION SIGN}): the loss was NaN or infinite at step {step:,}{arose}."
