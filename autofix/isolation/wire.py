"""Messages between our own processes: one line of JSON each, and open files that travel with it."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping, Sequence
from typing import Any

# Bytes and open files taken in at once; a request carries at most two files.
CHUNK, MOST_FILES = 65_536, 8


class Wire:
    """One end of a pair of connected sockets.

    Args:
        end: The socket; it belongs to the wire from now on.
    """

    def __init__(self, end: socket.socket) -> None:
        self.end = end
        self._read = b""
        self._files: list[int] = []

    def fileno(self) -> int:
        """Number of the open socket, for selectors."""
        return self.end.fileno()

    def send(self, message: Mapping[str, Any], files: Sequence[int] = ()) -> None:
        """Sends a message; the other side gets copies of the open files.

        Raises:
            OSError: If the other side is gone.
        """
        line = json.dumps(message).encode() + b"\n"
        sent = socket.send_fds(self.end, [line], list(files)) if files else 0
        self.end.sendall(line[sent:])

    def receive(self) -> tuple[dict[str, Any], list[int]]:
        """Waits for the next message and the files that came with it.

        Raises:
            EOFError: If the other side is gone.
        """
        while b"\n" not in self._read:
            try:
                part, files, _, _ = socket.recv_fds(self.end, CHUNK, MOST_FILES)
            except ConnectionError as error:
                raise EOFError(str(error)) from error
            if not part:
                raise EOFError("the other side closed the connection")
            self._read += part
            self._files += files
        line, _, self._read = self._read.partition(b"\n")
        files, self._files = self._files, []
        return json.loads(line), files

    @property
    def has_more(self) -> bool:
        """Whether a whole message was read already and waits to be received."""
        return b"\n" in self._read

    def close(self) -> None:
        """Closes this end and files that nobody took."""
        self.end.close()
        for file in self._files:
            os.close(file)
        self._files = []
