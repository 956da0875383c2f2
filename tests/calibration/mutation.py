"""`Mutation`: one fault to put into a healthy program, and what must be said of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .program import Program

# Share of what the healthy twin gained over chance that a run must have lost to count as broken: twice what a run may
# lack to count as having learned (`autofix.symptoms`), so that it is not the noise of a score that decides.
BROKEN = 0.2


@dataclass(frozen=True)
class Mutation:
    """One fault.

    Attributes:
        name: Its name.
        brings: Codes of the symptoms that must be found.
        causes: Codes of the symptoms that name the fault, the narrowest first.
        kinds: Healthy kinds that it applies to; the first ones are run unless more are asked for.
        change: Puts the fault into a program.
        loses: Share of its twin's gain that a run must lose to count as broken; None where the program or the data is
            at fault whatever the score says, such as a head that does not fit the loss.
        noted: Whether a note is all that it should bring.
    """

    name: str
    brings: tuple[str, ...]
    causes: tuple[str, ...]
    kinds: tuple[str, ...]
    change: Callable[[Program], Program]
    loses: float | None = BROKEN
    noted: bool = False
