"""What may be asked of the server, from the process that started it or from one of its children. No TensorFlow."""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autofix.isolation.wire import Wire


class ServerGone(Exception):
    """The server ended, and every process that it started with it."""


@dataclass(frozen=True)
class Child:
    """A process that the server started.

    Attributes:
        number: What the server knows it by; never given twice, unlike a process id.
        pid: Its process id.
        connection: Our end of its connection.
        written: File that takes what it writes to standard output and error.
    """

    number: int
    pid: int
    connection: socket.socket
    written: Path


class Client:
    """Asks the server for children; safe to use from several threads.

    Args:
        wire: Connection to the server. Once it is closed, the server ends all children that were asked for through it.
        folder: Where this client may put files; the server removes it afterwards.
    """

    def __init__(self, wire: Wire, folder: Path) -> None:
        self.wire = wire
        self.folder = folder
        self._lock = threading.Lock()
        self._started = 0

    def start(self, entry: str, *, slot: bool) -> Child:
        """Starts a process that runs a function.

        Args:
            entry: The function, as "module:name". It takes its connection and a client of the server, or None.
            slot: Whether it trains for somebody else; else it gets a client of its own and the signals of its kind.

        Raises:
            ServerGone: If the server is.
        """
        with self._lock:
            self._started += 1
            written = self.folder / f"{self._started}.txt"
        ours, theirs = socket.socketpair()
        with theirs, written.open("w") as file:
            answer = self._ask({"start": entry, "slot": slot}, (theirs.fileno(), file.fileno()))
        return Child(answer["number"], answer["pid"], ours, written)

    def end(self, child: Child) -> int | None:
        """Ends a process if it has not ended yet.

        Returns:
            Its exit status, the negative number of the signal that ended it, or None where that is not known.
        """
        child.connection.close()
        try:
            status: int | None = self._ask({"end": child.number})["status"]
        except ServerGone:
            return None
        return status

    def signal(self, child: Child, number: int) -> None:
        """Sends a signal to a process, if it still runs."""
        self._ask({"signal": number, "to": child.number})

    def close(self) -> None:
        """Ends every process that was asked for here."""
        self.wire.close()

    def _ask(self, request: Mapping[str, Any], files: Sequence[int] = ()) -> dict[str, Any]:
        with self._lock:
            try:
                self.wire.send(request, files)
                return self.wire.receive()[0]
            except (OSError, EOFError) as error:
                raise ServerGone("the server of the training processes ended") from error
