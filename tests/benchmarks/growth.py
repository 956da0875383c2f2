"""How the cost of a repair grows with rows, depth and trials. Every point is measured in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from .table import Bar, Report
from .timing import Spread

ROOT = Path(__file__).resolve().parents[2]
# The most that a repair may take, in failing runs, and by how much memory may grow between 20 and 200 runs.
MOST_AT_A_MILLION_ROWS = 1.5
MOST_MEMORY_GROWTH = 1.5
MEMORY = "memory of the process, peak after 200 runs / after 20 of the same search"
COLUMNS = (
    "growing", "size", "fit s", "repair s", "repair / fit", "runs", "s a run", "peak MiB", "above import MiB",
    "verdict",
)  # fmt: skip
NOTES = (
    "repair / fit: repair over the mean of the failing run before and after it in the same process; budget 10x, but "
    "for trials a fixed number with the search's own patience switched off, on labels drawn by lot.",
    "runs: all training runs, proof included. peak: resident memory; above import: over the peak once TensorFlow and "
    "autofix are imported.",
)


@dataclass(frozen=True)
class Point:
    """One size of one problem.

    Attributes:
        kind: What grows: "rows", "depth" or "trials".
        size: How much of it.
        repetitions: Times it is measured, each in a new process.
        timeout: Seconds after which a process is ended.
    """

    kind: str
    size: int
    repetitions: int = 3
    timeout: float = 600.0


POINTS = (
    Point("rows", 1_000),
    Point("rows", 10_000),
    Point("rows", 100_000),
    Point("rows", 1_000_000, repetitions=2, timeout=1_500.0),
    Point("depth", 2),
    Point("depth", 8),
    Point("depth", 32),
    Point("depth", 64),
    *(Point("trials", size, repetitions=1, timeout=900.0) for size in (10, 20, 30, 100, 200, 300)),
)
QUICK_POINTS = (Point("rows", 1_000, repetitions=1), Point("trials", 10, repetitions=1))


def run(quick: bool, console: Console) -> Report:
    """Measure all points."""
    report = Report("Cost of a repair as the problem grows", COLUMNS, notes=list(NOTES))
    for point in QUICK_POINTS if quick else POINTS:
        with console.status(f"growth: {point.kind} {point.size:,}"):
            figures = summed([measure(point, seed) for seed in range(point.repetitions)])
        report.add(_cells(point, figures), {"kind": point.kind, "size": point.size, **figures})
        if (point.kind, point.size) == ("rows", 1_000_000):
            ratio = figures["ratio"].median if "ratio" in figures else None
            report.bars.append(Bar("1,000,000 rows: repair / fit", ratio, "<=", MOST_AT_A_MILLION_ROWS))
        if (point.kind, point.size) == ("trials", 200):
            report.bars.append(Bar(MEMORY, memory_growth(figures), "<=", MOST_MEMORY_GROWTH))
    return report


def memory_growth(figures: Mapping[str, Any]) -> float | None:
    """Return how the peak of a long search stands to that of its beginning; None where it ended before."""
    early, late = figures.get("after_20_mib"), figures.get("after_200_mib")
    return late.median / early.median if early and late else None


def measure(point: Point, seed: int) -> dict[str, Any]:
    """Measure one point once, in a fresh process; whatever happens to it comes back as a mapping."""
    with tempfile.TemporaryDirectory(prefix="autofix-benchmark-") as folder:
        out, log = Path(folder) / "out.json", Path(folder) / "log.txt"
        paths = [str(ROOT), str(ROOT / "strategies"), os.environ.get("PYTHONPATH", "")]
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(path for path in paths if path),
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        command = [sys.executable, "-m", "tests.benchmarks.point", point.kind, str(point.size), str(seed), str(out)]
        with log.open("w") as stream:
            child = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=stream, stderr=subprocess.STDOUT, start_new_session=True
            )
            try:
                child.wait(point.timeout)
            except subprocess.TimeoutExpired:
                return {"error": f"timeout after {point.timeout:.0f} s"}
            finally:
                if child.poll() is None:
                    os.killpg(child.pid, signal.SIGKILL)
                    child.wait()
        if out.exists():
            found: dict[str, Any] = json.loads(out.read_text())
            return found
        last = log.read_text(errors="replace").strip().splitlines()[-1:]
        return {"error": f"process ended with code {child.returncode}: {''.join(last)[:200]}"}


def summed(repetitions: list[dict[str, Any]]) -> dict[str, Any]:
    """Sum up the repetitions of a point: spreads of its figures, its verdicts, its errors."""
    done = [found for found in repetitions if "error" not in found]
    names = [name for name, value in (done[0] if done else {}).items() if isinstance(value, int | float)]
    return {
        **{name: Spread.of([found[name] for found in done]) for name in names},
        "verdicts": sorted({found["verdict"] for found in done}),
        "errors": [found["error"] for found in repetitions if "error" in found],
    }


def _cells(point: Point, figures: dict[str, Any]) -> list[str]:
    def cell(name: str, digits: int) -> str:
        return figures[name].show(digits) if name in figures else "-"

    return [
        point.kind,
        f"{point.size:,}",
        cell("fit_s", 1),
        cell("repair_s", 1),
        cell("ratio", 2),
        cell("runs", 0),
        cell("run_s", 2),
        cell("peak_mib", 0),
        cell("above_import_mib", 0),
        ", ".join([*figures["verdicts"], *(f"! {error}" for error in figures["errors"])]),
    ]
