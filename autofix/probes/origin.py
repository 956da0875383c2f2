"""Where a NaN or an infinity came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np

from autofix.look import Look
from autofix.probe import Probe, Tier
from autofix.trace import LayerReading


@final
@dataclass(frozen=True)
class Origin(Probe[str]):
    """The first place, in the order of computation, that is not finite: see `origin_of`.

    After the first step, a layer that is not finite got so by its weights, and those by a gradient: "gradient".
    """

    name: ClassVar[str] = "origin"
    tier: ClassVar[Tier] = Tier.FULL
    what: ClassVar[str] = "the origin of the NaN"
    needs: ClassVar[tuple[str, ...]] = ("layers",)

    def measure(self, look: Look) -> str:
        found = origin_of(look.inputs or (), look.targets or (), look.layers or ())
        return "gradient" if look.step > 0 and found.startswith("layer:") else found


def origin_of(inputs: Sequence[Any], targets: Sequence[Any], readings: Sequence[LayerReading]) -> str:
    """Names the first place, in the order of computation, that is not finite.

    Args:
        inputs: Input arrays of the batch.
        targets: Target arrays of the batch.
        readings: Layer readings on that batch with the weights it was trained with.

    Returns:
        "input", "target", "layer:<path>" or, where the forward pass is finite, "loss".
    """
    if any(_broken(array) for array in inputs):
        return "input"
    if any(_broken(array) for array in targets):
        return "target"
    for reading in readings:
        if not reading.finite:
            return f"layer:{reading.layer}"
    return "loss"


def _broken(array: Any) -> bool:
    values = np.asarray(array)
    return values.dtype.kind == "f" and not bool(np.isfinite(values).all())
