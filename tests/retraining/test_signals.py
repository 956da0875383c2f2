"""The command is stopped or killed while it trains: it says so where it can, leaves nothing running, and goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from autofix.retraining.models import Models

STUCK = """
import keras
import numpy as np

def build():
    keras.utils.set_random_seed(1)
    hidden = [keras.layers.Dense(32, activation="sigmoid") for _ in range(5)]
    model = keras.Sequential([keras.Input((64,)), *hidden, keras.layers.Dense(10, activation="softmax")])
    model.compile(keras.optimizers.SGD(0.01), "sparse_categorical_crossentropy")
    return model
"""
PIPELINE = """
models: stuck
model: stuck.py:build
data: sklearn:digits
repair: {epochs: 10, budget: 60s}
"""
PATIENCE = 120.0


@pytest.fixture
def stuck(churn):
    (churn.folder / "stuck.py").write_text(STUCK)
    (churn.folder / "stuck.yaml").write_text(PIPELINE)
    return churn


def start(place) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["autofix", "retrain", "stuck.yaml"],
        executable=str(place.folder / "bin" / "autofix"),
        cwd=place.folder,
        env=place.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished_runs(folder: Path) -> list[Path]:
    return sorted(folder.glob("stuck/work/*/run/trials/*.json"))


def await_runs(folder: Path, count: int) -> None:
    until = time.monotonic() + PATIENCE
    while len(finished_runs(folder)) < count:
        assert time.monotonic() < until, "nothing was trained"
        time.sleep(0.05)


def await_silence(folder: Path) -> None:
    """Waits until no process works in the folder any more."""
    until = time.monotonic() + PATIENCE
    while any(_is_in(process, folder) for process in Path("/proc").glob("[0-9]*")):
        assert time.monotonic() < until, "something goes on running"
        time.sleep(0.05)


def _is_in(process: Path, folder: Path) -> bool:
    try:
        return (process / "cwd").resolve() == folder.resolve() and process.name != str(os.getpid())
    except OSError:
        return False


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -9)], ids=["TERM", "INT", "KILL"]
)
def test_stopped_while_it_trains_it_goes_on_with_the_next_call(stuck, number, code):
    process = start(stuck)
    await_runs(stuck.folder, 2)
    process.send_signal(number)
    stdout, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == code
    if number != signal.SIGKILL:
        line = json.loads(stdout.splitlines()[-1])
        assert (line["status"], line["exit_code"]) == ("interrupted", code)
    await_silence(stuck.folder)
    assert Models(stuck.folder / "stuck").current() is None
    known = {path: path.read_bytes() for path in finished_runs(stuck.folder)}
    assert len(known) >= 2
    again = start(stuck)
    await_runs(stuck.folder, len(known) + 1)
    assert {path: path.read_bytes() for path in known} == known  # made once, and read since
    again.kill()
    again.communicate(timeout=PATIENCE)
    await_silence(stuck.folder)
    last = start(stuck)
    stdout, stderr = last.communicate(timeout=600)
    assert last.returncode == 0, stderr
    assert json.loads(stdout.splitlines()[-1])["status"] == "promoted"
    assert not list((stuck.folder / "stuck" / "work").iterdir())
