"""Command of the benchmarks: `python -m tests.benchmarks --help`."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Mapping
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any

from .table import Report, console
from .timing import Spread

MEASUREMENTS = ("steps", "probes", "growth")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command."""
    from . import peers

    made = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Measure what things cost.")
    commands = made.add_subparsers(dest="command", required=True)
    for name, text in (
        ("steps", "microseconds per training step"),
        ("probes", "what probes cost"),
        ("growth", "how the cost of a repair grows"),
        ("repair", "time to a proven repair, against other ways to search"),
        ("all", "all of them, one after the other"),
    ):
        command = commands.add_parser(name, help=text, description=text.capitalize() + ".")
        if name == "repair":
            peers.add_arguments(command)
            continue
        command.add_argument("--out", type=Path, help="JSON file for the results")
        command.add_argument("--quick", action="store_true", help="few repetitions: whether it works, not what it says")
        if name in ("steps", "probes", "all"):
            command.add_argument("--models", nargs="+", default=["*"], metavar="GLOB", help="names of models to time")
    return made


def main(arguments: list[str] | None = None) -> int:
    """Run what was asked for; 0 when every bar holds."""
    options = parser().parse_args(arguments)
    if options.command == "repair":
        return repair(options)
    # Both are read when TensorFlow is imported.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    out = console()
    reports: dict[str, Report] = {}
    for name in MEASUREMENTS if options.command == "all" else (options.command,):
        reports[name] = report = measurement(name, options, out)
        report.print(out)
        if options.out:
            write(options.out, reports)
    passed = all(report.passed for report in reports.values())
    if options.command == "all":
        passed = repair(following(options)) == 0 and passed
    return 0 if passed else 1


def measurement(name: str, options: argparse.Namespace, out: Any) -> Report:
    """Run one benchmark."""
    if name == "growth":
        from . import growth

        return growth.run(options.quick, out)
    if name == "probes":
        from . import probes

        return probes.run(options.models, options.quick, out)
    from . import steps

    return steps.run(options.models, options.quick, out)


def repair(options: argparse.Namespace) -> int:
    """Run the race against other ways to search."""
    from . import peers

    return int(peers.main(options))


def following(options: argparse.Namespace) -> argparse.Namespace:
    """Return the options of `repair` that go with those of `all`: a file beside theirs; quick is one case."""
    arguments = ["repair"]
    if options.quick:
        arguments += ["--cases", "softmax_one_unit"]
    if options.out:
        arguments += ["--out", str(options.out.with_suffix(".repair.json"))]
    return parser().parse_args(arguments)


def write(path: Path, reports: Mapping[str, Report]) -> None:
    """Write the results so far, with what they were measured on."""
    # By import name: TensorFlow comes under several distribution names.
    distributions = packages_distributions()
    machine = {
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        **{name: version(distributions[name][0]) for name in ("tensorflow", "keras", "optuna", "numpy")},
    }
    content = {"machine": machine, **{name: report.to_dict() for name, report in reports.items()}}
    path.write_text(json.dumps(content, indent=1, default=Spread.to_dict))


if __name__ == "__main__":
    sys.exit(main())
