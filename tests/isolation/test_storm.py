"""kill -9 at random moments loses nothing: a quick job by default, a real repair as a slow test."""

from __future__ import annotations

import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from tests.isolation.fakes import STEADY_RUNS
from tests.isolation.storm import storm

ENV = {**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}


def test_quick_job_survives(tmp_path):
    command = [sys.executable, "-m", "tests.isolation.supervised", str(tmp_path), "steady"]
    found = storm(command, tmp_path / "steady", kills=8, seed=1, pause=(0.05, 0.8), env=ENV)
    assert found.broken == []
    assert (found.code, len(found.kept)) == (0, STEADY_RUNS)
    assert sum(found.killed.values()) > 3


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_repair_survives_fifty_kills(tmp_path):
    """The command line as users have it: as many runs as without a storm, and the same result."""
    import keras
    import numpy as np

    rng = np.random.default_rng(0)
    x = rng.normal(size=(1500, 12)).astype("float32")
    y = (x[:, :3].sum(1) > 0).astype("int32") + (x[:, 3] > 1)
    np.savez(tmp_path / "data.npz", x=x, y=y)
    keras.utils.set_random_seed(1)
    hidden = [keras.layers.Dense(32, "sigmoid") for _ in range(5)]
    model = keras.Sequential([keras.Input((12,)), *hidden, keras.layers.Dense(3, "softmax")])
    model.compile(keras.optimizers.SGD(1e-4), "sparse_categorical_crossentropy")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras' own, about NumPy
        model.save(tmp_path / "model.keras")

    def command(out: str) -> list[str]:
        words = ["repair", str(tmp_path / "model.keras"), "--data", str(tmp_path / "data.npz")]
        options = ["--out", str(tmp_path / out), "--epochs", "150", "--budget", "2h", "--jobs", "2"]
        return [sys.executable, "-m", "autofix", *words, *options]

    calm = storm(command("calm"), tmp_path / "calm", kills=0, seed=0, env=ENV)
    wild = storm(command("wild"), tmp_path / "wild", kills=50, seed=7, pause=(0.05, 1.5), env=ENV)
    assert (calm.code, calm.broken) == (0, [])
    assert wild.broken == []
    assert wild.code == 0
    assert sorted(wild.kept) == sorted(calm.kept)
    assert _result(tmp_path / "wild") == _result(tmp_path / "calm")


def _result(folder: Path) -> dict[str, Any]:
    found = json.loads((folder / "metrics.json").read_text())
    return {key: found[key] for key in ("status", "trials", "after")}
