"""Command of the quality suite: `python -m tests.quality --help`."""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from .cases import FOLDERS, discover
from .runner import Cache, run_all
from .summary import Row, Summary
from .table import print_header, print_row, print_summary


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.quality", description="Repair every case and take stock.")
    parser.add_argument("--cases", nargs="+", default=["*"], metavar="GLOB", help="names of cases (default: all)")
    parser.add_argument("--seeds", default="0,1,2", help="seeds, separated by commas (default: 0,1,2)")
    parser.add_argument("--budget", default="10x", help="'10x' (at least 10 s) or seconds (default: 10x)")
    parser.add_argument("--jobs", type=int, default=1, help="rows at a time (default: 1; more makes times unreliable)")
    parser.add_argument("--kinds", default=",".join(FOLDERS), help="broken, healthy, hopeless (default: all)")
    parser.add_argument("--out", type=Path, help="JSON file for all results, rewritten after every row")
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path(tempfile.gettempdir()) / "autofix-quality-cache.json",
        help="file that keeps baseline scores and times; delete it to time the runs again (default: %(default)s)",
    )
    parser.add_argument("--baseline-only", action="store_true", help="score the cases themselves, repair nothing")
    parser.add_argument("--verbose", action="store_true", help="also print what each repair printed")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the chosen rows; 0 when every bar holds."""
    options = _parser().parse_args(arguments)
    cases = discover(options.kinds.split(","), options.cases)
    if not cases:
        print(f"`--cases` must match a script under examples/. Received: {options.cases}.", file=sys.stderr)
        return 2
    seeds = [int(seed) for seed in options.seeds.split(",")]
    console = Console(highlight=False)
    print_header(console)
    rows: list[Row] = []
    cache = Cache.open(options.cache)
    stopped = False
    try:
        for row in run_all(cases, seeds, options.budget, cache, options.jobs, options.baseline_only):
            rows.append(row)
            print_row(console, row)
            if options.verbose and row.log:
                console.print(row.log, markup=False, soft_wrap=True)
            if options.out:
                options.out.write_text(json.dumps(Summary.of(rows).to_dict(), indent=1))
    except KeyboardInterrupt:
        stopped = True
        console.print("stopped; what follows counts the finished rows only")
    summary = Summary.of(rows)
    if options.baseline_only:
        return 1 if summary.errors or stopped else 0
    print_summary(console, summary)
    return 0 if summary.passed and not stopped else 1


if __name__ == "__main__":
    sys.exit(main())
