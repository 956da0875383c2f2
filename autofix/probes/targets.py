"""The targets of the reference batch as the loss sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from autofix.look import Look
from autofix.probe import Probe, Tier
from autofix.probes.inputs import array_reading
from autofix.trace import ArrayReading


@final
@dataclass(frozen=True)
class Targets(Probe[tuple[ArrayReading, ...]]):
    """Range, scale and missing values of each target, after whatever the pipeline does to it."""

    name: ClassVar[str] = "targets"
    tier: ClassVar[Tier] = Tier.FULL
    what: ClassVar[str] = "the targets"
    needs: ClassVar[tuple[str, ...]] = ("targets",)

    def measure(self, look: Look) -> tuple[ArrayReading, ...]:
        return tuple(map(array_reading, look.targets or ()))
