"""Time to a repair: `autofix.repair` against what a user would take instead.

Every contender gets the broken scripts of the gallery, the same rows, the same scorer and ten times what the failing
run takes, in a fresh process each. Run it with `python -m tests.benchmarks repair`; several hours for everything, so
give `--out`: a file that is there is taken up again.
"""

from __future__ import annotations

import argparse
import json
import math
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

from rich.text import Text

from tests.quality.cases import ROOT, Case, discover
from tests.quality.runner import BASELINE_TIMEOUT_SECONDS, Cache, Children, kill, run_stage

from .peer_curve import MULTIPLES, Measured, Point, unit_seconds
from .peer_report import line, report
from .peer_row import CONTENDERS
from .table import console

# A row that takes this many times its share hangs.
TIMEOUT_FACTOR = 3.0
TIMEOUT_EXTRA_SECONDS = 240.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("--cases", nargs="+", default=["*"], metavar="GLOB", help="names of cases (default: all)")
    parser.add_argument("--seeds", default="0", help="seeds, separated by commas (default: 0)")
    parser.add_argument(
        "--contenders", nargs="+", default=list(CONTENDERS), choices=list(CONTENDERS), help="default: all of them"
    )
    parser.add_argument("--jobs", type=int, default=1, help="rows at a time (default: 1; more makes times unreliable)")
    parser.add_argument(
        "--out",
        type=Path,
        help="JSON file with every row, rewritten after each; rows in it are not run again unless they failed",
    )
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path(tempfile.gettempdir()) / "autofix-quality-cache.json",
        help="the quality suite's file of baseline scores and times (default: %(default)s)",
    )


@dataclass
class Baselines:
    """The failing and the reference run of each case, measured once and kept in the quality suite's cache."""

    cache: Cache
    children: Children
    locks: dict[tuple[str, int], threading.Lock] = field(default_factory=dict)
    guard: threading.Lock = field(default_factory=threading.Lock)

    def get(self, case: Case, seed: int) -> dict[str, Any]:
        """The measurement; one with an `error` and no score where there is none."""
        with self.guard:
            lock = self.locks.setdefault((case.name, seed), threading.Lock())
        with lock:
            measured = self.cache.get(case, seed)
            if measured is None:
                measured = run_stage("baseline", case, seed, BASELINE_TIMEOUT_SECONDS, self.children)
                measured.pop("log", None)
                if "faulty_score" in measured:
                    self.cache.put(case, seed, measured)
            return measured


def measure(case: Case, seed: int, contender: str, baselines: Baselines) -> Measured:
    """One row, whatever happens to it."""
    row = {"case": case.name, "digest": case.digest, "seed": seed, "contender": contender}
    baseline = baselines.get(case, seed)
    failed = baseline.get("error") or baseline.get("reference_error")
    if failed:
        return Measured(**row, error=f"baseline: {failed}")
    unit, unit_of = unit_seconds(baseline)
    row |= {"unit": unit, "unit_of": unit_of}
    row |= {"faulty": baseline["faulty_score"], "reference": baseline["reference_score"]}
    measured = run_child(contender, case, seed, unit, baselines.children)
    curve = tuple(Point(*point) for point in measured.pop("curve", ()))
    return Measured(**row, **measured, curve=curve)


def run_child(contender: str, case: Case, seed: int, unit: float, children: Children) -> dict[str, Any]:
    """Run one contender in a fresh process; what happens to it comes back as a mapping."""
    if children.stopped:
        return {"error": "stopped"}
    timeout = TIMEOUT_FACTOR * MULTIPLES[-1] * unit + TIMEOUT_EXTRA_SECONDS
    with tempfile.TemporaryDirectory(prefix="autofix-peers-") as folder:
        out, log = Path(folder) / "out.json", Path(folder) / "log.txt"
        paths = [str(ROOT), str(ROOT / "strategies"), os.environ.get("PYTHONPATH", "")]
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(path for path in paths if path),
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        arguments = [contender, str(case.path), str(seed), str(unit), str(out)]
        command = [sys.executable, "-m", "tests.benchmarks.peer_row", *arguments]
        with log.open("w") as stream:
            child = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=stream, stderr=subprocess.STDOUT, start_new_session=True
            )
            children.running.add(child)
            try:
                child.wait(timeout)
            except subprocess.TimeoutExpired:
                return {"error": f"timeout after {timeout:.0f} s"}
            finally:
                kill(child)
                children.running.discard(child)
        if out.exists():
            return dict(json.loads(out.read_text()))
        last = log.read_text(errors="replace").strip().splitlines()[-1:]
        return {"error": f"process ended with code {child.returncode}: {''.join(last)[:200]}"}


def run_all(tasks: Sequence[tuple[Case, int, str]], baselines: Baselines, jobs: int) -> Iterator[Measured]:
    """Measure what is asked for and give the rows back as they complete."""
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        rows = [pool.submit(measure, *task, baselines) for task in tasks]
        try:
            for done in as_completed(rows):
                yield done.result()
        finally:
            for waiting in rows:
                waiting.cancel()
            baselines.children.stop()


def read(path: Path | None) -> dict[str, Measured]:
    """The rows of an earlier run by key, those that failed left out; empty where there is no file."""
    if path is None or not path.exists():
        return {}
    rows = [Measured.of_dict(data) for data in json.loads(path.read_text())["rows"]]
    return {row.key: row for row in rows if not row.error}


def write(path: Path | None, rows: dict[str, Measured]) -> None:
    """Write all rows and what they come to, whole or not at all."""
    if path is None:
        return
    content = {"summary": report(tuple(rows.values())).to_dict(), "rows": [row.to_dict() for row in rows.values()]}
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    partial.write_text(json.dumps(_strict(content), indent=1, allow_nan=False))
    partial.replace(path)


def _strict(value: Any) -> Any:
    """JSON knows no infinity: a time that was never reached is null."""
    if isinstance(value, dict):
        return {key: _strict(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_strict(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def main(options: argparse.Namespace) -> int:
    """Measure what is missing and report on what was asked for; 0 when the bars hold."""
    out = console()
    cases = discover(["broken"], options.cases)
    if not cases:
        print(f"`--cases` must match a script under examples/gallery. Received: {options.cases}.", file=sys.stderr)
        return 2
    seeds = [int(seed) for seed in options.seeds.split(",")]
    wanted = {
        f"{case.digest}:{seed}:{contender}": (case, seed, contender)
        for case in cases
        for seed in seeds
        for contender in options.contenders
    }
    rows = read(options.out)
    missing = [task for key, task in wanted.items() if key not in rows]
    stopped = False
    # A child leads its own process group: without this, a terminated run would leave it behind.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        for row in run_all(missing, Baselines(Cache.open(options.cache), Children()), options.jobs):
            rows[row.key] = row
            out.print(Text(line(row)), soft_wrap=True)
            write(options.out, rows)
    except KeyboardInterrupt:
        stopped = True
        out.print("stopped; what follows counts the finished rows only")
    finally:
        signal.signal(signal.SIGTERM, before)
    summed = report([row for key, row in rows.items() if key in wanted])
    summed.print(out)
    return 0 if summed.passed and not stopped else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks repair", description=__doc__)
    add_arguments(parser)
    sys.exit(main(parser.parse_args()))
