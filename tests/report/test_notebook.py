"""What a notebook shows of results, findings and patches, and of the progress."""

from __future__ import annotations

import re
import sys
from types import SimpleNamespace

import pytest

from autofix import progress
from autofix.budget import Budget, Clock
from autofix.change import Patch
from tests.doubles import outcome
from tests.report.samples import FOUND, HOSTILE, PATCH, SAMPLES
from tests.report.test_html import Elements


@pytest.mark.parametrize("name", SAMPLES)
def test_small_escaped_and_of_one_piece(reports, name):
    made = reports[name].result._repr_html_()
    assert len(made) < 150_000
    assert "<script" not in made
    page = Elements(made)
    assert not {"style", "link", "script", "img"} & {tag for tag, _ in page.tags}
    for tag in ("div", "span", "table", "ol", "details"):
        assert made.count(f"<{tag}") == made.count(f"</{tag}>")
    # The text has the colour of the notebook, whatever its theme.
    assert not re.search(r"(?<![-\w])color:", made)


def test_result_says_what_counts(reports):
    said = re.sub(r"<[^>]*>", " ", reports["repaired"].result._repr_html_())
    for part in ("REPAIRED", "0.928 ± 0.015", "Gradients vanish.", "sigmoid", "relu", "falls by 0.310", "12.3 s"):
        assert part in said


def test_finding_and_patch():
    said = FOUND[1]._repr_html_()
    assert "The learning rate is too low." in said
    assert "severity 0.5" in said
    assert "compile/optimizer/learning_rate" in PATCH._repr_html_()
    assert "Nothing is changed." in Patch()._repr_html_()


def test_hostile_names_are_text(reports):
    made = reports["hostile"].result
    for said in (made._repr_html_(), made.patch._repr_html_(), made.diagnosis[0]._repr_html_()):
        assert HOSTILE not in said
        assert "&lt;script&gt;" in said


def test_progress_is_one_output_that_is_replaced(monkeypatch):
    shown: list[str] = []
    handle = SimpleNamespace(update=lambda html: shown.append(html.data))
    display = SimpleNamespace(HTML=lambda text: SimpleNamespace(data=text), display=lambda *one, **more: handle)
    shell = type("ZMQInteractiveShell", (), {})()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    with progress.narrator("auto") as tell:
        tell("searching <b>")
        tell(None, outcome(0.5), Clock(Budget(seconds=60)))
    assert shown.pop() == "<strong>autofix</strong> ended · run 1 · best 0.5000"
    assert shown[0] == "<strong>autofix</strong> searching &lt;b&gt;"
    assert "run 1" in shown[-1]
    assert "best 0.5000" in shown[-1]
    assert "left of 1:00" in shown[-1]
    assert "<progress" in shown[-1]


def test_ipython_in_a_terminal_is_a_terminal(monkeypatch):
    shell = type("TerminalInteractiveShell", (), {})()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    assert not progress._in_notebook()
