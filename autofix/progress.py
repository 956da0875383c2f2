"""One line of progress on stderr while a repair works."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, Protocol

from autofix.budget import Clock
from autofix.outcome import Outcome


class Narrator(Protocol):
    """Told what is going on."""

    def __call__(self, phase: str | None, outcome: Outcome | None = None, clock: Clock | None = None) -> None:
        """Takes in a new phase, or a finished run (`phase` is None then)."""


class Line:
    """What a repair is at, in one line.

    Attributes:
        runs: Runs that were finished.
    """

    def __init__(self) -> None:
        self.runs = 0
        self._phase = ""
        self._best: float | None = None

    def after(self, phase: str | None, outcome: Outcome | None = None, clock: Clock | None = None) -> str:
        """Takes in what a narrator is told, and returns the line that is true now."""
        self._phase = self._phase if phase is None else phase
        if outcome is not None:
            self.runs += 1
            if outcome.score is not None and (self._best is None or outcome.score.value > self._best):
                self._best = outcome.score.value
        left = f", {clock.left:.0f} s left" if clock is not None and clock.left < float("inf") else ""
        so_far = "" if self._best is None else f", best {self._best:.4f}"
        return f"{self._phase} ({self.runs} runs{so_far}{left})"


@contextmanager
def narrator(progress: bool | Literal["auto"] | Narrator) -> Iterator[Narrator]:
    """Yields a narrator that writes to stderr, or one that is silent.

    Args:
        progress: True, False, "auto" for whether stderr is a terminal, or the narrator to use.
    """
    if callable(progress):
        yield progress
        return
    if not (sys.stderr.isatty() if progress == "auto" else progress):
        yield lambda phase, outcome=None, clock=None: None
        return
    from rich.console import Console

    console, line = Console(stderr=True), Line()
    with console.status("autofix") as status:

        def tell(phase: str | None, outcome: Outcome | None = None, clock: Clock | None = None) -> None:
            status.update(f"autofix: {line.after(phase, outcome, clock)}")

        yield tell
