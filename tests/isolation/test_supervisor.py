"""Jobs in processes of their own: what dies is started again, what is stopped can go on, nothing stays behind."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from autofix.exits import Exit
from autofix.job import Job
from autofix.supervisor import LIKE_FAILURES, Ended, supervise
from tests.isolation.fakes import PLAYS, QUICK
from tests.isolation.processes import settled

EXECUTE = "tests.isolation.fakes:execute"


def job(play: str, out: Path) -> Job:
    return Job(play, "data", str(out / play))


@pytest.fixture(autouse=True)
def no_orphans():
    """Whatever a test does, nothing of it runs afterwards."""
    yield
    assert settled(os.getpid()) == []


@pytest.fixture(scope="module")
def all_at_once(tmp_path_factory) -> dict[str, Any]:
    """One supervisor over everything that ends by itself: a server takes seconds to start."""
    out, said, told = tmp_path_factory.mktemp("runs"), [], []
    plays = ["good", "dies_once", "always_raises", "ten_runs", "bad_data"]
    ended = supervise(
        [job(play, out) for play in plays],
        slots=2,
        say=said.append,
        on_end=lambda one, how: told.append((one.model, how)),
        execute=EXECUTE,
        preload=QUICK,
    )
    return {"ended": dict(zip(plays, ended, strict=True)), "said": said, "told": dict(told), "out": out}


def starts(out: Path, play: str) -> int:
    return len((out / play / "starts").read_text().splitlines())


def test_result_is_what_the_run_folder_says(all_at_once):
    assert all_at_once["ended"]["good"] == Ended(Exit.DONE, {"status": "repaired", "begun": 1})


def test_killed_conductor_is_started_again(all_at_once):
    assert all_at_once["ended"]["dies_once"] == Ended(Exit.DONE, {"status": "repaired", "begun": 2})
    assert any("SIGKILL" in line and "dies_once" in line for line in all_at_once["said"])


def test_same_end_again_and_again_is_enough(all_at_once):
    ended = all_at_once["ended"]["always_raises"]
    assert ended.exit is Exit.UNUSABLE
    assert "ZeroDivisionError: of all things" in ended.error
    assert "exit status 1" in ended.error
    assert starts(all_at_once["out"], "always_raises") == LIKE_FAILURES


def test_ends_with_progress_between_them_are_not_counted(all_at_once):
    assert all_at_once["ended"]["ten_runs"].exit is Exit.DONE
    assert starts(all_at_once["out"], "ten_runs") == 10


def test_refused_data_is_said_not_tried_again(all_at_once):
    assert all_at_once["ended"]["bad_data"] == Ended(Exit.UNUSABLE, {}, "x must hold rows.")
    assert starts(all_at_once["out"], "bad_data") == 1


def test_every_end_is_told_once(all_at_once):
    assert all_at_once["told"] == all_at_once["ended"]
    assert set(PLAYS) >= set(all_at_once["told"])
