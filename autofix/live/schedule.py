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
# The one reading that is taken whatever it costs: faults of layers and gradients are to be seen within 20 steps.
CERTAIN = 20


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
        self, every: int | None = None, *, share: float = SHARE, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._every, self._share, self._clock = every, share, clock
        self._began = clock()
        self._cost = 0.0
        self._certain_done = False
        self.spent = 0.0
        self.due = 1 if every is None else every

    @property
    def affordable(self) -> bool:
        """Whether another reading would stay within the share."""
        if self._every is not None:
            return True
        return self.spent + self._cost <= self._share * (self._clock() - self._began)

    def grants(self, step: int) -> bool:
        """Whether to take a full reading at this step, which is due; plans the next one."""
        if self._every is not None:
            self.due = (step // self._every + 1) * self._every
            return True
        certain = step >= CERTAIN and not self._certain_done
        if self.affordable or certain:
            self._certain_done = self._certain_done or certain
            self.due = next((mark for mark in MILESTONES if mark > step), max(step + 1, math.ceil(GROWTH * step)))
            return True
        if step < CERTAIN:
            self.due = next(mark for mark in MILESTONES if mark > step)
        else:
            self.due = step + max(1, math.ceil(self._wait(step)))
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

    def _wait(self, step: int) -> float:
        """Returns the steps until another reading is affordable, at the run's pace so far."""
        elapsed = max(self._clock() - self._began, 1e-9)
        return ((self.spent + self._cost) / self._share - elapsed) * step / elapsed
