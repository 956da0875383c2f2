"""`python -m tests.isolation.storm`: kills processes of a command at random moments until it has finished all the same.

    python -m tests.isolation.storm --folder runs/x --kills 50 -- python -m autofix repair ... --out runs/x

Each kill is a SIGKILL: to the supervisor, the server or one of its children (conductor and slots), each as often as the
others.
A command that ends unfinished is started again, with the same words. What must hold at every moment:

- a run that was finished (a file of `trials/`) stays, with the same content;
- every JSON file can be read, every archive (`.keras`, `.npz`) is whole;
- nothing runs any more soon after its supervisor was killed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.isolation.processes import below, gone, table

# Share of kills that may come while the command is still starting; the others wait until something trains or prepares
# to, because starting takes longer than anything else here.
EARLY = 0.25
# Exit codes of a command that has come to its end; any other one asks for another start.
FINISHED = (0, 3)


@dataclass
class Storm:
    """What a command went through.

    Attributes:
        code: Its exit code in the end.
        starts: Times it was started.
        killed: Kills, by what was killed.
        kept: Content of the files of finished runs, by name.
        broken: What did not hold, in words; empty if all is well.
    """

    code: int = -1
    starts: int = 0
    killed: Counter[str] = field(default_factory=Counter)
    kept: dict[str, bytes] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)


def storm(
    command: Sequence[str],
    folder: Path,
    *,
    kills: int,
    seed: int,
    pause: tuple[float, float] = (0.5, 12.0),
    env: Mapping[str, str] | None = None,
    most_starts: int = 200,
) -> Storm:
    """Runs a command to its end against so many kills.

    Args:
        command: The command; it resumes from the folder when it is started again.
        folder: The run folder.
        kills: Processes to kill, if it takes that long.
        seed: Seed of the moments and the victims.
        pause: Least and most seconds between two kills.
        env: Environment of the command.
        most_starts: Starts after which it counts as hopeless.
    """
    draw, found = random.Random(seed), Storm()
    while found.code not in FINISHED and found.starts < most_starts:
        found.starts += 1
        process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None:
            is_early, wait = draw.random() < EARLY, draw.uniform(*pause)
            while process.poll() is None and not is_early and len(below(process.pid)) < 2:
                time.sleep(0.01)
            until = time.monotonic() + wait
            while process.poll() is None and time.monotonic() < until:
                time.sleep(0.01)
            if process.poll() is None and sum(found.killed.values()) < kills:
                _kill(process, draw, found)
            _look(folder, found)
        found.code = process.returncode
    _look(folder, found)
    return found


def _kill(process: subprocess.Popen[bytes], draw: random.Random, found: Storm) -> None:
    everything = [process.pid, *below(process.pid)]
    kinds: dict[str, list[int]] = {}
    for pid in everything:
        kinds.setdefault(_name(pid, process.pid), []).append(pid)
    kind = draw.choice(sorted(kinds))
    victim = draw.choice(kinds[kind])
    try:
        os.kill(victim, signal.SIGKILL)
    except ProcessLookupError:  # it ended by itself
        return
    found.killed[kind] += 1
    if victim == process.pid:
        process.wait()
        left = gone(everything, 20.0)
        if left:
            found.broken.append(f"{len(left)} processes outlived their supervisor")


def _name(pid: int, supervisor: int) -> str:
    """Supervisor, server, or a child of the server."""
    parent, _, words = table().get(pid, (0, "", ""))
    if pid == supervisor:
        return "supervisor"
    return "server" if parent == supervisor and "isolation.server" in words else "child"


def _look(folder: Path, found: Storm) -> None:
    """Compares what is finished with what was, and reads every file."""
    now = {}
    for path in sorted(folder.glob("trials/*.json")):
        now[path.name] = path.read_bytes()
    for name, content in found.kept.items():
        if now.get(name) != content:
            found.broken.append(f"{name} is {'changed' if name in now else 'gone'}")
    found.kept = now
    for path in folder.rglob("*"):
        if any(part.startswith(".") for part in path.relative_to(folder).parts):  # drafts
            continue
        try:
            if path.suffix == ".json":
                json.loads(path.read_bytes())
            elif path.suffix in (".keras", ".npz"):
                with zipfile.ZipFile(path) as archive:
                    assert archive.testzip() is None
        except FileNotFoundError:  # replaced or given up meanwhile
            continue
        except Exception as error:
            found.broken.append(f"{path.name} cannot be read: {error}")
    found.broken += [f"{path.name} was set aside as corrupt" for path in folder.rglob("*.corrupt")]


def main() -> int:
    """Runs a storm and says what came of it; 0 if all held."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pause", type=float, nargs=2, default=(0.5, 12.0))
    parser.add_argument("command", nargs="+")
    asked = parser.parse_args()
    low, high = asked.pause
    found = storm(asked.command, asked.folder, kills=asked.kills, seed=asked.seed, pause=(low, high))
    print(f"exit {found.code}, {found.starts} starts, killed {dict(found.killed)}, {len(found.kept)} finished runs")
    print("\n".join(found.broken) or "nothing lost, nothing corrupt, no orphan")
    return int(bool(found.broken) or found.code not in FINISHED)


if __name__ == "__main__":
    sys.exit(main())
