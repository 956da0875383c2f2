"""How far a step moves each layer's weights, as a share of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, final

from autofix.look import Look
from autofix.probe import Probe, Tier
from autofix.probes.weights import moved


@final
@dataclass(frozen=True)
class Updates(Probe[Mapping[str, float]]):
    """Update-to-weight ratio: norm(change since the look before) / norm(kernel) / steps between the two.

    Between looks that are many steps apart it is the drift that is measured: steps that cancel out count for nothing.
    """

    name: ClassVar[str] = "updates"
    tier: ClassVar[Tier] = Tier.LIGHT
    what: ClassVar[str] = "how far a step moves the weights"
    needs: ClassVar[tuple[str, ...]] = ("kernels", "before")

    def measure(self, look: Look) -> Mapping[str, float]:
        before, steps = look.before or {}, max(1, look.step - look.since)
        now = {path: kernel for path, kernel in (look.kernels or {}).items() if kernel.trainable and path in before}
        return {path: moved(before[path], kernel) / steps for path, kernel in now.items()}
