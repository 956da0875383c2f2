"""A slot: a child of the server that trains what its connection asks for."""

from __future__ import annotations

import contextlib
import socket
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from autofix.errors import AutofixError, one_line
from autofix.frozen import EMPTY


class RunFailed(AutofixError):
    """What was asked of a slot came to no result; the message says why."""


@dataclass(frozen=True)
class Request:
    """One call of a trainer's method.

    Attributes:
        method: Its name.
        positional: What it takes by position.
        named: What it takes by name.
        rung: Share of a run that the search makes of each candidate now.
    """

    method: str
    positional: tuple[Any, ...]
    named: Mapping[str, Any] = field(default_factory=lambda: EMPTY)
    rung: float = 1.0


@dataclass(frozen=True)
class Answer:
    """What a call returned.

    Attributes:
        value: Its result.
        error: What it raised instead.
        traces: Training functions that the slot has compiled so far.
        rung: The trainer's rung after the call.
        traceback: Where the error was raised, as Python prints it.
    """

    value: Any = None
    error: AutofixError | None = None
    traces: int = 0
    rung: float = 1.0
    traceback: str = ""


def serve(connection: socket.socket, client: None) -> None:
    """Answers requests until the connection closes.

    The first message is a function that sets the process up, the second one that returns the trainer; what they name
    is imported while they are read, so that the first has to be done before the second comes.

    Args:
        connection: Gives what `multiprocessing.connection` sent.
        client: None: a slot asks for no children.
    """
    del client
    link = Connection(connection.detach())
    with contextlib.suppress(EOFError, ConnectionError):
        link.recv()()
        trainer = link.recv()()
        link.send(Answer())
        while True:
            link.send(_answer(trainer, link.recv()))


def _answer(trainer: Any, request: Request) -> Answer:
    trainer.rung = request.rung
    try:
        value = getattr(trainer, request.method)(*request.positional, **request.named)
    except AutofixError as error:
        return Answer(None, error, trainer.traces, trainer.rung, traceback.format_exc())
    except Exception as error:  # the type may be one that the other side cannot read
        return Answer(None, RunFailed(one_line(error)), trainer.traces, trainer.rung, traceback.format_exc())
    return Answer(value, None, trainer.traces, trainer.rung)
