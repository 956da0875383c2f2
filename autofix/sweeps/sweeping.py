"""`begin`, `join`: a sweep from its config to its summary, and one more worker for it."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import optuna

from autofix.config.paths import is_safe_name
from autofix.errors import FixYourCall, TryLater
from autofix.exits import Exit
from autofix.sweeps import storage, summary
from autofix.sweeps.board import CELLS, READY, Board
from autofix.sweeps.cell import Cell, plan
from autofix.sweeps.config import Sweep
from autofix.sweeps.ending import Ending
from autofix.sweeps.joining import allowed, portable
from autofix.sweeps.patience import Patience
from autofix.sweeps.running import STOPPED, Runner, Say, Supervise, whole
from autofix.sweeps.summary import Row
from autofix.sweeps.terms import TERMS, Terms

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Swept:
    """What came of a sweep.

    Attributes:
        name: Name of its study.
        rows: One a cell.
        exit: What the shell is told.
    """

    name: str
    rows: tuple[Row, ...]
    exit: Exit


def begin(
    sweep: Sweep,
    *,
    base: Path,
    supervise: Supervise,
    say: Say,
    tell: Say = lambda line: None,
    allow_unsafe: bool = False,
    terms: Terms = TERMS,
) -> Swept:
    """Does a sweep, or what is left of it, and writes its summary. Other workers may do part of it.

    Args:
        sweep: The config.
        base: Folder that files are named relative to in the study.
        supervise: Does the repairs.
        say: Told of each cell that ended.
        tell: Told of the progress of repairs.
        allow_unsafe: Whether model files may hold Lambda layers.
        terms: How long to wait for what.

    Raises:
        FixYourCall: If the study is that of another sweep.
        TryLater: If the storage stays away.
        OSError: If the folder of the sweep cannot be written to.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    out = Path(sweep.out)
    cells = plan(sweep, allow_unsafe=allow_unsafe)
    out.mkdir(parents=True, exist_ok=True)
    address = sweep.storage or str(out / storage.JOURNAL)
    name = sweep.study or out.resolve().name
    board = Board(storage.create(address, terms), name, Patience(terms, terms.patience, address), terms)
    board.create(portable(cells, base))
    _warn(board, say)
    # This user's own config says what is run: what the study says of the cells is not needed here.
    here = {cell.name: cell for cell in cells}
    endings: Mapping[str, Ending | None] = board.endings()
    left = sum(endings.get(cell) is None for cell in here)
    say(f"{len(cells)} cells, {len(cells) - left} done already" if left < len(cells) else f"{len(cells)} cells")
    runner = Runner(board, supervise, lambda: here, sweep.jobs or 1, say, tell)
    code = runner.run()
    try:
        done = board.endings()
    except TryLater as error:
        if code not in STOPPED:
            raise
        say(f"{error} The next run writes the summary.")
        return Swept(name, tuple(summary.rows(cells, endings)), code)
    endings = {cell: done.get(cell) or runner.refused.get(cell) for cell in here}
    code = code or whole(endings)
    rows = tuple(summary.rows(cells, endings))
    summary.bring_home(cells, done)
    summary.write(out, rows, summary.document(name, rows, code))
    return Swept(name, rows, code)


def join(
    address: str,
    name: str,
    *,
    folder: Path,
    out: Path,
    supervise: Supervise,
    say: Say,
    tell: Say = lambda line: None,
    slots: int = 1,
    wait: float = 0.0,
    stay: bool = False,
    allow_code: bool = False,
    allow_unsafe: bool = False,
    terms: Terms = TERMS,
) -> Exit:
    """Works on a sweep that somebody began, until it is done.

    Args:
        address: Its storage.
        name: Name of its study.
        folder: Where files that the study names are; others are not read.
        out: Folder for run folders.
        supervise: Does the repairs.
        say: Told of each cell that ended.
        tell: Told of the progress of repairs.
        slots: Repairs under way at the same time.
        wait: Seconds to wait until the sweep is begun.
        stay: Whether to wait for more cells once all are done.
        allow_code: Whether functions that the study names may be run.
        allow_unsafe: Whether model files may hold Lambda layers.
        terms: How long to wait for what.

    Raises:
        FixYourCall: If there is no such sweep, or nothing of it may be done here.
        TryLater: If the storage stays away.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    if not is_safe_name(name):
        raise FixYourCall(f"`--study` must be the name of a sweep. Received: {name!r}.")
    deadline = time.monotonic() + wait
    opened = storage.join(address, terms, wait=wait)
    board = Board(opened, name, Patience(terms, terms.patience, address), terms)
    while not _is_ready(board):
        if time.monotonic() >= deadline:
            raise FixYourCall(
                f"the sweep {name!r} has not begun. Start it with `autofix sweep`, or pass a longer --wait."
            )
        time.sleep(min(terms.poll, max(0.0, deadline - time.monotonic())))
    _warn(board, say)
    refusals: set[str] = set()

    def refuse(line: str) -> None:
        if line not in refusals:
            refusals.add(line)
            say(line)

    def load() -> dict[str, Cell]:
        documents = board.attributes().get(CELLS, {})
        return allowed(
            documents,
            folder=folder,
            out=out,
            allow_code=allow_code,
            allow_unsafe=allow_unsafe,
            say=refuse,
        )

    if not load():
        raise FixYourCall(f"no cell of the sweep {name!r} can be done here: see above.")
    runner = Runner(board, supervise, load, slots, say, tell, stay=stay)
    code = runner.run()
    say(f"{runner.finished} cells done by this worker")
    if runner.refused and not code:
        endings = board.endings()
        left = [cell for cell in runner.refused if endings.get(cell) is None]
        if left:
            say(f"{len(left)} cells cannot be done here: see above")
            return Exit.UNUSABLE
    return code


def _warn(board: Board, say: Say) -> None:
    for difference in board.differing():
        say(f"warning: {difference}; scores of the same cell may differ")


def _is_ready(board: Board) -> bool:
    try:
        return bool(board.attributes().get(READY))
    except FixYourCall:
        return False
