"""Jobs in processes of their own: what dies is started again, what is stopped can go on, nothing stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from autofix.exits import Exit
from autofix.isolation.client import ServerGone
from autofix.isolation.host import Host
from autofix.job import Job
from autofix.supervisor import LIKE_FAILURES, SIGNALS, Ended, supervise
from tests.isolation.fakes import PLAYS, QUICK
from tests.isolation.processes import alive, below, gone, settled

EXECUTE = "tests.isolation.fakes:execute"


def job(play: str, out: Path) -> Job:
    return Job(play, "data", str(out / play))


@pytest.fixture(autouse=True)
def no_orphans():
    """Whatever a test does, nothing of it runs afterwards."""
    yield
    assert settled(os.getpid(), 10.0) == []


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
    assert ended.died
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


class Command:
    """A supervisor in a process of its own."""

    def __init__(self, out: Path, *plays: str) -> None:
        self.out = out
        path = os.pathsep.join(entry for entry in sys.path if entry)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.isolation.supervised", str(out), *plays],
            stdout=subprocess.PIPE,
            stderr=(out / "said").open("w"),
            text=True,
            env={**os.environ, "PYTHONPATH": path},
        )

    def until(self, name: str, count: int = 1) -> list[int]:
        """Waits for files in the run folders; returns everything that runs then, the supervisor first."""
        while len(list(self.out.glob(f"*/{name}"))) < count:
            assert self.process.poll() is None, (self.out / "said").read_text()
            time.sleep(0.02)
        return [self.process.pid, *below(self.process.pid)]

    def ends(self) -> tuple[int, str]:
        said, _ = self.process.communicate(timeout=120)
        return self.process.returncode, said.strip()


@pytest.fixture
def command(tmp_path) -> Iterator[Callable[..., Command]]:
    """Starts supervisors that do not outlive the test."""
    started: list[Command] = []

    def start(*plays: str) -> Command:
        started.append(Command(tmp_path, *plays))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()


@pytest.mark.parametrize(
    ("number", "code", "name"), [(signal.SIGTERM, 143, "TERMINATED"), (signal.SIGINT, 130, "INTERRUPTED")]
)
def test_signal_stops_in_an_orderly_way(tmp_path, command, number, code, name):
    one = command("forever", "with_slots", "dies_stopping")
    everything = one.until("starts", 3)
    everything = one.until("working")
    assert len(everything) == 1 + 1 + 3 + 2
    one.process.send_signal(number)
    assert one.ends() == (code, f"{[name] * 3} []")
    assert gone(everything) == []
    assert (tmp_path / "forever" / "tidied").exists()
    assert (tmp_path / "forever" / "code").read_text() == str(code)
    assert (tmp_path / "with_slots" / "tidied").exists()


def test_terminal_sends_its_signal_to_all_processes_at_once(tmp_path, command):
    one = command("with_slots")
    everything = one.until("working")
    for pid in everything[1:]:
        os.kill(pid, signal.SIGINT)
    time.sleep(0.5)
    assert alive(everything) == everything  # only the supervisor says what happens now
    one.process.send_signal(signal.SIGINT)
    assert one.ends() == (130, "['INTERRUPTED'] []")
    assert gone(everything) == []


def test_second_signal_ends_everything_at_once(tmp_path, command):
    one = command("deaf")
    everything = one.until("starts")
    time.sleep(0.5)  # until it is deaf
    one.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    assert alive(everything) == everything
    one.process.send_signal(signal.SIGTERM)
    assert one.ends() == (143, "['TERMINATED'] []")
    assert gone(everything) == []


@pytest.mark.parametrize("victim", ["supervisor", "server"])
def test_nothing_outlives_what_was_killed(tmp_path, command, victim):
    one = command("with_slots")
    everything = one.until("working")
    supervisor, server, *rest = everything
    folders = private_folders(server)
    assert folders
    os.kill(supervisor if victim == "supervisor" else server, signal.SIGKILL)
    assert gone([server, *rest], 10.0) == []
    if victim == "supervisor":
        assert one.ends() == (-9, "")
        assert not any(folder.exists() for folder in folders)
        return
    until = time.monotonic() + 60
    while starts(tmp_path, "with_slots") < 2 and time.monotonic() < until:
        time.sleep(0.02)
    one.process.terminate()
    assert one.ends() == (143, "['TERMINATED'] []")
    assert (
        "ended with its server" in (tmp_path / "said").read_text()
        or "ended with the process" in (tmp_path / "said").read_text()
    )
    assert not any(folder.exists() for folder in folders)


def test_conductor_takes_its_slots_with_it(tmp_path, command):
    one = command("with_slots")
    one.until("working")
    conductor = int((tmp_path / "with_slots" / "starts").read_text().split()[0])
    server = below(one.process.pid)[0]
    slots = [pid for pid in below(server) if pid != conductor]
    assert len(slots) == 2
    os.kill(conductor, signal.SIGKILL)
    assert gone([conductor, *slots]) == []
    one.process.terminate()
    assert one.ends()[0] == 143


def private_folders(server: int) -> list[Path]:
    words = (Path("/proc") / str(server) / "cmdline").read_bytes().decode().split("\0")
    return [Path(word) for word in words if Path(word).name.startswith("autofix-")]


def test_server_that_cannot_import_is_said(tmp_path):
    ended = supervise([job("good", tmp_path)] * 2, say=lambda line: None, execute=EXECUTE, preload=("no_such_module",))
    assert [one.exit for one in ended] == [Exit.UNUSABLE] * 2
    assert "No module named 'no_such_module'" in (ended[0].error or "")


def test_signals_are_handed_back(tmp_path):
    before = [signal.getsignal(number) for number in SIGNALS]
    assert supervise([], say=lambda line: None) == []
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_another_thread_may_supervise(tmp_path):
    found: list[Ended] = []
    supervising = threading.Thread(
        target=lambda: found.extend(
            supervise([job("good", tmp_path)], say=lambda line: None, execute=EXECUTE, preload=QUICK)
        )
    )
    supervising.start()
    supervising.join()
    assert [one.exit for one in found] == [Exit.DONE]


def test_server_that_hangs_while_it_imports_is_not_waited_for(tmp_path, monkeypatch):
    """Three times, as one that cannot import."""
    monkeypatch.setattr("autofix.supervisor.LONGEST_IMPORT", 0.2)
    (ended,) = supervise([job("good", tmp_path)], say=lambda line: None, preload=("tests.isolation.hanging",))
    assert (ended.exit, ended.died) == (Exit.UNUSABLE, True)
    assert "must be importable, within 0 s" in (ended.error or "")


def test_host_that_hangs_while_it_imports_is_not_waited_for(monkeypatch):
    monkeypatch.setattr("autofix.isolation.host.LONGEST_IMPORT", 0.2)
    host = Host.start(preload=("tests.isolation.hanging",))
    with pytest.raises(ServerGone, match="importing TensorFlow took longer"):
        host.await_ready()
    host.close()
