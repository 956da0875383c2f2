"""One retraining at a time."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from autofix.files import write_json


class Locked(Exception):
    """Somebody else holds the lock. The message names the holder."""


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Holds the lock of a folder of models for the time of a block.

    The lock is the operating system's own: it goes with the process that holds it, however that ends.

    Raises:
        Locked: If another process has it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock", timeout=0)
    holder = folder / ".holder.json"
    try:
        lock.acquire()
    except Timeout:
        raise Locked(
            f"one retraining of {folder} at a time. It is held by {_described(holder)}. "
            "Run it again when that one is done."
        ) from None
    try:
        write_json(holder, {"pid": os.getpid(), "host": socket.gethostname(), "since": time.time()})
        yield
        holder.unlink(missing_ok=True)
    finally:
        lock.release()


def _described(holder: Path) -> str:
    try:
        told: dict[str, Any] = json.loads(holder.read_text(encoding="utf-8"))
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(told["since"]))
        return f"process {told['pid']} on {told['host']} since {since}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
