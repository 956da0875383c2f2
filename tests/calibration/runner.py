"""Making runs: several in a process, several processes at a time; what is there already is not made again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from .evidence import layout
from .plan import Job
from .store import Store

ROOT = Path(__file__).resolve().parents[2]
# 40 runs leave about 700 MB behind in a process and pay 5-10 s of importing TensorFlow once.
RUNS_PER_PROCESS = 40
# A run takes 1-4 s on a quiet machine, and importing TensorFlow up to a minute on a busy one.
TIMEOUT_SECONDS = 240.0
LOOK_SECONDS = 0.5

Made = Callable[[Job], None]


def missing(jobs: Sequence[Job], store: Store) -> list[Job]:
    """Returns the runs that are not there, or are there of another program or with less for the rules to look at."""
    now = layout()
    found = []
    for job in jobs:
        row = store.get(job)
        if row is None or (row["fingerprint"], row["layout"]) != (job.program().fingerprint(), now):
            found.append(job)
    return found


@dataclass
class Runner:
    """Makes runs in processes of their own.

    Attributes:
        store: Where the results go.
        made: Told of every finished run.
    """

    store: Store
    made: Made
    _running: set[subprocess.Popen[bytes]] = field(default_factory=set)
    _stopped: bool = False

    def run(self, jobs: Sequence[Job], processes: int) -> None:
        """Makes runs; an interrupt ends the processes, and what is finished stays."""
        batches = [jobs[start : start + RUNS_PER_PROCESS] for start in range(0, len(jobs), RUNS_PER_PROCESS)]
        with ThreadPoolExecutor(max_workers=processes) as pool:
            futures = [pool.submit(self._batch, batch) for batch in batches]
            try:
                for future in futures:
                    future.result()
            finally:
                self._stopped = True
                for future in futures:
                    future.cancel()
                for child in tuple(self._running):
                    _end(child)

    def _batch(self, jobs: Sequence[Job]) -> None:
        """Makes some runs; one that hangs or ends its process is given up, and the rest goes on in a new one."""
        left = list(jobs)
        while left and not self._stopped:
            error = self._process(left)
            if left and not self._stopped:
                self.store.put(left[0], _given_up(left[0], error))
                self.made(left.pop(0))

    def _process(self, left: list[Job]) -> str:
        """Runs one process, taking finished runs off the list; returns how it ended."""
        paths = [str(ROOT), str(ROOT / "strategies"), os.environ.get("PYTHONPATH", "")]
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(path for path in paths if path),
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "CUDA_VISIBLE_DEVICES": "-1",
        }
        for job in left:
            self.store.path(job).unlink(missing_ok=True)
        names = [job.name for job in left]
        command = [sys.executable, "-m", "tests.calibration.worker", str(self.store.folder.resolve()), *names]
        self.store.folder.mkdir(parents=True, exist_ok=True)
        with (self.store.folder / f"worker-{time.time_ns()}.log").open("wb") as log:
            child = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
            self._running.add(child)
            try:
                return self._watch(child, left)
            finally:
                _end(child)
                self._running.discard(child)
                if not left:
                    Path(log.name).unlink(missing_ok=True)

    def _watch(self, child: subprocess.Popen[bytes], left: list[Job]) -> str:
        moved = time.monotonic()
        while True:
            ended = child.poll() is not None
            while left and self.store.path(left[0]).exists():
                self.made(left.pop(0))
                moved = time.monotonic()
            if ended:
                return f"the process ended with code {child.returncode}"
            if time.monotonic() - moved > TIMEOUT_SECONDS:
                return f"timeout after {TIMEOUT_SECONDS:.0f} s"
            time.sleep(LOOK_SECONDS)


def _given_up(job: Job, error: str) -> dict[str, object]:
    return {
        "fingerprint": job.program().fingerprint(),
        "layout": layout(),
        "status": "given up",
        "error": error,
        "evidence": None,
        "seconds": TIMEOUT_SECONDS,
    }


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ends a process that leads its own group, and the group with it."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
