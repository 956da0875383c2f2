"""Signals that a loop waits for together with what else it waits for."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from collections.abc import Iterator, Sequence


@contextlib.contextmanager
def listening(numbers: Sequence[signal.Signals]) -> Iterator[tuple[list[int], socket.socket | None]]:
    """Yields the signals that have come, and a socket that can be read once one comes.

    In a thread other than the main one, in which Python lets nobody hear signals, there are none, and no socket.

    Args:
        numbers: Signals to hear; what was done about them before is done again afterwards.
    """
    signals: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield signals, None
        return
    wake, woken = socket.socketpair()
    woken.setblocking(False)
    wakes = signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
    before = {number: signal.signal(number, lambda came, frame: signals.append(came)) for number in numbers}
    try:
        yield signals, wake
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        signal.set_wakeup_fd(wakes)
        wake.close()
        woken.close()
