"""kill -9 at any moment: what serves is whole, and the next call ends where the first would have."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCENES = ("promoted", "kept", "no model")
# A file system in memory: thousands of small files take minutes on a busy disk.
MEMORY = Path("/dev/shm")


@pytest.mark.parametrize(
    ("scene", "every"),
    [*[(scene, 7) for scene in SCENES], *[pytest.param(scene, 1, marks=pytest.mark.slow) for scene in SCENES]],
)
def test_killed_before_any_step(scene, every):
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        done = subprocess.run(
            [sys.executable, "-m", "tests.retraining.killed", folder, scene, str(every)],
            capture_output=True,
            text=True,
            timeout=170,
            cwd=ROOT,
            env={"PYTHONPATH": f"{ROOT}:{ROOT / 'strategies'}", "PATH": "/usr/bin:/bin"},
        )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["faults"] == []
    assert found["steps"] > 20
