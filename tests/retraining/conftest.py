"""One real retraining, from the command line, that the tests of examples and documentation go on from."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "scheduling"

HEAVY = ("tensorflow", "keras", "optuna", "sklearn", "pandas")
# The command, which says on standard error in the end what heavy modules its own process has imported.
PROBE = f"""
import sys
from autofix.cli import main
try:
    main(sys.argv[1:])
finally:
    print("imported:", [name for name in {HEAVY} if name in sys.modules], file=sys.stderr)
"""


@dataclass(frozen=True)
class Place:
    """A folder in which `autofix` can be called.

    Attributes:
        folder: The folder, with the files of the examples, fresh data and a first version.
        first: What the command that made it wrote and how it ended.
    """

    folder: Path
    first: subprocess.CompletedProcess[str] | None = None

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": f"{self.folder / 'bin'}:/usr/local/bin:/usr/bin:/bin", "HOME": str(self.folder)}

    def run(self, command: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/bash", "-eo", "pipefail", "-c", command],
            capture_output=True,
            text=True,
            timeout=170,
            cwd=self.folder,
            env={**self.environment, **more},
        )


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The first retraining of the example."""
    folder = tmp_path_factory.mktemp("churn")
    for item in EXAMPLES.iterdir():
        if item.is_file():
            shutil.copy(item, folder)
    (folder / "bin").mkdir()
    for name, words in (("autofix", "-m autofix "), ("python", "")):
        shim = folder / "bin" / name
        path = f"{ROOT}:{ROOT / 'strategies'}"
        shim.write_text(f'#!/bin/sh\nPYTHONPATH={path} exec {sys.executable} {words}"$@"\n')
        shim.chmod(0o755)
    place = Place(folder)
    made = place.run("python churn.py 800 1 0")
    assert made.returncode == 0, made.stderr
    (folder / "probe.py").write_text(PROBE)
    return Place(folder, place.run("python probe.py retrain pipeline.yaml"))


@pytest.fixture
def churn(trained: Place, tmp_path: Path) -> Place:
    """A copy of the folder of the first retraining, to do with as one likes."""
    shutil.copytree(trained.folder, tmp_path / "churn", symlinks=True)
    return Place(tmp_path / "churn", trained.first)
