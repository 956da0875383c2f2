"""A sweep with real repairs by several machines' worth of workers, one of which is killed in the middle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from autofix.exits import Exit
from tests.sweeps.load import MODELS, SWEEP

AUTOFIX = [sys.executable, "-m", "autofix"]


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_a_sweep_on_a_database_survives_the_death_of_a_worker(fresh, tmp_path):
    here = tmp_path / "sweep"
    here.mkdir()
    (here / "models.py").write_text(MODELS)
    (here / "sweep.yaml").write_text(SWEEP.format(seeds="0, 1, 2"))
    environment = {**os.environ, "AUTOFIX_STORAGE": fresh}
    worker = subprocess.Popen(
        [*AUTOFIX, "worker", "--study", "s", "--allow-code", "--wait", "5m", "--out", "remote"],
        cwd=here,
        env=environment,
    )
    sweep = subprocess.Popen(
        [*AUTOFIX, "sweep", "sweep.yaml", "--study", "s", "--format", "json"],
        cwd=here,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + 600
        while not list((here / "remote").rglob("seed-*")):  # it has begun a cell
            assert time.monotonic() < deadline
            assert worker.poll() is None
            time.sleep(0.2)
        worker.send_signal(signal.SIGKILL)
        summary = json.loads(sweep.communicate(timeout=1200)[0])
    finally:
        worker.kill()
        sweep.kill()
        worker.wait()
        sweep.wait()
    assert (sweep.returncode, summary["done"]) == (Exit.DONE, 3)
    assert {row["status"] for row in summary["rows"]} <= {"repaired", "improved"}
    assert all(row["after"] > row["before"] for row in summary["rows"])
    again = subprocess.run(
        [*AUTOFIX, "sweep", "sweep.yaml", "--study", "s"], cwd=here, env=environment, capture_output=True, check=False
    )
    assert b"3 done already" in again.stderr
    assert b"importing TensorFlow" not in again.stderr
