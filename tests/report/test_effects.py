"""A change that no score is lost without: every form of the change log says in the same words why it stays."""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from autofix.change import Patch
from autofix.cli import showing
from autofix.code.reasons import legend
from autofix.report import document, html, notebook, terminal
from autofix.report.change_log import markdown
from tests.report.samples import RATE, result

SAID = "stays the same, but the fault remains"
FOUND = result(patch=Patch((replace(RATE, effect=-0.004),)))


def test_text_and_markdown():
    assert f"without it: balanced_accuracy {SAID}   [learning_rate]" in str(FOUND)
    assert f"   - without it: balanced_accuracy {SAID}\n" in markdown(FOUND)


def test_page():
    page = html.render(document.of(FOUND))
    assert f'<span class="effect-text">Without it: balanced accuracy {SAID}</span>' in page
    assert 'class="bar"' not in page


def test_notebook_and_terminal():
    brief = document.brief(FOUND)
    assert f"without it: balanced accuracy {SAID}" in notebook.result(brief)
    out = io.StringIO()
    terminal.print_document(brief, Console(file=out, width=400, force_terminal=False))
    assert f"without it: balanced accuracy {SAID}" in out.getvalue()


def test_code():
    assert next(legend(FOUND.patch, "r2")) == (1, f"{RATE.path}: {RATE.why} Without it: r2 {SAID}.")


def test_table_of_a_command(capsys):
    lines = [replace(RATE, effect=-0.004), replace(RATE, path="compile/loss", effect=1e6)]
    showing.show_changes({"changes": [change.to_dict() for change in lines], "metric": "r2"})
    said = " ".join(capsys.readouterr().out.split())
    assert "-0.004" not in said
    assert "1000000" not in said
    assert f"Without it: r2 {SAID}. [learning_rate]" in said
    assert "Without it: the run does not train. [learning_rate]" in said
