"""How a process ended, in words. No TensorFlow."""

from __future__ import annotations

import signal
from dataclasses import dataclass

WHY = {
    signal.SIGKILL: ", as the kernel does where memory runs out",
    signal.SIGSEGV: ", a fault in compiled code",
    signal.SIGABRT: ", as TensorFlow does where a check of its own fails",
    signal.SIGILL: ", an instruction that this processor does not have",
    signal.SIGBUS: ", as happens where a mapped file shrinks or a disk is full",
}


def in_words(status: int | None) -> str:
    """Returns a sentence without its subject: "was killed by SIGKILL".

    Args:
        status: Exit status; the negative number of a signal; None where it is not known.
    """
    if status is None:
        return "ended with the process that started it"
    if status >= 0:
        return f"ended with exit status {status}"
    try:
        number = signal.Signals(-status)
    except ValueError:
        return f"was killed by signal {-status}"
    return f"was killed by {number.name}{WHY.get(number, '')}"


@dataclass
class Deaths:
    """How often processes for one job ended alike, with no progress between them.

    Attributes:
        how: How the last one ended, in words.
        count: How many in a row did.
        runs: Runs that were finished by the one that got furthest.
    """

    how: str = ""
    count: int = 0
    runs: int = 0

    def another(self, how: str) -> int:
        """Takes in how one more process ended; returns how many in a row did so."""
        self.count = self.count + 1 if how == self.how else 1
        self.how = how
        return self.count

    def got_to(self, runs: int) -> None:
        """Takes in how far a process got: further than any before is progress."""
        if runs > self.runs:
            self.runs, self.count = runs, 0
