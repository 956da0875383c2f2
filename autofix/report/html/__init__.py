"""The report as one HTML file that needs nothing else: no network, no other file, no script for its essentials.

Charts are drawn by Matplotlib as SVG and take their colours from the page; a small script adds values on hover, by
touch and by keyboard. Jinja2 escapes whatever comes from outside. Why not an interactive plotting library: plotly.js
alone is 4.6 MB, and a report whose charts are drawn by a script is blank without it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autofix import files
from autofix.errors import FixYourCall
from autofix.report.words import capital, metric_text, over_text, score_text, seconds_text

FOLDER = Path(__file__).parent
# What the badge of each verdict looks like: whether there is a sound model, a better one, or none.
TONES = {"repaired": "good", "healthy": "good", "improved": "fair"}


def write(document: Mapping[str, Any], path: str | os.PathLike[str]) -> Path:
    """Writes a report, whole or not at all.

    Args:
        document: What it is about; see `autofix.report.document`.
        path: HTML file to write.

    Returns:
        The path of the file.

    Raises:
        FixYourCall: If what draws the report is not installed.
        OSError: If the file cannot be written.
    """
    text = render(document)
    files.write_text(path, text)
    return Path(path)


def render(document: Mapping[str, Any]) -> str:
    """Returns a report as HTML.

    Raises:
        FixYourCall: If what draws the report is not installed.
    """
    try:
        import jinja2
        import matplotlib as matplotlib  # asked for here, so that one message names all that is missing
        from markupsafe import Markup
    except ImportError as error:
        raise FixYourCall(
            f"the report needs Jinja2 and Matplotlib. Received: {error}. "
            "Install them with `pip install jinja2 matplotlib`."
        ) from error
    from autofix.report.html.sections import sections

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        score=score_text,
        seconds=seconds_text,
        share=lambda value: f"{100 * value:.0f}%",
        drawn=lambda svg: Markup(svg),
    )
    shown, missing = sections(document)
    page = environment.get_template("report.html.j2").render(
        document=document,
        metric=metric_text(document["metric"]),
        tone=TONES.get(document["status"], "none"),
        lead=_lead(document),
        sections=shown,
        missing=missing,
        style=Markup((FOLDER / "report.css").read_text(encoding="utf-8")),
        script=Markup((FOLDER / "report.js").read_text(encoding="utf-8")),
    )
    return page.lstrip()  # macros stand before the first line of the page, and leave theirs empty


def _lead(document: Mapping[str, Any]) -> str:
    """The sentence under the verdict: what the scores are."""
    metric = capital(metric_text(document["metric"]))
    before, after = document.get("before"), document.get("after")
    metric += over_text((before or {}).get("outputs") or {})
    if before and after:
        seeds = len(after["values"])
        over = f"mean of {seeds} seeds" if seeds > 1 else "one run"
        went = f"from {score_text(before['mean'])} to {score_text(after['mean'])}"
        return f"{metric} on rows the search never saw went {went} ({over})."
    if before:
        return f"{metric} on held-out rows is {score_text(before['mean'])}."
    return "No score could be measured on held-out rows."
