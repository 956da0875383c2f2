"""Jobs and trainers that misbehave in ways of their own, run by real processes without TensorFlow."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from autofix.change import Patch
from autofix.errors import FixYourCall, FixYourData
from autofix.exits import Exit
from autofix.files import write_json
from autofix.isolation.arrays import packed
from autofix.isolation.home import home
from autofix.isolation.pool import Pool
from autofix.isolation.worker import Request
from autofix.job import Job
from autofix.outcome import Outcome, Status
from autofix.scoring import Score

QUICK = ("autofix.conductor", "tests.isolation.fakes")
RUN = Outcome(Patch(), 0, Status.DONE, Score(0.5, 0.0, (0.5,)))


def execute(job: Job, *, tell: Any) -> Exit:
    """Plays what `job.model` says; leaves a line in `starts` each time that it is begun."""
    out = Path(job.out)
    out.mkdir(parents=True, exist_ok=True)
    with (out / "starts").open("a") as starts:
        starts.write(f"{os.getpid()}\n")
    begun = len((out / "starts").read_text().splitlines())
    tell("reading model and data")
    return PLAYS[job.model](out, begun, tell)


def _good(out: Path, begun: int, tell: Any) -> Exit:
    tell(None, RUN)
    write_json(out / "metrics.json", {"status": "repaired", "begun": begun})
    return Exit.DONE


def _dies_once(out: Path, begun: int, tell: Any) -> Exit:
    if begun == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return _good(out, begun, tell)


def _always_raises(out: Path, begun: int, tell: Any) -> Exit:
    print("about to fail")
    raise ZeroDivisionError("of all things")


def _ten_runs(out: Path, begun: int, tell: Any) -> Exit:
    """Ends with each run that it finishes; ten are what there is to do."""
    for _ in range(begun):
        tell(None, RUN)
    if begun < 10:
        sys.stdout.flush()
        os._exit(3)
    return _good(out, begun, tell)


def _forever(out: Path, begun: int, tell: Any) -> Exit:
    tell(None, RUN)
    try:
        while True:
            time.sleep(0.01)
    finally:
        (out / "tidied").touch()


STEADY_RUNS = 60


def _steady(out: Path, begun: int, tell: Any) -> Exit:
    """Makes so many runs in a slot, one file each, and none that has one."""
    client = home()
    assert client is not None
    pool = Pool(lambda: client, packed(nothing), packed(Trainer), 1)
    for number in range(STEADY_RUNS):
        path = out / "trials" / f"{number:03}.json"
        if not path.exists():
            answer = pool.ask(packed(Request("sleep", (0.03,))), deadline=0.0, grace=1e6)
            write_json(path, {"number": number, "slot": answer.value})
        tell(None, RUN)
    return _good(out, begun, tell)


def _dies_stopping(out: Path, begun: int, tell: Any) -> Exit:
    try:
        return _forever(out, begun, tell)
    finally:
        os._exit(9)


def _with_slots(out: Path, begun: int, tell: Any) -> Exit:
    """Has two slots at work, whose process ids it writes down, and does nothing else."""
    client = home()
    assert client is not None
    pool = Pool(lambda: client, packed(nothing), packed(Trainer), 2)
    threads = [
        threading.Thread(
            target=pool.ask,
            args=(packed(Request("hang", (str(out / f"slot-{number}"),))),),
            kwargs={"deadline": 0.0, "grace": 1e6},
            daemon=True,
        )
        for number in range(2)
    ]
    for thread in threads:
        thread.start()
    while len(list(out.glob("slot-*"))) < 2:
        time.sleep(0.01)
    (out / "working").touch()
    return _forever(out, begun, tell)


def _deaf(out: Path, begun: int, tell: Any) -> Exit:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    tell(None, RUN)
    while True:
        time.sleep(0.01)


def _bad_data(out: Path, begun: int, tell: Any) -> Exit:
    raise FixYourData("x must hold rows.")


PLAYS = {
    "good": _good,
    "dies_once": _dies_once,
    "always_raises": _always_raises,
    "ten_runs": _ten_runs,
    "forever": _forever,
    "deaf": _deaf,
    "dies_stopping": _dies_stopping,
    "with_slots": _with_slots,
    "steady": _steady,
    "bad_data": _bad_data,
}


@dataclass
class Trainer:
    """Does at once what it is asked for, and says what it sees."""

    array: np.ndarray | None = None
    rung: float = 1.0
    traces: int = 0

    def add(self, one: int, other: int) -> int:
        return one + other

    def process(self) -> int:
        return os.getpid()

    def compile(self) -> int:
        self.traces += 1
        return os.getpid()

    def sleep(self, seconds: float) -> int:
        time.sleep(seconds)
        return os.getpid()

    def hang(self, marker: str = "") -> None:
        if marker:
            Path(marker).touch()
        while True:
            time.sleep(3600)

    def deaf(self) -> None:
        """Hangs where no signal handler of Python's gets a word in."""
        ctypes.CDLL(None).pause()

    def kill(self, number: int) -> None:
        os.kill(os.getpid(), number)

    def kill_once(self, marker: str) -> int:
        """Is killed the first time, and returns how often it was asked."""
        with Path(marker).open("a") as file:
            file.write(".")
        if Path(marker).stat().st_size == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return Path(marker).stat().st_size

    def leave(self, status: int) -> None:
        sys.stderr.write("this is the end\n")
        sys.stderr.flush()
        os._exit(status)

    def fail(self) -> None:
        raise ZeroDivisionError("of all things")

    def refuse(self) -> None:
        raise FixYourCall("`metric` must return one number.")

    def fill(self) -> int:
        """Runs out of memory under a limit of its own."""
        resource.setrlimit(resource.RLIMIT_DATA, (2**30, 2**30))
        return len(bytearray(2**32))

    def unsendable(self) -> Any:
        return lambda: None

    def is_mapped(self) -> tuple[bool, float]:
        assert self.array is not None
        return isinstance(self.array, np.memmap), float(self.array.sum())

    def raised(self) -> float:
        self.rung /= 2
        return self.rung


def nothing() -> None:
    """Sets nothing up."""


def broken() -> None:
    raise ImportError("no such module on the other side")
