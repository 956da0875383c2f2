"""`Fault`: one thing that is wrong in a config file, with its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autofix.errors import FixYourCall


@dataclass(frozen=True, order=True)
class Place:
    """Where something begins in a file; both count from 1."""

    line: int
    column: int


START = Place(1, 1)


@dataclass(frozen=True, order=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        place: Where.
        message: The rule, what came, the way out.
    """

    place: Place
    message: str


class FixYourConfig(FixYourCall):
    """A config file is wrong. The message has one line a fault, each as ``file:line:column: message``.

    Attributes:
        path: The file.
        faults: What is wrong, in the order of the file.
    """

    def __init__(self, path: str, faults: Sequence[Fault]) -> None:
        self.path = path
        self.faults = tuple(sorted(faults))
        super().__init__(
            "\n".join(f"{path}:{fault.place.line}:{fault.place.column}: {fault.message}" for fault in self.faults)
        )
