"""`Lease`: who works on a cell; `Watch`: which workers are dead, told on the own clock alone."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Lease:
    """A sign of life.

    Attributes:
        holder: The worker: no two have the same.
        count: Signs given so far.
        home: The machine and its processes' numbering; two workers with the same home see each other's processes.
        pid: Its process there.
        born: When that process began, in ticks since its machine started: numbers of processes are used again.
    """

    holder: str
    count: int
    home: str
    pid: int
    born: str

    @classmethod
    def new(cls) -> Lease:
        """Returns the lease of a new worker in this process."""
        return cls(uuid.uuid4().hex, 0, home(), os.getpid(), birth(os.getpid()) or "")

    def to_dict(self) -> dict[str, Any]:
        """Returns the lease as JSON-ready data."""
        return {"holder": self.holder, "count": self.count, "home": self.home, "pid": self.pid, "born": self.born}


def home() -> str:
    """Returns what tells this machine's processes from all others'; "" where that cannot be told."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def birth(pid: int) -> str | None:
    """Returns when a process of this machine began, in ticks; None if there is none, or it is a zombie."""
    try:
        # The name in parentheses may hold anything, so count from the last one.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


def is_gone(lease: Mapping[str, Any] | None) -> bool:
    """Whether a worker is known to be gone without waiting: it was a process of this machine, and is no more."""
    if not lease or not lease.get("home") or lease["home"] != home():
        return False
    return birth(int(lease["pid"])) != str(lease["born"])


@dataclass
class Watch:
    """Watches the counters of leases.

    Attributes:
        dead: Seconds on this clock for which a counter has to stand still.
        clock: Tells the seconds.
    """

    dead: float
    clock: Callable[[], float] = time.monotonic
    _seen: dict[int, tuple[Any, float]] = field(default_factory=dict)

    def lost(self, leases: Iterable[tuple[int, Mapping[str, Any] | None]]) -> list[int]:
        """Returns the trials whose workers are dead.

        Args:
            leases: Of all trials that run: number of the trial, and its lease; None while its worker gave no sign yet.
        """
        now, seen, lost = self.clock(), {}, []
        for trial, lease in leases:
            sign = (lease["holder"], lease["count"]) if lease else None
            known, since = self._seen.get(trial, (sign, now))
            since = since if known == sign else now
            seen[trial] = (sign, since)
            if now - since >= self.dead or is_gone(lease):
                lost.append(trial)
        self._seen = seen
        return lost
