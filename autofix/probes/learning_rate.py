"""Learning rate in force."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from autofix.look import Look
from autofix.probe import Probe, Tier


@final
@dataclass(frozen=True)
class LearningRate(Probe[float]):
    """What the optimizer multiplies by at this step: a schedule, a callback or the user's loop may have changed it."""

    name: ClassVar[str] = "learning_rate"
    tier: ClassVar[Tier] = Tier.LIGHT
    what: ClassVar[str] = "the learning rate"
    needs: ClassVar[tuple[str, ...]] = ("rate",)

    def measure(self, look: Look) -> float:
        assert look.rate is not None
        return look.rate
