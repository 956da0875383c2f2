"""The change log in a terminal: in colour where it is wanted, plain where it is not."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from autofix.report import document, terminal
from tests.report.samples import HOSTILE, SAMPLES


def console(width: int = 100, **more) -> Console:
    return Console(
        file=io.StringIO(), width=width, force_terminal=True, color_system="truecolor", highlight=False, **more
    )


def shown(result, made: Console) -> str:
    terminal.show(result, made)
    return made.file.getvalue()


@pytest.fixture(autouse=True)
def colours(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def test_diff_is_told_apart_by_sign_and_by_colour(reports):
    said = shown(reports["repaired"].result, console())
    assert "\x1b[31m- sigmoid" in said
    assert "\x1b[32m+ relu" in said
    plain = shown(reports["repaired"].result, console(no_color=True))
    for part in ("REPAIRED", "0.100", "0.928", "layers/dense_0/activation", "Gradients vanish."):
        assert "".join(part.split()) in "".join(plain.split())


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("width", [60, 100])
def test_fits_the_terminal(reports, name, width):
    made = console(width, no_color=True)
    with made.capture() as captured:
        terminal.print_document(reports[name].document, made)
    assert max(len(line) for line in captured.get().splitlines()) <= 200
    assert reports[name].result.verdict.name.replace("_", " ") in captured.get()


def test_markup_in_names_is_text(reports):
    assert HOSTILE[:8] in shown(reports["hostile"].result, console())


def test_plain_text_where_nobody_looks(reports):
    result = reports["repaired"].result
    made = Console(file=io.StringIO(), width=40)
    terminal.show(result, made)
    assert made.file.getvalue() == f"{result}\n"


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_plain_text_where_it_is_wanted(monkeypatch, reports, name, value):
    monkeypatch.setenv(name, value)
    result = reports["repaired"].result
    assert shown(result, console()) == f"{result}\n"


def test_floor_of_a_score_is_no_number_to_read(reports):
    assert "without it: the run does not train" in str(reports["regression"].result)
    assert "1000000" not in str(reports["regression"].result)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_table_fits_and_paths_stand_whole_where_there_is_room(reports, width):
    out = io.StringIO()
    terminal.print_document(document.brief(reports["repaired"].result), Console(file=out, width=width))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert any("compile/optimizer/learning_rate" in line for line in lines) == (width >= 80)
    effects = " ".join(line.split("  ")[-1].strip() for line in (line.rstrip() for line in lines))
    assert "without it: balanced accuracy falls by 0.310" in " ".join(effects.split())
