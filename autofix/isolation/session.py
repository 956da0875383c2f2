"""Moves the training of a session into other processes."""

from __future__ import annotations

import contextlib
import logging
import shutil
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from autofix.isolation.arrays import packed
from autofix.isolation.client import Client, ServerGone
from autofix.isolation.home import home
from autofix.isolation.host import Host
from autofix.isolation.pool import Pool
from autofix.isolation.settings import Settings
from autofix.isolation.slot import SlotEnded
from autofix.isolation.trainer import IsolatedTrainer
from autofix.session import Session
from autofix.trainer import Trainer
from autofix.trainer.feed import as_fed
from autofix.trees import mapped

logger = logging.getLogger(__name__)

# How a pickle names what is defined in the script that was started, which no other process imports.
MAIN = b"__main__"
# What the server of a process of the user's own imports.
PRELOAD = ("autofix.trainer", "autofix.session", "autofix.isolation.worker", "autofix.isolation.settings")


class Servers:
    """A server for slots: the one that this process is a child of, or one of its own, replaced when it dies.

    Args:
        given: Client of the server that this process is a child of; None to start one, which imports meanwhile.

    Attributes:
        folder: Private folder for what is shared with slots; it is removed when the server ends.
    """

    def __init__(self, given: Client | None) -> None:
        self._given = given
        self._lock = threading.Lock()
        self._host: Host | None = None
        self._is_ready = False
        if given is not None:
            self.folder = given.folder
            return
        self.folder = Path(tempfile.mkdtemp(prefix="autofix-"))
        self._host = Host.start(preload=PRELOAD, folder=self.folder)

    def client(self) -> Client:
        """Returns a client of a server that is ready.

        Raises:
            ServerGone: If there is none and none can be started.
        """
        if self._given is not None:
            return self._given
        with self._lock:
            if self._host is None or self._host.process.poll() is not None:
                if self._host is not None:
                    self._host.kill()
                self._host, self._is_ready = Host.start(preload=PRELOAD, folder=self.folder), False
            if not self._is_ready:
                self._host.await_ready()
                self._is_ready = True
            return self._host.client

    def close(self) -> None:
        """Ends the server, if it is our own."""
        if self._host is not None:
            self._host.close()
            shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def serving(jobs: int) -> Iterator[Servers | None]:
    """Yields what starts slots; None where runs are to be made in this process.

    A conductor always has its runs made by slots; a process of the user's own, where several are to run at a time.

    Args:
        jobs: Runs at a time.
    """
    given = home()
    if given is None and jobs == 1:
        yield None
        return
    servers = Servers(given)
    try:
        yield servers
    finally:
        servers.close()


def isolated(session: Session, servers: Servers | None, jobs: int) -> Session:
    """Returns a session whose runs are made by slots; the same one, with a note, where that cannot be.

    Args:
        session: What `prepare` made.
        servers: What `serving` yielded.
        jobs: Slots at a time.
    """
    if servers is None:
        return session
    assert isinstance(session.trainer, Trainer)
    local = session.trainer
    arrays = servers.folder / "arrays"
    arrays.mkdir(mode=0o700, exist_ok=True)
    # Cast once: what a slot maps from the file is what it feeds, and no slot holds a copy of it.
    data = replace(session.data, x=mapped(as_fed, session.data.x))
    making = partial(Trainer, data, session.facts, session.scorer, local.start, session.recipe)
    try:
        messages = packed(Settings.of_this_process(jobs)), packed(making, arrays)
    except Exception as error:
        logger.debug("the session cannot be sent", exc_info=True)
        return _noted(session, f"it refers to something that only exists here ({type(error).__name__}: {error})")
    if MAIN in messages[1]:
        return _noted(session, f"{_own(session) or 'what it uses'} is defined in the script that was started")
    pool = Pool(servers.client, *messages, jobs)
    try:
        pool.open()
    except (SlotEnded, ServerGone) as error:
        return _noted(session, f"{error}")
    return replace(session, trainer=IsolatedTrainer(local, pool))


def _own(session: Session) -> str:
    """Names what the user defined in the script itself."""
    objects = [*session.recipe.objects.values(), session.scorer.metric]
    mine = [item for item in objects if getattr(item, "__module__", "") == MAIN.decode()]
    return ", ".join(sorted({getattr(item, "__name__", type(item).__name__) for item in mine}))


def _noted(session: Session, why: str) -> Session:
    note = (
        f"every run was made in this process, not in one of its own: {why}. Import it from a module to have runs made "
        "in other processes"
    )
    return replace(session, facts=replace(session.facts, notes=(*session.facts.notes, note)))
