"""Jobs and trainers that misbehave in ways of their own, run by real processes without TensorFlow."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from autofix.exits import Exit
from autofix.files import write_json
from autofix.job import Job
from tests.doubles import outcome

QUICK = ("autofix.conductor", "tests.isolation.fakes")


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
    tell(None, outcome(0.5))
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
        tell(None, outcome(0.5))
    if begun < 10:
        sys.stdout.flush()
        os._exit(3)
    return _good(out, begun, tell)


def _forever(out: Path, begun: int, tell: Any) -> Exit:
    tell(None, outcome(0.5))
    try:
        while True:
            time.sleep(0.01)
    finally:
        (out / "tidied").touch()


def _deaf(out: Path, begun: int, tell: Any) -> Exit:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    tell(None, outcome(0.5))
    while True:
        time.sleep(0.01)


def _bad_data(out: Path, begun: int, tell: Any) -> Exit:
    from autofix.errors import FixYourData

    raise FixYourData("x must hold rows.")


PLAYS = {
    "good": _good,
    "dies_once": _dies_once,
    "always_raises": _always_raises,
    "ten_runs": _ten_runs,
    "forever": _forever,
    "deaf": _deaf,
    "bad_data": _bad_data,
}
