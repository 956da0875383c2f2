"""What is told on stderr while a repair works."""

from __future__ import annotations

import io
import re
import sys

import pytest

from autofix import progress
from autofix.budget import Budget, Clock
from autofix.progress import Line, narrator
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


def lines_of(monkeypatch, progress=True, **environment) -> list[str]:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    tell_all(progress)
    return sys.stderr.getvalue().splitlines()


def test_log_gets_one_line_a_phase(monkeypatch):
    said = lines_of(monkeypatch)
    assert said[0] == "autofix: reading model and data"
    assert re.fullmatch(r"autofix: searching, run 3, best 0.7000, (1:00|0:\d\d) left of 1:00", said[1])
    assert len(said) == 2


def test_no_colour_is_a_log(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", Terminal())
    tell_all("auto")
    assert "\x1b" not in sys.stderr.getvalue()
    assert "autofix: searching" in sys.stderr.getvalue()


def test_terminal_shows_phase_run_best_and_time(monkeypatch):
    line = Line()
    assert line.parts == ("",)
    line.take("searching", None, None)
    line.take(None, outcome(0.25), Clock(Budget(seconds=7200)))
    line.take(None, outcome(None), None)
    phase, run, best, left = line.parts
    assert (phase, run, best) == ("searching", "run 2", "best 0.2500")
    assert left in ("2:00:00 left of 2:00:00", "1:59:59 left of 2:00:00")
    assert 0.0 <= line.spent < 0.1
    assert "searching" in progress._coloured(line).plain


def test_worst_score_is_told_too():
    line = Line()
    line.take("searching", outcome(-3.5), None)
    line.take(None, outcome(-4.0), None)
    assert line.parts == ("searching", "run 2", "best -3.5000")


def test_narrator_of_the_caller_is_used():
    told = []
    with narrator(lambda phase, outcome=None, clock=None: told.append(phase)) as tell:
        tell("searching")
    assert told == ["searching"]


def test_line_after_what_was_told():
    line = Line()
    assert line.after("searching") == "searching"
    assert line.after(None, outcome(0.5)) == "searching, run 1, best 0.5000"
    assert line.runs == 1
