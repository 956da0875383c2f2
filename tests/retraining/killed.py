"""Kills a retraining before each thing that it does to the disk, and lets the next call go on.

Run as a program, which forks: `python -m tests.retraining.killed FOLDER SCENE EVERY`. It prints what it found as JSON.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

from autofix.retraining import history
from autofix.retraining.asked import Answer
from autofix.retraining.models import BLESSED, MODEL, NOT_BLESSED, Models
from tests.retraining.fakes import answer, data, pipeline, run

# What a process may do to the disk, as Python's audit hooks name it. `open` may be for reading: killed there, too.
EVENTS = ("open", "os.rename", "os.symlink", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.link")
SCENES: dict[str, tuple[Answer, int, int]] = {
    # what comes of the second training, the version that serves then, versions that are there
    "promoted": (answer(0.9, champion=0.8), 2, 1),
    "kept": (answer(0.8, champion=0.8, p_value=0.5), 1, 2),
    "no model": (answer(champion=0.8, verdict="unrepaired", challenger=None, contest=None), 1, 1),
}


def go(folder: Path, scene: str, before: int) -> None:
    """Runs one retraining and dies before its step number `before`."""
    came, _, _ = SCENES[scene]
    settings = pipeline(folder, 4, keep=1, hooks=hooks(folder))
    count = 0

    def step(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal count
        if event in EVENTS and str(folder / "models") in str(arguments[0]):
            count += 1
            if count == before:
                os.kill(os.getpid(), signal.SIGKILL)

    os.fsync = lambda handle: None  # what a killed process wrote is there all the same, and this disk is slow
    sys.addaudithook(step)
    run(settings, came, say=lambda text: None)


def hooks(folder: Path) -> str:
    return f"[{{command: [/bin/sh, -c, 'cat >> {folder}/heard; echo >> {folder}/heard']}}]"


def forked(folder: Path, scene: str, before: int) -> bool:
    """Returns whether it came to its end."""
    child = os.fork()
    if child == 0:
        try:
            go(folder, scene, before)
        except BaseException as error:
            print(f"step {before}: {error!r}", file=sys.stderr)
            os._exit(1)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status not in (0, -signal.SIGKILL):
        raise SystemExit(f"step {before} of {scene!r} ended with {status}")
    return status == 0


def whole(models: Models, serves: tuple[int, ...]) -> list[str]:
    """What is wrong for whoever reads the folder at this moment."""
    faults = []
    current = models.current()
    if current not in serves:
        faults.append(f"{current} serves")
    elif (models.root / "current" / MODEL).read_text() != "first line\nlast line\n":
        faults.append("half a model serves")
    for version in models.versions:
        names = {item.name for item in models.folder(version).iterdir()}
        if len(names & {BLESSED, NOT_BLESSED}) != 1 or not {MODEL, "run.json", "data.json"} <= names:
            faults.append(f"version {version} is not whole: {sorted(names)}")
    told = json.loads((models.root / "current.json").read_text())["version"]
    if told not in serves:
        faults.append(f"current.json says {told}")
    return faults


def main(folder: Path, scene: str, every: int) -> None:
    """Kills before every so-manieth step until there is none, and prints the last one and what was wrong."""
    _, serves, versions = SCENES[scene]
    first = folder / "first"
    run(pipeline(first, 3, keep=1), answer(0.8), say=lambda text: None)
    faults, step, ended = [], 1 - every, False
    while not ended:
        step += every
        place = folder / str(step)
        shutil.copytree(first, place, symlinks=True)
        models = Models(place / "models")
        ended = forked(place, scene, step)
        faults += [f"killed at {step}: {fault}" for fault in whole(models, tuple({1, serves}))]
        # The next call is killed as well, at another step, and the one after that is left alone.
        forked(place, scene, 1 + step * 7 % 40)
        faults += [f"killed again after {step}: {fault}" for fault in whole(models, tuple({1, serves}))]
        data(place, 4)
        forked(place, scene, 0)
        faults += [f"after {step}: {fault}" for fault in whole(models, (serves,))]
        records = [record for record in history.read(models.history) if "status" in record]
        if len(records) != 2 or len({record["id"] for record in records}) != 2:
            faults.append(f"after {step}: the history has {[record['status'] for record in records]}")
        if len(models.versions) != versions:
            faults.append(f"after {step}: versions {models.versions}")
        left = sorted(item.name for item in models.work.iterdir()) + sorted(models.root.glob(".writing-*"))
        if left:
            faults.append(f"after {step}: {left} is left")
        heard = (place / "heard").read_text().split("}\n")[:-1] if (place / "heard").exists() else []
        if not heard:
            faults.append(f"after {step}: nobody was told")
        shutil.rmtree(place)
    print(json.dumps({"steps": step, "faults": faults}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
