"""What a notebook shows of a result, a finding or a patch: small pieces of HTML with inline styles alone.

Text keeps the colour of the notebook, light or dark; before and after are told apart by tint and by sign.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from autofix.report.words import (
    count_text,
    effect_text,
    measured_text,
    metric_text,
    outputs_text,
    over_text,
    seconds_text,
)

# Findings and causes shown; the rest are counted.
FINDINGS, CAUSES = 3, 3
LINE = "border-top:1px solid rgba(127,127,127,.35);"
SOFT = "opacity:.8;font-size:.9em;"
CODE = "font-family:ui-monospace,Menlo,Consolas,monospace;font-size:.9em;overflow-wrap:anywhere;"
BEFORE, AFTER = "rgba(217,95,2,.18)", "rgba(31,111,200,.2)"
BOX = "max-width:46em;line-height:1.45;font-variant-numeric:tabular-nums;text-align:left;"
CELL = "padding:.2em 1em .2em 0;text-align:left;background:none;border:0;"


def result(document: Mapping[str, Any]) -> str:
    """Returns a result in short: verdict, scores, what was wrong and what was changed.

    Args:
        document: See `autofix.report.document.brief`.
    """
    metric = metric_text(document["metric"])
    rows = "".join(
        f'<tr style="background:none"><th style="{CELL}font-weight:400">{label}</th>'
        f'<td style="{CELL}font-weight:600">{_measured(document[key])}</td></tr>'
        for key, label in (("before", "before"), ("control", "trained as long"), ("after", "after"))
        if document.get(key)
    )
    scores = f'<table style="border-collapse:collapse;margin:.5em 0;font-size:inherit">{rows}</table>' if rows else ""
    over = over_text((document["before"] or {}).get("outputs") or {})
    head = f'<div style="{SOFT}">{escape(metric)}{over} on rows the search never saw</div>' if rows else ""
    found = document["diagnosis"]
    wrong = "".join(finding(one) for one in found[:FINDINGS])
    rest = len(found) - FINDINGS
    more = f'<div style="{SOFT}">and {rest} more in <code>.diagnosis</code></div>' if rest > 0 else ""
    steps = "".join(f"<li>{escape(step)}</li>" for step in document["next_steps"])
    notes = "".join(f'<div style="{SOFT}">Note: {escape(note)}</div>' for note in document["notes"])
    return (
        f'<div style="{BOX}"><div><strong>{escape(document["status"].replace("_", " ").upper())}</strong>&ensp;'
        f"{escape(document['verdict'])}</div>{head}{scores}"
        + (_titled("What was wrong", wrong + more) if wrong else "")
        + (_titled("What was changed", patch(document["changes"], metric)) if document["changes"] else "")
        + (_titled("What to look at next", f'<ul style="margin:.2em 0">{steps}</ul>') if steps else "")
        + notes
        + f'<div style="{SOFT}margin-top:.5em">{count_text(document["count"], "training run")}, '
        f"{seconds_text(document['seconds'])}. "
        "<code>.report(&quot;report.html&quot;)</code> writes all of it.</div></div>"
    )


def finding(document: Mapping[str, Any]) -> str:
    """Returns one finding: what, where, its evidence and likely causes.

    Args:
        document: See `Diagnosis.to_dict`.
    """
    where = f' <span style="{CODE}">{escape(document["layer"])}</span>' if document["layer"] else ""
    causes = "".join(f"<li>{escape(cause)}</li>" for cause in document["causes"][:CAUSES])
    folded = (
        f'<details style="{SOFT}"><summary>likely causes</summary><ol style="margin:.2em 0">{causes}</ol></details>'
        if causes
        else ""
    )
    return (
        f'<div style="{BOX}{LINE}padding:.4em 0"><strong>{escape(document["sentence"])}</strong>{where}'
        f"<div>{escape(document['evidence'])}</div>"
        f'<div style="{SOFT}">severity {document["severity"]:.2f}, certainty {document["certainty"]:.2f}</div>'
        f"{folded}</div>"
    )


def patch(lines: Sequence[Mapping[str, Any]], metric: str = "the score") -> str:
    """Returns the lines of a patch: where, before, after, why and what each is worth.

    Args:
        lines: See `autofix.report.document.line_of`.
        metric: What the effects are measured in.
    """
    if not lines:
        return "<div>Nothing is changed.</div>"
    return (
        f'<div style="{BOX}">' + "".join(_line(number, line, metric) for number, line in enumerate(lines, 1)) + "</div>"
    )


def _line(number: int, line: Mapping[str, Any], metric: str) -> str:
    places = line["places"]
    more = f" and {len(places) - 1} more" if len(places) > 1 else ""
    worth = "; ".join(part for part in (effect_text(line["effect"], metric), line["strategy"]) if part)
    return (
        f'<div style="{LINE}padding:.4em 0">{number}. <span style="{CODE}">{escape(places[0])}</span>{more}'
        f'<div style="{CODE}background:{BEFORE};padding:0 .5em">&minus; {escape(" | ".join(line["before"]))}</div>'
        f'<div style="{CODE}background:{AFTER};padding:0 .5em">+ {escape(line["after"])}</div>'
        f'<div>{escape(line["why"])}</div><div style="{SOFT}">{escape(worth)}</div></div>'
    )


def _titled(title: str, body: str) -> str:
    return f'<div style="margin-top:.6em"><strong>{title}</strong></div>{body}'


def _measured(document: Mapping[str, Any]) -> str:
    parts = escape(outputs_text(document.get("outputs") or {}))
    beside = f' <span style="{SOFT}font-weight:400">({parts})</span>' if parts else ""
    return measured_text(document["mean"], document["spread"], len(document["values"])) + beside
