"""Gradient norm of each layer, and layers that the loss does not depend on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, final

from autofix.look import Look, Slope
from autofix.probe import Probe, Tier
from autofix.probes.weights import euclidean


@dataclass(frozen=True)
class GradientReading:
    """Gradients of one step, or of the reference rows.

    Attributes:
        norms: Euclidean norm of the gradient of each kernel, by layer path.
        total: Global norm, biases included.
        disconnected: Paths of the layers (of the variables, where no layer owns them) that the loss does not depend on.
    """

    norms: Mapping[str, float]
    total: float
    disconnected: tuple[str, ...] = ()


@final
@dataclass(frozen=True)
class Gradients(Probe[GradientReading]):
    """Norms of gradients that are at hand as arrays. The engine computes the same ones inside its compiled step."""

    name: ClassVar[str] = "gradients"
    tier: ClassVar[Tier] = Tier.FULL
    what: ClassVar[str] = "gradients"
    needs: ClassVar[tuple[str, ...]] = ("gradients",)

    def measure(self, look: Look) -> GradientReading:
        slopes = look.gradients or ()
        norms = [_norm(slope) for slope in slopes]
        return GradientReading(
            {s.layer: norm for s, norm in zip(slopes, norms, strict=True) if s.is_kernel and s.layer is not None},
            math.hypot(*norms),
            tuple(dict.fromkeys(slope.layer or slope.variable for slope in slopes if slope.value is None)),
        )


def _norm(slope: Slope) -> float:
    return 0.0 if slope.value is None else euclidean(slope.value.reshape(-1))
