"""How long a step and an epoch take."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, final

from autofix.look import Look
from autofix.probe import Probe, Tier


@dataclass(frozen=True)
class PaceReading:
    """Pace since it was measured last.

    Attributes:
        step: Seconds a step; NaN where there was none.
        epoch: Seconds an epoch; NaN where not one was completed.
    """

    step: float
    epoch: float


@final
@dataclass(frozen=True)
class Pace(Probe[PaceReading]):
    """Wall time per step and per epoch, looks included: what the user waits for."""

    name: ClassVar[str] = "pace"
    tier: ClassVar[Tier] = Tier.LIGHT
    what: ClassVar[str] = "the time that a step takes"
    needs: ClassVar[tuple[str, ...]] = ("clock", "clock_before")

    def measure(self, look: Look) -> PaceReading:
        now, before = look.clock, look.clock_before
        assert now is not None
        assert before is not None
        seconds, steps, epochs = now.seconds - before.seconds, now.steps - before.steps, now.epochs - before.epochs
        # Epochs are sums of fractions.
        whole = epochs > 1 - 1e-9
        return PaceReading(seconds / steps if steps > 0 else math.nan, seconds / epochs if whole else math.nan)
