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
    state = {"phase": "", "runs": 0, "best": ""}
    with console.status("autofix") as status:

        def tell(phase: str | None, outcome: Outcome | None = None, clock: Clock | None = None) -> None:
            if phase is not None:
                state["phase"] = phase
            if outcome is not None:
                state["runs"] = int(state["runs"]) + 1
                best = outcome.score.value if outcome.score else None
                if best is not None and (state["best"] == "" or best > float(state["best"])):
                    state["best"] = f"{best:.4f}"
            left = ""
            if clock is not None and clock.left < float("inf"):
                left = f", {clock.left:.0f} s left"
            best_text = f", best {state['best']}" if state["best"] else ""
            status.update(f"autofix: {state['phase']} ({state['runs']} runs{best_text}{left})")

        yield tell
