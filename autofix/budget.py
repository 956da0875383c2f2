"""`Budget`: how much a repair may cost."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import Self

from autofix.errors import FixYourCall

# Compiling takes up to a second a candidate, on a busy machine several, so that multiples of a very short run would
# leave no time to minimise and prove what was found.
SHORTEST_SECONDS = 20.0
UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True)
class Budget:
    """What a repair may cost, confirmation included. Whatever is reached first ends it.

    Attributes:
        seconds: Wall time; None for no bound.
        runs: Multiples of the time that one run of the given model takes here, never less than 20 seconds in all;
            None for no bound.
        trials: Candidates trained in the search; None for no bound.
    """

    seconds: float | None = None
    runs: float | None = None
    trials: int | None = None

    def __post_init__(self) -> None:
        for name in ("seconds", "runs", "trials"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise FixYourCall(f"`budget` must be above 0. Received: {name}={value}. Pass 60 for a minute.")

    @classmethod
    def of(cls, value: Budget | str | float) -> Self | Budget:
        """Reads seconds (`60`), a duration (`"90s"`, `"30m"`, `"2h"`), multiples (`"10x"`) or a `Budget`.

        Raises:
            FixYourCall: If it is none of these.
        """
        if isinstance(value, Budget):
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return cls(seconds=float(value))
        match = re.fullmatch(r"\s*(\d+(?:\.\d*)?)\s*([xsmh])\s*", value) if isinstance(value, str) else None
        if match is None:
            raise FixYourCall(
                "`budget` must be seconds, a duration such as '30m', or multiples of one run such as '10x'. "
                f"Received: {value!r}."
            )
        number, unit = float(match[1]), match[2]
        return cls(runs=number) if unit == "x" else cls(seconds=number * UNITS[unit])


@dataclass
class Clock:
    """Counts a budget down. The controller alone owns one.

    A repair that goes on where it was interrupted goes through what was done already once more, which takes no time.
    Its clock stands while it does so and is set by what is known to have been spent, so that whatever depended on the
    time is decided as it was.

    Attributes:
        budget: What may be spent.
        began: When the repair began, in seconds of `time.monotonic`.
        deadline: When it must be over; infinite until it is known.
    """

    budget: Budget
    began: float = field(default_factory=time.monotonic)
    deadline: float = float("inf")
    _ahead: float = field(default=0.0, init=False)
    _stands_at: float | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if self.budget.seconds is not None:
            self.deadline = self.began + self.budget.seconds

    def one_run_takes(self, seconds: float) -> None:
        """Sets the deadline of a budget in multiples of one run."""
        if self.budget.runs is not None:
            total = max(SHORTEST_SECONDS, self.budget.runs * seconds)
            self.deadline = self.began + min(total, self.budget.seconds or total)

    def now(self) -> float:
        """Returns the time that deadlines are held against: `time.monotonic`, unless the repair was resumed."""
        return time.monotonic() + self._ahead if self._stands_at is None else self.began + self._stands_at

    @property
    def spent(self) -> float:
        """Seconds since the beginning."""
        return self.now() - self.began

    @property
    def left(self) -> float:
        """Seconds until the deadline; never negative."""
        return max(0.0, self.deadline - self.now())

    def share(self, fraction: float) -> float:
        """Returns the moment at which `fraction` of what is left now will be spent."""
        return self.now() + fraction * self.left

    @property
    def stands(self) -> bool:
        """Whether the clock stands."""
        return self._stands_at is not None

    def stand(self, spent: float) -> None:
        """Stops the clock when this many seconds are spent; one that stands is only ever moved on."""
        self._stands_at = max(spent, self._stands_at or 0.0)

    def go_on(self, spent: float) -> None:
        """Lets the clock run, from this many seconds on or from where it stands, whichever is later."""
        now = self.began + max(spent, self.spent)
        self._stands_at = None
        self._ahead = now - time.monotonic()

    def real(self, moment: float) -> float:
        """Returns a moment of this clock in seconds of `time.monotonic`."""
        return moment - self._ahead
