"""Repairs that only sleep: what is tested is who does which cell, not what is done there."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from autofix.cli.ending import ending
from autofix.cli.terminal import say
from autofix.exits import Exit
from autofix.files import write_json
from autofix.job import Job
from autofix.supervisor import Ended
from autofix.sweeps import storage, sweeping
from autofix.sweeps.board import Board
from autofix.sweeps.cell import Cell
from autofix.sweeps.patience import Patience
from autofix.sweeps.terms import Terms

# Short, but long enough that a machine that is ten times slower does not take the living for dead.
QUICK = Terms(renew=0.3, dead=6.0, poll=0.1, patience=60.0, opening=20.0, first_pause=0.05, longest_pause=0.5)
# File of a worker's folder that has a line for every cell that was begun.
BEGUN = "begun"


def cells(count: int, folder: Path) -> tuple[Cell, ...]:
    """Cells that differ in their seeds."""
    return tuple(
        Cell("model", "data", "all", Job("sklearn:digits", "sklearn:digits", "", seed=seed), inputs()).placed(folder)
        for seed in range(count)
    )


def inputs() -> str:
    from autofix.sweeps.cell import inputs_of

    return inputs_of(Job("sklearn:digits", "sklearn:digits", ""))


def board(address: str, name: str, terms: Terms = QUICK) -> Board:
    return Board(storage.create(address, terms), name, Patience(terms, terms.patience, address), terms)


def sleeping(seconds: float, log: Path | None = None) -> Any:
    """Returns what stands for `supervise`: does one job after the other by sleeping."""

    def supervise(
        jobs: Iterable[Job], *, slots: int, say: Callable[[str], None], on_end: Callable[[Job, Ended], None]
    ) -> list[Ended]:
        ended = []
        for job in jobs:
            if log is not None:
                with log.open("a") as lines:
                    lines.write(f"{job.seed}\n")
            time.sleep(seconds)
            document = {"status": "repaired", "metric": "r2", "before": {"mean": 0.1}, "after": {"mean": 0.9}}
            write_json(Path(job.out) / "metrics.json", document)
            (Path(job.out) / "patch.yaml").write_text("changes: []\n")
            ended.append(Ended(Exit.DONE, document))
            on_end(job, ended[-1])
        return ended

    return supervise


@click.command()
@click.argument("address")
@click.argument("study")
@click.argument("out", type=Path)
@click.option("--seconds", type=float, default=0.2)
@click.option("--patience", type=float, default=QUICK.patience)
def main(address: str, study: str, out: Path, seconds: float, patience: float) -> None:
    """A worker in a process of its own."""
    with ending():
        code = sweeping.join(
            address,
            study,
            folder=Path(),
            out=out,
            supervise=sleeping(seconds, out / BEGUN),
            say=say,
            wait=60.0,
            terms=replace(QUICK, patience=patience),
        )
    sys.exit(int(code))


if __name__ == "__main__":
    main()
