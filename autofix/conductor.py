"""The process of one repair: does a job, and tells the supervisor how it goes. A child of the server."""

from __future__ import annotations

import importlib
import signal
import socket
from typing import Any

from autofix.budget import Clock
from autofix.errors import AutofixError, Stopped
from autofix.exits import exit_of
from autofix.isolation import home
from autofix.isolation.client import Client
from autofix.isolation.wire import Wire
from autofix.job import Job
from autofix.outcome import Outcome
from autofix.progress import Line


def conduct(connection: socket.socket, client: Client) -> None:
    """Does the job that comes through a connection; the answers are lines of JSON.

    A job says `job` (see `Job.to_dict`) and `execute`, the function to call, as "module:name". The answers are `say`
    and `runs`, a line of progress and the number of finished runs, and at last `ended`, an exit code or None for a
    job that was stopped on the way, and `error`.
    """
    signal.signal(signal.SIGTERM, _stop)
    wire = Wire(connection)
    message, _ = wire.receive()
    home.settle(client)
    try:
        module, _, name = message["execute"].partition(":")
        execute = getattr(importlib.import_module(module), name)
        code = execute(Job.from_dict(message["job"]), tell=_Telling(wire))
        answer: dict[str, Any] = {"ended": int(code), "error": None}
    except Stopped:
        answer = {"ended": None, "error": None}
    except (AutofixError, OSError) as error:
        answer = {"ended": int(exit_of(error)), "error": str(error)}
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    wire.send(answer)


class _Telling:
    """A narrator that tells the supervisor."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._line = Line()

    def __call__(self, phase: str | None, outcome: Outcome | None = None, clock: Clock | None = None) -> None:
        text = self._line.after(phase, outcome, clock)
        self._wire.send({"say": text, "runs": self._line.runs})


def _stop(_number: int, _frame: object) -> None:
    raise Stopped
