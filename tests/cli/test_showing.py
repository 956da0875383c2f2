"""What is shown of names that anybody may have chosen."""

from __future__ import annotations

import sys

import pytest

from autofix.cli.running import telling
from autofix.cli.showing import show_findings, show_rows
from autofix.cli.terminal import say
from autofix.exits import Exit

# Clears a screen, sets the title of a window; what follows is markup to rich, and its last part an error.
EVIL = "a\x1b[2J\x1b]0;mine\x07[red]b[/c]"


def test_names_give_no_orders_to_the_terminal(capsys):
    from autofix.cli.ending import failure

    say(EVIL)
    failure(EVIL, Exit.USAGE).show()
    show_rows([{"run": EVIL}], ["run"])
    finding = {"symptom": "plateau", "severity": 1.0, "evidence": EVIL, "layer": EVIL}
    show_findings({"sentence": EVIL, "findings": [finding], "notes": [], "told": [EVIL], "unchecked": [EVIL]})
    told = capsys.readouterr()
    for text in (told.out, told.err):
        assert "\x1b" not in text
        assert "\x07" not in text
        assert "[red]b[/c]" in text


def test_a_result_in_colour_gives_no_orders_either(monkeypatch, capsys, tmp_path):
    from dataclasses import replace

    from autofix.change import Patch
    from autofix.cli import showing
    from autofix.report import document, terminal
    from tests.report.samples import RATE, result

    found = result(patch=Patch((replace(RATE, path=f"layers/{EVIL}/units", why=EVIL),)), notes=(EVIL,))
    monkeypatch.setattr(terminal, "is_colourful", lambda console: True)
    monkeypatch.setattr(document, "of_run", lambda run: document.of(found))
    showing._show({"folder": EVIL}, tmp_path)
    told = capsys.readouterr().out
    assert "\x1b" not in told
    assert "\x07" not in told
    assert "[red]b[/c]" in told


@pytest.mark.parametrize("verbose", [0, 1])
def test_progress_is_no_markup(monkeypatch, verbose):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with telling(verbose) as tell:
        tell(EVIL)
