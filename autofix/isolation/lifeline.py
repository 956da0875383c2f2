"""Processes that end when their parent does, whatever ended it."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

# Number of the request in <sys/prctl.h>.
PR_SET_PDEATHSIG = 1
# Seconds between looks at who the parent is, where the kernel gives no notice.
EVERY = 1.0


def die_with(parent: int) -> None:
    """Asks the kernel to kill this process once its parent has ended, where the kernel can (Linux).

    Args:
        parent: The parent's process id; this process ends at once if it is not the parent any more.
    """
    _on_parents_death(signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def outlive() -> None:
    """Takes back what `die_with` asked for."""
    _on_parents_death(0)


def watch(parent: int) -> None:
    """Ends this process within a second or two of its parent's end, on any system; a thread looks for it."""
    threading.Thread(target=_watch, args=(parent,), name="autofix-lifeline", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(EVERY)
    os.kill(os.getpid(), signal.SIGKILL)


def _on_parents_death(number: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
