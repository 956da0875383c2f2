"""Command of the calibration: `python -m tests.calibration --help`."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from tests.benchmarks.table import console as make_console

from .kinds import KINDS
from .mutations import MUTATIONS
from .plan import Job, chosen, plan
from .runner import Runner, missing
from .store import Store
from .summary import Summary, in_order
from .table import print_all
from .verdict import of

# Runs between two lines of progress.
TOLD = 20


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command."""
    made = argparse.ArgumentParser(
        prog="python -m tests.calibration", description="Measure what the symptoms find, and what they invent."
    )
    made.add_argument("--kinds", nargs="+", default=["*"], metavar="GLOB", help="healthy kinds (default: all)")
    made.add_argument("--mutations", nargs="*", default=["*"], metavar="GLOB", help="mutations (default: all)")
    made.add_argument("--seeds", default="0", help="seeds of the broken runs, separated by commas (default: 0)")
    made.add_argument("--kinds-each", type=int, default=3, help="kinds that a mutation is tried on (default: 3)")
    made.add_argument("--healthy", type=int, default=200, help="healthy runs, over all kinds (default: 200)")
    made.add_argument("--jobs", type=int, default=1, help="processes at a time (default: 1)")
    made.add_argument(
        "--out",
        type=Path,
        default=Path(tempfile.gettempdir()) / "autofix-calibration",
        help="folder for what every run showed; what is there is not run again (default: %(default)s)",
    )
    made.add_argument("--rejudge", action="store_true", help="train nothing: judge again what the folder holds")
    made.add_argument("--verbose", action="store_true", help="also list every miss, false alarm and run left out")
    return made


def main(arguments: list[str] | None = None) -> int:
    """Make the runs that are missing, judge all of them; 0 when every bar holds."""
    options = parser().parse_args(arguments)
    kinds, mutations = chosen(KINDS, options.kinds), chosen(MUTATIONS, options.mutations)
    if not kinds or (options.mutations and not mutations):
        print(f"nothing matches. Received: --kinds {options.kinds} --mutations {options.mutations}.", file=sys.stderr)
        return 2
    store, console = Store(options.out), make_console()
    stopped = False
    if options.rejudge:
        there = (job for job in store.jobs() if job.exists)
        jobs = tuple(job for job in there if job.kind in kinds and job.mutation in ("", *mutations))
    else:
        seeds = [int(seed) for seed in options.seeds.split(",")]
        jobs = plan(kinds, mutations, seeds, healthy=options.healthy, kinds_each=options.kinds_each)
        try:
            make(store, jobs, options.jobs, console)
        except KeyboardInterrupt:
            stopped = True
            console.print("stopped; what follows counts the finished runs only")
    summary = judged(store, jobs, console)
    if not summary.verdicts:
        print(f"`--out` must hold runs. Received: {options.out}. Run without --rejudge first.", file=sys.stderr)
        return 2
    passed = print_all(console, summary, verbose=options.verbose)
    (options.out / "findings.json").write_text(json.dumps(summary.to_dict(), indent=1))
    return 0 if passed and not stopped else 1


def make(store: Store, jobs: Sequence[Job], processes: int, console: Console) -> None:
    """Makes the runs that are not there yet."""
    todo = missing(jobs, store)
    if not todo:
        return
    console.print(f"{len(jobs) - len(todo)} of {len(jobs)} runs are there already")
    lock, done = threading.Lock(), 0

    def made(job: Job) -> None:
        nonlocal done
        with lock:
            done += 1
            if done % TOLD == 0 or done == len(todo):
                console.print(f"{done} of {len(todo)} runs made, the last one {job.name}")

    Runner(store, made).run(todo, processes)


def judged(store: Store, jobs: Sequence[Job], console: Console) -> Summary:
    """Judges what is there; tells of runs that have to be made again."""
    verdicts, stale = [], 0
    for job in jobs:
        row = store.get(job)
        if row is None or row["fingerprint"] != job.program().fingerprint():
            stale += 1
            continue
        try:
            verdicts.append(of(job, row))
        except TypeError:
            stale += 1
    if stale:
        console.print(f"{stale} runs are missing, of another program, or with less for the rules to look at: left out")
    return in_order(verdicts)


if __name__ == "__main__":
    sys.exit(main())
