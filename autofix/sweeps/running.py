"""Runs cells through the supervisor, one after the other per slot, for as long as there are any to take."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from autofix.errors import Stopped, TryLater
from autofix.exits import Exit
from autofix.job import Job
from autofix.sweeps.board import Board, Claim
from autofix.sweeps.cell import Cell
from autofix.sweeps.ending import Ending

# What ends this worker; its cells are given back.
STOPPED = (Exit.INTERRUPTED, Exit.TERMINATED)
# Cells that end without a result, none that ends with one between them, after which the fault is this machine's: its
# disk or its TensorFlow rather than their data.
LIKE_FAILURES = 3
# Seconds that a worker who has to leave waits for a storage that is away; what it held is found out by the others.
LEAVING = 10.0
Say = Callable[[str], None]


class Ended(Protocol):
    """How a job ended, as the supervisor tells it."""

    @property
    def exit(self) -> Exit:
        """The exit code that it earned."""

    @property
    def document(self) -> dict[str, Any]:
        """What the run folder's `metrics.json` holds."""

    @property
    def error(self) -> str | None:
        """What went wrong."""


class Supervise(Protocol):
    """Does jobs in processes of their own; see `autofix.supervisor.supervise`."""

    def __call__(
        self, jobs: Sequence[Job], *, slots: int, say: Say, on_end: Callable[[Job, Any], None]
    ) -> Sequence[Ended]:
        """Does jobs, tells of each that ended, and returns how they ended."""


@dataclass
class Keeper:
    """Gives signs of life and looks for those of others, in a thread of its own: training may take hours.

    Attributes:
        board: Told of them.
        say: Told of workers that are gone.
    """

    board: Board
    say: Say
    lost: set[Claim] = field(default_factory=set)
    _held: set[Claim] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _over: threading.Event = field(default_factory=threading.Event)

    def hold(self, claim: Claim) -> None:
        """Begins to give signs of life for a cell."""
        with self._lock:
            self._held.add(claim)

    def release(self, claim: Claim) -> None:
        """Gives no more of them."""
        with self._lock:
            self._held.discard(claim)

    @property
    def held(self) -> list[Claim]:
        """Cells under way."""
        with self._lock:
            return list(self._held)

    @contextlib.contextmanager
    def alive(self) -> Iterator[None]:
        """Gives signs of life for as long as the block runs."""
        # What died on this machine needs no waiting, and would otherwise be missed by this very run.
        self._reap()
        thread = threading.Thread(target=self._renew, name="leases", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            # A call that waits for a storage that is away is not waited for: nothing depends on it any more.
            thread.join(timeout=self.board.terms.renew)

    def _renew(self) -> None:
        looked = time.monotonic()
        while not self._over.wait(self.board.terms.renew):
            held = self.held
            # Where the storage stays away, whoever finishes the cell says so.
            with contextlib.suppress(TryLater):
                lost = self.board.renew(held) if held else []
                with self._lock:
                    self.lost |= set(lost)
                    self._held -= self.lost
                # Every worker looks, so that any one of them is enough; seldom, since a look reads the whole study.
                if time.monotonic() - looked >= self.board.terms.dead / 2:
                    looked = time.monotonic()
                    self._reap()

    def _reap(self) -> None:
        for name in self.board.reap():
            self.say(f"{name}: its worker is gone; the cell is put up again")


@dataclass
class Runner:
    """One worker: takes cells, has them done, writes down how they ended.

    Attributes:
        board: The study.
        supervise: Does the repairs.
        load: Returns the cells of the sweep that may be run here, by name and with their run folders.
        slots: Repairs under way at the same time.
        say: Told of each cell that ended.
        tell: Told of the progress of repairs.
        stay: Whether to wait for more cells once all are done.
        finished: Cells that this worker did.
    """

    board: Board
    supervise: Supervise
    load: Callable[[], Mapping[str, Cell]]
    slots: int
    say: Say
    tell: Say
    stay: bool = False
    finished: int = 0

    def __post_init__(self) -> None:
        self._keeper = Keeper(self.board, self.say)
        self._claims: dict[str, tuple[Claim, Cell]] = {}
        self._stopped: Exit | None = None
        self._failed: set[str] = set()
        self._cells: Mapping[str, Cell] = {}
        self._known: set[str] = set()

    def run(self) -> Exit:
        """Works until every cell of the sweep is done.

        Returns:
            DONE; INTERRUPTED or TERMINATED by a signal; TRY_LATER or UNUSABLE if nothing seems to work on this
            machine. Cells under way are given back.

        Raises:
            TryLater: If the storage stays away.
        """
        with _terminable(), self._keeper.alive():
            try:
                while self._stopped is None and self._round():
                    pass
            except KeyboardInterrupt:
                self._stopped = Exit.INTERRUPTED
            except Stopped:
                self._stopped = Exit.TERMINATED
            finally:
                # What is still held was under way when something unforeseen happened, or a signal came in between.
                self.board.patience = replace(self.board.patience, seconds=LEAVING)
                for claim in self._keeper.held:
                    with contextlib.suppress(TryLater):
                        self.board.give_back(claim)
        return self._stopped or Exit.DONE

    def _round(self) -> bool:
        """Does what can be taken now; returns whether something may be left to do."""
        claim = self._claim()
        if claim is not None:
            jobs = self._jobs(claim)
            self.supervise(jobs, slots=self.slots, say=self.tell, on_end=self._end)  # type: ignore[arg-type]
            return True
        # Cells that must not be done here are not waited for.
        open_cells = [name for name, ending in self.board.endings().items() if ending is None and self._accepts(name)]
        if not open_cells and not self.stay:
            return False
        time.sleep(self.board.terms.poll)
        # Those who failed a trial may be gone before they put up the next.
        self.board.put_up(open_cells)
        return True

    def _jobs(self, first: Job) -> Iterator[Job]:
        """Takes cells while slots are free, so that no cell waits here that another worker could do."""
        yield first
        while self._stopped is None and len(self._claims) < self.slots:
            job = self._claim()
            if job is None:
                return
            yield job

    def _claim(self) -> Job | None:
        """Takes a cell that may be run here; None if there is none."""
        claim = self.board.claim(self._accepts)
        if claim is None:
            return None
        self._keeper.hold(claim)
        cell = self._cells[claim.cell]
        self._claims[cell.job.out] = (claim, cell)
        return cell.job

    def _accepts(self, name: str) -> bool:
        if name not in self._known:  # the sweep has grown since, or this is the beginning
            self._cells = self.load()
            self._known |= {name, *self._cells}
        return name in self._cells

    def _end(self, job: Job, ended: Ended) -> None:
        """Writes down how a cell ended, or gives it back."""
        claim, cell = self._claims.pop(job.out)
        self._tell(claim, cell, ended)
        # Signs of life go on until it is told, however long the storage is away; where that fails, `run` gives it back.
        self._keeper.release(claim)

    def _tell(self, claim: Claim, cell: Cell, ended: Ended) -> None:
        """Tells the study of a cell that ended."""
        if ended.exit in STOPPED:
            self._stopped = ended.exit
            self.board.give_back(claim)
            return
        if ended.exit is Exit.TRY_LATER or not ended.document:  # a lock, a disk; or the process died, whatever of
            self.board.give_back(claim, died=ended.exit is not Exit.TRY_LATER)
            self.say(f"{cell.name}: put up again: {ended.error or ended.document.get('error')}")
            self._failed.add(cell.name)
            if len(self._failed) >= LIKE_FAILURES:
                self._stopped = ended.exit
            elif ended.exit is Exit.TRY_LATER:
                time.sleep(self.board.terms.poll)
            return
        self._failed.clear()
        ending = Ending.of(ended.exit, ended.document, ended.error, Path(cell.job.out))
        if claim in self._keeper.lost or not self.board.finish(claim, ending):
            self.say(f"{cell.name}: another worker had taken this one for dead; its result counts")
            return
        self.finished += 1
        self.say(f"{cell.name}: {in_one_line(ending)}")


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """Lets SIGTERM end what this process waits for; while repairs are under way, the supervisor hears signals."""
    if threading.current_thread() is not threading.main_thread():  # Python lets no other thread hear signals
        yield
        return

    def stop(*_: object) -> None:
        raise Stopped

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


def in_one_line(ending: Ending) -> str:
    """Returns how a cell ended, as a line of progress."""
    if ending.error:
        return f"{ending.status}: {ending.error}"
    score = ending.score
    return ending.status if score is None else f"{ending.status}, {score:.3f}"


def whole(exits: Mapping[str, Ending | None]) -> Exit:
    """Returns the exit code of a sweep: that of its worst cell, where unusable is worse than not repaired."""
    codes = {ending.exit for ending in exits.values() if ending is not None}
    if codes - {Exit.DONE, Exit.NO_REPAIR}:
        return Exit.UNUSABLE
    return Exit.NO_REPAIR if Exit.NO_REPAIR in codes else Exit.DONE
