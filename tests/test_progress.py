"""What is told on stderr while a repair works."""

from __future__ import annotations

import io
import sys

import pytest

from autofix.budget import Budget, Clock
from autofix.progress import narrator
from tests.doubles import outcome


def tell_all(progress) -> None:
    with narrator(progress) as tell:
        tell("reading model and data")
        tell(None, outcome(0.5), Clock(Budget()))
        tell(None, outcome(None), Clock(Budget(seconds=60)))
        tell(None, outcome(0.7), Clock(Budget(seconds=60)))
        tell("searching")


def test_silence(capsys):
    tell_all(False)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_auto_is_silent_where_nobody_looks(capsys):
    tell_all("auto")
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_auto_tells_a_terminal(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", Terminal())
    tell_all("auto")
    said = sys.stderr.getvalue()
    assert "autofix" in said


def test_nothing_on_stdout_even_when_asked_to_tell(capsys):
    tell_all(True)
    assert capsys.readouterr().out == ""


def test_error_inside_goes_through():
    def fails() -> None:
        with narrator(True) as tell:
            tell("searching")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
