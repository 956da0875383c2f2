"""When to take full readings: often at first, ever more rarely later, and never for more than a share of the time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Steps at which a young run is read: a fault of the first steps is dated, and seen twice within 20 steps.
MILESTONES = (1, 5, 10, 20, 50, 100)
# From there on, the next reading is due after this many times the steps.
GROWTH = 1.5
# Share of the run's time that readings and judgements may take. The promise is 5 %: the rest is for what a clock
# around them does not see, such as colder caches and the garbage they leave.
SHARE = 0.03
# The same with the last reading of a run, after which nothing more is spent.
LAST_SHARE = 0.04
# The one reading that the share does not have to be there for: faults of layers and gradients are to be seen within 20
# steps. Only a run that may be over before it has earned it goes without. A reading takes as long as about 10 steps:
# it sees 256 rows instead of the usual 32, and is not compiled.
CERTAIN, FIRST_STEPS = 20, 10


class Schedule:
    """Decides when a run can afford to be read, from what readings cost so far.

    Args:
        every: Steps between readings, whatever they cost; None keeps to the share.
        share: Share of the time that readings may take.
        clock: Returns the time in seconds.

    Attributes:
        due: Step at which to ask next.
        spent: Seconds that readings and judgements took.
    """

    def __init__(
        self,
        every: int | None = None,
        *,
        share: float = SHARE,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._every, self._share, self._clock = every, share, clock
        self._began = clock()
        self._cost: float | None = None
        self._certain_done = False
        self.spent = 0.0
        self.due = 1 if every is None else every

    def affords(self, step: int, share: float | None = None) -> bool:
        """Whether another reading would stay within the share of the time that `step` steps took."""
        if self._every is not None:
            return True
        return self._next(step) <= max(share or 0.0, self._share) * self._elapsed

    @property
    def _elapsed(self) -> float:
        return self._clock() - self._began

    def grants(self, step: int, planned: int = 0) -> bool:
        """Whether to take a full reading at this step, which is due; plans the next one.

        Args:
            step: Steps done.
            planned: Steps that the run will make, for one that may be over before it has earned a reading; 0 for one
                that is long enough.
        """
        if self._every is not None:
            self.due = (step // self._every + 1) * self._every
            return True
        certain = step >= CERTAIN and not self._certain_done and self.earns(step, planned)
        if self.affords(step) or certain or (not planned and self._cost is None):
            self._certain_done = self._certain_done or certain
            self.due = next((mark for mark in MILESTONES if mark > step), max(step + 1, math.ceil(GROWTH * step)))
            return True
        later = [mark for mark in MILESTONES if mark > step]
        if step >= CERTAIN:
            later.append(step + max(1, math.ceil(self._wait(step))))
        self.due = min(later)
        return False

    @contextmanager
    def timed(self, *, reading: bool = False) -> Iterator[None]:
        """Counts the seconds of the block; those of a reading foretell what the next one costs."""
        began = self._clock()
        try:
            yield
        finally:
            seconds = self._clock() - began
            self.spent += seconds
            if reading:
                self._cost = seconds

    def _next(self, step: int) -> float:
        """Returns the seconds spent once another reading is taken."""
        return self.spent + (FIRST_STEPS * self._elapsed / max(1, step) if self._cost is None else self._cost)

    def earns(self, step: int, planned: int) -> bool:
        """Whether the whole run, at its pace so far, is long enough for another reading; one of 0 steps always is."""
        return not planned or self._next(step) <= self._share * self._elapsed * planned / step

    def _wait(self, step: int) -> float:
        """Returns the steps until another reading is affordable, at the run's pace so far."""
        elapsed = max(self._elapsed, 1e-9)
        return (self._next(step) / self._share - elapsed) * step / elapsed
