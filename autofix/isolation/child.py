"""The first and the last thing that a child of the server does."""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import os
import signal
import socket
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autofix.isolation import lifeline
from autofix.isolation.client import Client
from autofix.isolation.wire import Wire

# Asks a child that hangs to write down where it is.
WHERE = signal.SIGUSR1
# Where memory runs out, the kernel ends processes with a high number first: a slot (1000 is the most) before the
# conductor, and either before whatever else runs on the machine.
SLOT_SCORE, CONDUCTOR_SCORE = 600, 300


def live(birth: Mapping[str, Any], files: list[int], server: socket.socket | None, parent: int) -> int:
    """Runs an entry function in this process, which ends with its parent.

    Args:
        birth: `entry`: the function, as "module:name", which takes its connection and a client of the server (or
            None); `folder`: where it may put files; `slot`: whether it trains for somebody else.
        files: Its connection and what it writes to instead of the terminal, as open files.
        server: Socket to the server, for a child that may ask for children.
        parent: Process id of the server.

    Returns:
        The exit status.
    """
    lifeline.die_with(parent)
    lifeline.watch(parent)
    connection, written = files
    os.dup(connection)  # never closed: the other side sees the end once this process has an exit status, not before
    with Path(os.devnull).open() as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(written, 1)
    os.dup2(written, 2)
    os.close(written)
    faulthandler.enable(2)
    faulthandler.register(WHERE, 2, all_threads=False)
    _first_to_go(SLOT_SCORE if birth["slot"] else CONDUCTOR_SCORE)
    try:
        module, _, name = birth["entry"].partition(":")
        entry = getattr(importlib.import_module(module), name)
        client = None if server is None else Client(Wire(server), Path(birth["folder"]))
        entry(socket.socket(fileno=connection), client)
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
    return 0


def _first_to_go(score: int) -> None:
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(score))
