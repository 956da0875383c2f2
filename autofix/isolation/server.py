"""`python -m autofix.isolation.server`: imports TensorFlow once, trains nothing, and forks children that do.

A child starts in hundredths of a second where a new interpreter takes 5-10 seconds to import TensorFlow. The server
runs no operation of TensorFlow and has no thread, so that a fork of it is sound. It is a program of its own, not a
`multiprocessing` server: that one imports the user's script again, which fails without a `__main__` guard.

It ends, and all children with it, once the connection to the process that started it is closed.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autofix.isolation import child, lifeline
from autofix.isolation.wire import Wire

# Seconds between looks for ended children.
EVERY = 1.0
# Seconds to wait for the end of a child that was killed; one that waits for a disk takes longer to go.
LAST_BREATH = 10.0


@dataclass
class Kept:
    """A child, and who asked for it; `status` is known once it has ended."""

    pid: int
    owner: Wire
    own: Wire | None
    process: subprocess.Popen[bytes] | None = None
    status: int | None = None


@dataclass
class Server:
    """Starts and ends children as it is asked to.

    Attributes:
        control: Connection to the process that started the server.
        folder: Holds a folder for each client; all are removed in the end.
        forks: Whether children are forked; else each is a new interpreter.
    """

    control: Wire
    folder: Path
    forks: bool
    children: dict[int, Kept] = field(default_factory=dict)
    folders: dict[Wire, Path] = field(default_factory=dict)
    count: int = 0

    def serve(self) -> None:
        """Answers until the control connection closes."""
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.control, selectors.EVENT_READ)
        self.folders[self.control] = self.folder
        try:
            while self.control in self.folders:
                for key, _ in self.selector.select(EVERY):
                    wire: Wire = key.fileobj  # type: ignore[assignment]
                    if wire in self.folders:
                        self.answer(wire)
                self.reap()
        finally:
            for wire in list(self.folders):
                self.drop(wire)

    def answer(self, wire: Wire) -> None:
        """Answers one request; a client that is gone takes its children with it."""
        try:
            request, files = wire.receive()
            try:
                answer = self.obey(wire, request, files)
            finally:
                for file in files:
                    os.close(file)
            wire.send(answer)
        except (EOFError, OSError):
            self.drop(wire)

    def obey(self, wire: Wire, request: dict[str, Any], files: list[int]) -> dict[str, Any]:
        """Does what a request asks for and returns the answer."""
        if "start" in request:
            return self.start(wire, request, files)
        if "end" in request:
            return {"status": self.end(self.children.pop(request["end"], None))}
        kept = self.children.get(request["to"])
        if kept is not None and self.status(kept) is None:
            os.kill(kept.pid, request["signal"])
        return {}

    def start(self, owner: Wire, request: dict[str, Any], files: list[int]) -> dict[str, Any]:
        """Starts a child; one that is no slot may ask for children of its own."""
        self.count += 1
        folder = self.folder / f"child-{self.count}"
        birth = {"entry": request["start"], "slot": request["slot"], "folder": str(folder)}
        ours = theirs = None
        if not request["slot"]:
            folder.mkdir(mode=0o700)
            ours, theirs = socket.socketpair()
        kept = self.fork(birth, files, theirs, ours) if self.forks else self.spawn(birth, files, theirs)
        kept.owner = owner
        if ours is not None and theirs is not None:
            theirs.close()
            kept.own = Wire(ours)
            self.folders[kept.own] = folder
            self.selector.register(kept.own, selectors.EVENT_READ)
        self.children[self.count] = kept
        return {"number": self.count, "pid": kept.pid}

    def fork(
        self, birth: dict[str, Any], files: list[int], theirs: socket.socket | None, ours: socket.socket | None
    ) -> Kept:
        """Forks this process; the child lets go of every connection that is not its own, so that their ends show."""
        parent = os.getpid()
        pid = os.fork()
        if pid:
            return Kept(pid, self.control, None)
        status = 1
        try:
            self.selector.close()
            for wire in self.folders:
                wire.end.close()
            if ours is not None:
                ours.close()
            status = child.live(birth, files, theirs, parent)
        finally:
            os._exit(status)

    def spawn(self, birth: dict[str, Any], files: list[int], theirs: socket.socket | None) -> Kept:
        """Starts a new interpreter, which inherits nothing but its own connections."""
        handed = [*files, *([] if theirs is None else [theirs.fileno()])]
        words = [birth["entry"], "1" if birth["slot"] else "", birth["folder"], str(os.getpid()), *map(str, handed)]
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "autofix.isolation.spawned", *words], pass_fds=handed, stdin=subprocess.DEVNULL
        )
        return Kept(process.pid, self.control, None, process)

    def status(self, kept: Kept) -> int | None:
        """Returns the exit status of a child, None if it still runs."""
        if kept.status is None and kept.process is not None:
            kept.status = kept.process.poll()
        elif kept.status is None:
            with contextlib.suppress(ChildProcessError):
                pid, status = os.waitpid(kept.pid, os.WNOHANG)
                kept.status = os.waitstatus_to_exitcode(status) if pid else None
        return kept.status

    def end(self, kept: Kept | None) -> int | None:
        """Kills a child that still runs, and returns how it ended."""
        if kept is None:
            return None
        if self.status(kept) is None:
            os.kill(kept.pid, signal.SIGKILL)
        until = time.monotonic() + LAST_BREATH
        while self.status(kept) is None and time.monotonic() < until:
            time.sleep(0.002)
        return kept.status

    def reap(self) -> None:
        """Lets children that ended go, so that none stays as a zombie."""
        for kept in self.children.values():
            self.status(kept)

    def drop(self, wire: Wire) -> None:
        """Ends what a client asked for, and what its children asked for; removes its files."""
        folder = self.folders.pop(wire)
        self.selector.unregister(wire)
        wire.close()
        for number, kept in list(self.children.items()):
            if kept.owner is wire:
                del self.children[number]
                self.end(kept)
                if kept.own in self.folders:
                    self.drop(kept.own)
        shutil.rmtree(folder, ignore_errors=True)


def main(words: list[str]) -> None:
    """Runs the server.

    Args:
        words: Number of the control socket, process id of whoever started this, folder, "fork" or "spawn", and the
            modules to import.
    """
    control, parent, folder, way, *modules = words
    wire = Wire(socket.socket(fileno=int(control)))
    # Stopped by the control connection alone: a terminal sends its signals to every process at once.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    lifeline.die_with(int(parent))  # importing takes seconds in which nobody looks at the connection
    for module in modules:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()  # a collection in a child would write to, and so copy, every page that it shares with its siblings
    lifeline.outlive()  # the kernel means the thread that started this, which may be done long before its process
    with contextlib.suppress(OSError):
        wire.send({"ready": True})
    Server(wire, Path(folder), way == "fork").serve()


if __name__ == "__main__":
    main(sys.argv[1:])
