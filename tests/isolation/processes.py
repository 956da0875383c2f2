"""What runs below a process, read from /proc."""

from __future__ import annotations

import time
from pathlib import Path


def table() -> dict[int, tuple[int, str, str]]:
    """Parent, state and command line of every process."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            continue
        found[int(folder.name)] = (int(fields[1]), fields[0], words)
    return found


def below(pid: int) -> list[int]:
    """Process ids of everything below a process, zombies left out, parents before children."""
    rows = table()
    found, new = [], [pid]
    while new:
        new = [one for one, (parent, state, _) in rows.items() if parent in new and state != "Z"]
        found += new
    return found


def alive(pids: list[int]) -> list[int]:
    """Those of some processes that still run."""
    rows = table()
    return [pid for pid in pids if pid in rows and rows[pid][1] != "Z"]


def settled(pid: int, seconds: float = 30.0) -> list[int]:
    """Waits for everything below a process to end; returns what has not."""
    return gone(below(pid), seconds)


def gone(pids: list[int], seconds: float = 30.0) -> list[int]:
    """Waits for processes to end; returns those that have not."""
    until = time.monotonic() + seconds
    while alive(pids) and time.monotonic() < until:
        time.sleep(0.02)
    return alive(pids)
