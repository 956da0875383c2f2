"""Worker processes on a real PostgreSQL: exactly N cells done, whoever is killed, whatever goes away."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from autofix.exits import Exit
from autofix.sweeps.board import CELL, DONE
from tests.sweeps.server import down, up
from tests.sweeps.standin import BEGUN, board, cells

# Seconds for anything at all, on a machine that is busy with other things.
LONGEST = 150
TOLD = "told.txt"
pytestmark = pytest.mark.timeout(300)


@contextlib.contextmanager
def workers(count: int, address: str, out: Path, *options: str) -> Iterator[list[subprocess.Popen[bytes]]]:
    out.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "tests.sweeps.standin", address, "s", str(out), *options]
    started = []
    for _ in range(count):
        with (out / TOLD).open("ab") as told:
            started.append(subprocess.Popen(command, stderr=told))
    try:
        yield started
    finally:
        for process in started:
            process.kill()
            process.wait()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONGEST
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.05)


def told(out: Path) -> str:
    """What the workers said."""
    return (out / TOLD).read_text()


def begun(out: Path) -> int:
    path = out / BEGUN
    return len(path.read_text().splitlines()) if path.exists() else 0


def assert_each_done_once(address: str, count: int) -> None:
    trials = board(address, "s")._trials()
    assert Counter(trial.user_attrs[CELL] for trial in trials if trial.state in DONE) == {
        f"model/data/all/seed-{seed}": 1 for seed in range(count)
    }


def test_four_workers_two_of_them_killed_and_the_server_restarted(database, server, tmp_path):
    """Two workers are killed while they work, the server crashes and comes back, and nothing is lost or done twice."""
    board(database, "s").create(cells(40, tmp_path))
    out = tmp_path / "out"
    with workers(4, database, out, "--seconds", "0.3") as running:
        until(lambda: begun(out) >= 6)
        for process in running[:2]:
            process.send_signal(signal.SIGKILL)
        until(lambda: begun(out) >= 14)
        down(server)
        time.sleep(1.0)
        up(server)
        codes = [process.wait(LONGEST) for process in running]
    assert codes == [-signal.SIGKILL] * 2 + [0, 0], told(out)
    assert_each_done_once(database, 40)
    assert "its worker is gone" in told(out)


def test_a_worker_that_is_told_to_leave_gives_its_cell_back(database, tmp_path):
    one = board(database, "s")
    one.create(cells(2, tmp_path))
    out = tmp_path / "out"
    with workers(1, database, out, "--seconds", "600") as (process,):
        until(lambda: begun(out) == 1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(LONGEST) == Exit.TERMINATED
    # Nobody has to find it dead first.
    assert {one.claim().cell, one.claim().cell} == {cell.name for cell in cells(2, tmp_path)}


def test_a_worker_that_comes_back_late_is_refused(database, tmp_path):
    """A process that was stopped for longer than its lease: its cell is done by another, its result dropped."""
    one = board(database, "s")
    one.create(cells(1, tmp_path))
    out = tmp_path / "out"
    with workers(1, database, out, "--seconds", "1") as (late,):
        until(lambda: begun(out) == 1)
        late.send_signal(signal.SIGSTOP)
        until(lambda: bool(one.reap()))
        claim = one.claim()
        late.send_signal(signal.SIGCONT)
        until(lambda: "another worker had taken this one for dead" in told(out))
        from tests.sweeps.test_board import ENDING

        assert one.finish(claim, ENDING)
        assert late.wait(LONGEST) == 0
    assert_each_done_once(database, 1)


def test_a_server_that_stays_away_ends_a_worker_that_can_be_started_again(fresh, server, tmp_path):
    board(fresh, "s").create(cells(2, tmp_path))
    out = tmp_path / "out"
    with workers(1, fresh, out, "--seconds", "1", "--patience", "1.5") as (process,):
        until(lambda: begun(out) == 1)
        down(server)
        try:
            assert process.wait(LONGEST) == Exit.TRY_LATER, told(out)
        finally:
            up(server)
    assert "does not answer" in told(out)
    assert "run the same command again" in told(out)
    assert "Traceback" not in told(out)
    with workers(1, fresh, out, "--seconds", "0") as (process,):
        assert process.wait(LONGEST) == 0, told(out)
    assert_each_done_once(fresh, 2)


def test_creators_that_start_together_on_a_fresh_database_and_workers_that_were_there_before(fresh, tmp_path):
    code = (
        "import sys\nfrom pathlib import Path\nfrom tests.sweeps.standin import board, cells\n"
        "board(sys.argv[1], 's').create(cells(6, Path(sys.argv[2])))\n"
    )
    out = tmp_path / "out"
    with workers(2, fresh, out, "--seconds", "0") as running:
        creators = [subprocess.Popen([sys.executable, "-c", code, fresh, str(tmp_path)]) for _ in range(3)]
        assert [creator.wait(LONGEST) for creator in creators] == [0, 0, 0]
        codes = [process.wait(LONGEST) for process in running]
        assert codes == [0, 0], told(out)
    assert_each_done_once(fresh, 6)


def test_no_tensorflow_is_imported_by_a_worker():
    code = (
        "import sys, autofix.sweeps.sweeping, autofix.supervisor\n"
        "sys.exit(any(name in sys.modules for name in ('tensorflow', 'keras', 'pandas', 'sklearn')))"
    )
    assert subprocess.run([sys.executable, "-c", code], env={**os.environ}, check=False).returncode == 0
