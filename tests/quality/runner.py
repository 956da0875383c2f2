"""Running rows: every measurement in a fresh process, several rows at a time, baselines kept in a cache file."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .cases import ROOT, Case
from .summary import Row

# Importing TensorFlow and two plain fits of a gallery script take well under a minute alone; machines are shared.
BASELINE_TIMEOUT_SECONDS = 900.0
REPAIR_TIMEOUT_BUDGETS = 5.0
REPAIR_TIMEOUT_EXTRA_SECONDS = 240.0
# The least a relative budget gives, whatever the run costs.
LEAST_BUDGET_SECONDS = 10.0


@dataclass
class Children:
    """The processes under way, so that Ctrl-C leaves none behind."""

    running: set[subprocess.Popen[bytes]] = field(default_factory=set)
    stopped: bool = False

    def stop(self) -> None:
        """End all of them, and whatever they have started."""
        self.stopped = True
        for child in tuple(self.running):
            kill(child)


def kill(child: subprocess.Popen[bytes]) -> None:
    """End a process that leads its own group, and the group with it."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


@dataclass
class Cache:
    """Baseline scores by (script, hash of the script, seed), kept in one JSON file."""

    path: Path
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def open(cls, path: Path) -> "Cache":
        """Read the file, or start empty where it is missing or torn."""
        try:
            return cls(path, json.loads(path.read_text()))
        except (OSError, ValueError):
            return cls(path)

    def get(self, case: Case, seed: int) -> dict[str, Any] | None:
        """The measurement of this very script, if there is one."""
        return self.entries.get(self._key(case, seed))

    def put(self, case: Case, seed: int, measured: dict[str, Any]) -> None:
        """Keep a measurement and write the file whole, with what other runs of the suite have added meanwhile."""
        with self.lock:
            self.entries = self.open(self.path).entries | self.entries | {self._key(case, seed): measured}
            self.path.parent.mkdir(parents=True, exist_ok=True)
            partial = self.path.with_suffix(f".{os.getpid()}.partial")
            partial.write_text(json.dumps(self.entries, indent=1))
            partial.replace(self.path)

    @staticmethod
    def _key(case: Case, seed: int) -> str:
        return f"{case.kind}/{case.name}:{case.digest}:{seed}"


def budget_seconds(budget: str, faulty_seconds: float, crashed: bool) -> float:
    """Turn "10x" or a number of seconds into seconds, given what the faulty run took."""
    if not budget.endswith("x"):
        return float(budget)
    if crashed:
        return LEAST_BUDGET_SECONDS
    return max(LEAST_BUDGET_SECONDS, float(budget[:-1]) * faulty_seconds)


def run_stage(
    stage: str, case: Case, seed: int, timeout: float, children: Children, extra: Sequence[str] = ()
) -> dict[str, Any]:
    """Run one stage of a row in a fresh process; whatever happens to it comes back as a mapping."""
    if children.stopped:
        return {"error": "stopped", "log": ""}
    with tempfile.TemporaryDirectory(prefix="autofix-quality-") as folder:
        out, log = Path(folder) / "out.json", Path(folder) / "log.txt"
        paths = [str(ROOT), str(ROOT / "strategies"), os.environ.get("PYTHONPATH", "")]
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(path for path in paths if path),
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        arguments = [stage, case.kind, str(case.path), str(seed), str(out), *extra]
        command = [sys.executable, "-m", "tests.quality.row", *arguments]
        with log.open("w") as stream:
            child = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=stream, stderr=subprocess.STDOUT, start_new_session=True
            )
            children.running.add(child)
            try:
                child.wait(timeout)
            except subprocess.TimeoutExpired:
                return {"error": f"timeout after {timeout:.0f} s", "log": _tail(log)}
            finally:
                kill(child)
                children.running.discard(child)
        if out.exists():
            return {**json.loads(out.read_text()), "log": _tail(log)}
        return {"error": f"process ended with code {child.returncode}", "log": _tail(log)}


def _tail(log: Path, characters: int = 6000) -> str:
    return log.read_text(errors="replace")[-characters:]


def run_row(case: Case, seed: int, budget: str, cache: Cache, children: Children, baseline_only: bool = False) -> Row:
    """Measure one case at one seed: the baselines (or their cached scores), then the repair."""
    baseline = cache.get(case, seed)
    if baseline is None:
        baseline = run_stage("baseline", case, seed, BASELINE_TIMEOUT_SECONDS, children)
        if "faulty_score" not in baseline:
            return Row(case.kind, case.name, seed, error=baseline["error"], log=baseline["log"])
        del baseline["log"]
        cache.put(case, seed, baseline)
    row = Row(
        case.kind,
        case.name,
        seed,
        faulty=baseline["faulty_score"],
        faulty_seconds=baseline["faulty_seconds"],
        faulty_error=baseline["faulty_error"],
        reference=baseline.get("reference_score"),
        reference_seconds=baseline.get("reference_seconds"),
        error=baseline.get("reference_error"),
    )
    if baseline_only or row.error:
        return row
    seconds = budget_seconds(budget, baseline["faulty_seconds"], bool(baseline["faulty_error"]))
    timeout = REPAIR_TIMEOUT_BUDGETS * seconds + REPAIR_TIMEOUT_EXTRA_SECONDS
    measured = run_stage("repair", case, seed, timeout, children, [str(seconds)])
    return row.with_repair(seconds, measured)


def run_all(
    cases: Sequence[Case], seeds: Sequence[int], budget: str, cache: Cache, jobs: int = 1, baseline_only: bool = False
) -> Iterator[Row]:
    """Measure every case at every seed and give the rows back as they complete."""
    children = Children()
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        rows = [
            pool.submit(run_row, case, seed, budget, cache, children, baseline_only=baseline_only)
            for case in cases
            for seed in seeds
        ]
        try:
            for done in as_completed(rows):
                yield done.result()
        finally:
            for waiting in rows:
                waiting.cancel()
            children.stop()
