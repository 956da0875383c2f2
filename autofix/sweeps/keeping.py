"""`Keeper`: signs of life for the cells that a worker has, and a look at those of the others."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from autofix.errors import TryLater
from autofix.sweeps.board import Board, Claim

logger = logging.getLogger(__name__)


@dataclass
class Keeper:
    """Gives signs of life and looks for those of others, in a thread of its own: training may take hours.

    Attributes:
        board: Told of them.
        say: Told of workers that are gone.
    """

    board: Board
    say: Callable[[str], None]
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
            try:
                lost = self.board.renew(held) if held else []
                with self._lock:
                    self.lost |= set(lost)
                    self._held -= self.lost
                # Every worker looks, so that any one of them is enough; seldom, since a look reads the whole study.
                if time.monotonic() - looked >= self.board.terms.dead / 2:
                    looked = time.monotonic()
                    self._reap()
            except TryLater:
                logger.debug("no sign of life", exc_info=True)  # whoever finishes the cell says so
            except Exception:  # a thread that ended here would have a living worker taken for dead
                logger.warning("A sign of life could not be given. Trying again.", exc_info=True)

    def _reap(self) -> None:
        for name in self.board.reap():
            self.say(f"{name}: its worker is gone; the cell is put up again")
