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


@contextmanager
def narrator(progress: bool | Literal["auto"]) -> Iterator[Narrator]:
    """Yields a narrator that writes to stderr, or one that is silent.

    Args:
        progress: True, False, or "auto" for whether stderr is a terminal.
    """
    if not (sys.stderr.isatty() if progress == "auto" else progress):
        yield lambda phase, outcome=None, clock=None: None
        return
    from rich.console import Console

    console = Console(stderr=True)
    phase_now, runs, best = "", 0, ""
    with console.status("autofix") as status:

        def tell(phase: str | None, outcome: Outcome | None = None, clock: Clock | None = None) -> None:
            nonlocal phase_now, runs, best
            phase_now = phase_now if phase is None else phase
            if outcome is not None:
                runs += 1
                if outcome.score is not None and (not best or outcome.score.value > float(best)):
                    best = f"{outcome.score.value:.4f}"
            left = f", {clock.left:.0f} s left" if clock is not None and clock.left < float("inf") else ""
            so_far = f", best {best}" if best else ""
            status.update(f"autofix: {phase_now} ({runs} runs{so_far}{left})")

        yield tell
