"""Share of the loss that comes from regularization."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, final

from autofix.look import Look
from autofix.probe import Probe, Tier

# Last losses that the share is taken of: one batch alone may be an easy one.
RECENT = 10


@final
@dataclass(frozen=True)
class Penalty(Probe[float]):
    """Sum of the regularization losses over the mean of the last losses, 0..1; 0 where no loss is finite."""

    name: ClassVar[str] = "penalty"
    tier: ClassVar[Tier] = Tier.FULL
    what: ClassVar[str] = "the share of the penalty"
    needs: ClassVar[tuple[str, ...]] = ("penalty", "losses")

    def measure(self, look: Look) -> float:
        recent = [value for value in (look.losses or ())[-RECENT:] if math.isfinite(value)]
        total = abs(sum(recent) / len(recent)) if recent else 0.0
        penalty = look.penalty or 0.0
        if total <= 0 or not math.isfinite(penalty):
            return 0.0
        return min(1.0, max(0.0, penalty / total))
