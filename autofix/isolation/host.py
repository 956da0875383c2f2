"""Starts the server and ends it. No TensorFlow."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from autofix.isolation.client import Client, ServerGone
from autofix.isolation.wire import Wire

# What the server imports, so that its children need not. It imports Keras and TensorFlow.
PRELOAD = (
    "autofix.executing",
    "autofix.api",
    "autofix.isolation.session",
    "autofix.isolation.worker",
    "autofix.conductor",
)
# Other systems have `fork` and cannot be trusted with it: macOS' own libraries break in a forked child.
FORKS = sys.platform == "linux" and hasattr(os, "fork")
# Seconds that the server gets to end its children before it is killed; they then end by themselves.
GOODBYE = 5.0
# Seconds that it may take to import TensorFlow: 5-10 as a rule, minutes from a network disk that others use too.
LONGEST_IMPORT = 600.0
# Characters of what a process wrote last that are told when it ended badly.
TAIL = 8_000


class Host:
    """The server process, as the process that started it sees it.

    Args:
        process: The server.
        client: Asks it for children.
    """

    def __init__(self, process: subprocess.Popen[bytes], client: Client) -> None:
        self.process = process
        self.client = client

    @classmethod
    def start(cls, *, preload: Sequence[str] = PRELOAD, forks: bool = FORKS, folder: Path | None = None) -> Self:
        """Starts a server; returns at once, while it imports.

        Args:
            preload: Modules that the server imports.
            forks: Whether its children are forked; else each is a new interpreter, which imports for itself.
            folder: Private folder to work in, which the server removes in the end; a new one if left out.
        """
        folder = folder or Path(tempfile.mkdtemp(prefix="autofix-"))  # for its owner alone
        ours, theirs = socket.socketpair()
        # Modules are found where this process finds them, a script's own folder included.
        path = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
        words = [str(theirs.fileno()), str(os.getpid()), str(folder), "fork" if forks else "spawn"]
        with theirs, (folder / "server.txt").open("w") as written:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "autofix.isolation.server", *words, *(preload if forks else ())],
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=written,
                pass_fds=[theirs.fileno()],
                env={**os.environ, "PYTHONPATH": path},
            )
        return cls(process, Client(Wire(ours), folder))

    def await_ready(self) -> None:
        """Waits until the server has imported what it needs.

        Raises:
            ServerGone: If it could not, or not in time; the message holds what it wrote last.
        """
        connection = self.client.wire.end
        connection.settimeout(LONGEST_IMPORT)
        try:
            self.client.wire.receive()
        except TimeoutError as error:
            self.process.kill()
            raise ServerGone(f"importing TensorFlow took longer than {LONGEST_IMPORT:.0f} s") from error
        except (EOFError, OSError) as error:
            raise ServerGone(self.last_words()) from error
        finally:
            connection.settimeout(None)

    def last_words(self) -> str:
        """Returns the end of what the server wrote."""
        return last_lines(self.client.folder / "server.txt")

    def close(self) -> None:
        """Ends the server and every process below it."""
        self.client.close()
        try:
            self.process.wait(GOODBYE)
        except subprocess.TimeoutExpired:
            self.kill()
        shutil.rmtree(self.client.folder, ignore_errors=True)

    def kill(self) -> None:
        """Ends the server at once; the kernel ends what is below it. The folder stays, for the next server."""
        self.client.close()
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()


def last_lines(path: Path, since: int = 0) -> str:
    """Returns the end of a file of text from a byte on; nothing where it cannot be read."""
    try:
        with path.open("rb") as file:
            file.seek(max(since, path.stat().st_size - TAIL))
            return file.read().decode(errors="replace").strip()
    except OSError:
        return ""
