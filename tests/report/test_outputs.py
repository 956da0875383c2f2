"""A model of several outputs: every form of the change log says what its score is the mean of, and that of each."""

from __future__ import annotations

import io
import re

from rich.console import Console

from autofix.cli import showing
from autofix.report import document, html, notebook, terminal
from autofix.report.change_log import markdown
from autofix.store.results import _measured
from tests.report.samples import result, several_outputs

FOUND = several_outputs()
PARTS = "kind 0.770, tags 0.820, price 0.870"
OVER = "mean of 3 outputs"


def test_scores_are_written_and_read_back():
    written = FOUND.after.to_dict()
    assert {name: round(value, 9) for name, value in written["outputs"].items()} == {
        "kind": 0.77, "tags": 0.82, "price": 0.87,
    }  # fmt: skip
    assert _measured(written) == FOUND.after
    assert "outputs" not in result().after.to_dict()


def test_text_and_markdown():
    assert f"after             0.820 ± 0.020   ({PARTS})" in str(FOUND)
    assert f"balanced_accuracy and r2, {OVER}, on rows the search never saw" in str(FOUND)
    assert f"| after | 0.820 ± 0.020 ({PARTS}) | 3 |" in markdown(FOUND)
    assert OVER not in str(result()) + markdown(result())


def test_page():
    page = html.render(document.of(FOUND))
    assert f"Balanced accuracy and R\N{SUPERSCRIPT TWO}, {OVER}, on rows the search never saw went from" in page
    assert re.search(r'<th scope="row">price</th><td>0.150</td><td>0.870</td>', page)
    assert "Scores by output" not in html.render(document.of(result()))


def test_notebook_terminal_and_table():
    brief = document.brief(FOUND)
    assert f"({PARTS})" in notebook.result(brief)
    out = io.StringIO()
    terminal.print_document(brief, Console(file=out, width=200, force_terminal=False))
    assert PARTS in out.getvalue()
    assert OVER in out.getvalue()
    table = showing.summarised({**FOUND.to_dict(), "folder": "x"})
    assert re.search(r"  output price +0\.870", table)
