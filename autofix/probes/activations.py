"""Outputs of every layer on the reference batch: dead units, saturation, spread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from autofix.look import Kernel, Look
from autofix.probe import Probe, Tier
from autofix.probes.weights import norm_of
from autofix.trace import LayerReading

# Bounds of the activations that have them.
BOUNDS: Mapping[str, tuple[float, float]] = {
    "sigmoid": (0.0, 1.0),
    "hard_sigmoid": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "hard_tanh": (-1.0, 1.0),
    "softsign": (-1.0, 1.0),
}
# An output this close to a bound, in parts of the range, has next to no gradient left (sigmoid' < 0.01).
NEAR = 0.01
# Positions of a layer's output that statistics are taken of: a unit that is on at one in 1,000 of them is still seen. A
# quarter of them where there are many units, so that half a million numbers are at hand at once: 4 MB in 64 bits.
POSITIONS, FEWEST_POSITIONS, NUMBERS = 2**12, 2**10, 2**19


@final
@dataclass(frozen=True)
class Activations(Probe[tuple[LayerReading, ...]]):
    """What each layer puts out: the share of units that are dead for the whole batch, of outputs at a bound, spread.

    Layers that put out a single float tensor [n, ...] are read; of many positions (pixels, time steps) some thousand.
    """

    name: ClassVar[str] = "activations"
    tier: ClassVar[Tier] = Tier.FULL
    what: ClassVar[str] = "layer outputs"
    needs: ClassVar[tuple[str, ...]] = ("outputs",)

    def measure(self, look: Look) -> tuple[LayerReading, ...]:
        kernels = look.kernels or {}
        return tuple(
            _reading(path, output, look.step, look.activations.get(path, "linear"), kernels.get(path))
            for path, output in (look.outputs or {}).items()
            if output.dtype.kind == "f" and output.ndim >= 2
        )


def _reading(path: str, output: np.ndarray, step: int, activation: str, kernel: Kernel | None) -> LayerReading:
    flat = _thinned(output).astype("float64")
    finite = bool(np.isfinite(flat).all())
    flat = np.nan_to_num(flat, nan=0.0, posinf=0.0, neginf=0.0)
    saturated = 0.0
    if activation in BOUNDS:
        low, high = BOUNDS[activation]
        edge = NEAR * (high - low)
        saturated = float(np.mean((flat < low + edge) | (flat > high - edge)))
    dead = float(np.mean(np.all(flat <= 0.0, axis=0))) if activation in ("relu", "relu6") else 0.0
    return LayerReading(
        layer=path,
        step=step,
        activation=activation,
        mean=float(flat.mean()),
        std=float(flat.std()),
        spread=float(flat.std(axis=0).mean()),
        dead=dead,
        saturated=saturated,
        weight_norm=0.0 if kernel is None else norm_of(kernel),
        weight_std=0.0 if kernel is None else float(kernel.entries.astype("float64").std()),
        finite=finite,
    )


def _thinned(output: np.ndarray) -> np.ndarray:
    """Returns the units [positions, units] at some positions of an output that has more than statistics need."""
    units = output.reshape(-1, output.shape[-1])
    most = min(POSITIONS, max(FEWEST_POSITIONS, NUMBERS // max(1, units.shape[1])))
    if output.ndim <= 2 or len(units) <= most:
        return units
    # An odd stride meets every column of an image of even width.
    return units[:: -(-len(units) // most) | 1]
