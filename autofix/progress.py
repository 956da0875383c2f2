"""One line of progress on stderr while a repair works."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, Protocol

from autofix.budget import Clock
from autofix.outcome import Outcome


class Narrator(Protocol):
    """Told what is going on."""

    def __call__(self, phase: str | None, outcome: Outcome | None = None, clock: Clock | None = None) -> None:
        """Takes in a new phase, or a finished run (`phase` is None then)."""


@contextmanager
def narrator(progress: bool | Literal["auto"] | Callable[[str], None]) -> Iterator[Narrator]:
    """Yields a narrator that writes to stderr, one that is silent, or one that hands each line on.

    Args:
        progress: True, False, "auto" for whether stderr is a terminal, or who is told each line.
    """
    if callable(progress):
        yield _Teller(progress)
        return
    if not (sys.stderr.isatty() if progress == "auto" else progress):
        yield lambda phase, outcome=None, clock=None: None
        return
    from rich.console import Console

    console = Console(stderr=True)
    with console.status("autofix") as status:
        yield _Teller(lambda line: status.update(f"autofix: {line}"))


class _Teller:
    """Puts what is told into one line: phase, runs, best score and time left."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._phase, self._runs, self._best = "", 0, ""

    def __call__(self, phase: str | None, outcome: Outcome | None = None, clock: Clock | None = None) -> None:
        self._phase = self._phase if phase is None else phase
        if outcome is not None:
            self._runs += 1
            if outcome.score is not None and (not self._best or outcome.score.value > float(self._best)):
                self._best = f"{outcome.score.value:.4f}"
        left = f", {clock.left:.0f} s left" if clock is not None and clock.left < float("inf") else ""
        so_far = f", best {self._best}" if self._best else ""
        self._say(f"{self._phase} ({self._runs} runs{so_far}{left})")
