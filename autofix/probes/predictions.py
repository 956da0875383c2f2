"""What the model predicts: collapse, spread, and range against the targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from autofix.facts import TargetFacts
from autofix.labels import to_index
from autofix.look import Look
from autofix.probe import Probe, Tier
from autofix.scoring import Link, decode
from autofix.trace import PredictionReading

# Predictions that vary less than this share of what the targets vary say the same for every row.
CONSTANT_SHARE = 0.01


@final
@dataclass(frozen=True)
class Predictions(Probe[tuple[PredictionReading, ...]]):
    """Whether all rows are predicted alike, and for quantities which part of the targets' range is reached.

    The recall of each class is a probe of its own.
    """

    name: ClassVar[str] = "predictions"
    tier: ClassVar[Tier] = Tier.FULL
    what: ClassVar[str] = "predictions"
    needs: ClassVar[tuple[str, ...]] = ("predicted",)

    def measure(self, look: Look) -> tuple[PredictionReading, ...]:
        seen = look.predicted
        assert seen is not None
        return tuple(_reading(*item) for item in zip(seen.outputs, seen.truths, seen.targets, seen.links, strict=True))


def _reading(raw: np.ndarray, y_true: np.ndarray, target: TargetFacts, link: Link) -> PredictionReading:
    finite = bool(np.isfinite(raw).all())
    clean = np.nan_to_num(raw.reshape(len(raw), -1), nan=0.0, posinf=0.0, neginf=0.0)
    spread = float(clean.std(axis=0).mean())
    low, high = float(clean.min()), float(clean.max())
    if not target.kind.is_classification:
        scale = float(np.mean(target.std)) if target.std else 1.0
        constant = 1.0 if spread < CONSTANT_SHARE * scale else 0.0
        # With a head in log odds the raw outputs are in other units than the targets.
        lowest, highest = _range(y_true) if link is Link.VALUE else (None, None)
        return PredictionReading(constant, spread, (), low, high, finite, lowest, highest)
    predicted, _ = decode(raw, target, link)
    if target.classes:
        guess = np.ravel(guessed(predicted, target))
        constant = float(np.bincount(guess.astype(int) + 1).max() / max(len(guess), 1))
    else:
        constant = float(np.mean(np.ptp(np.asarray(predicted), axis=0) == 0))
    return PredictionReading(constant, spread, (), low, high, finite)


def guessed(predicted: np.ndarray, target: TargetFacts) -> np.ndarray:
    """Returns predicted classes as their numbers."""
    if target.encoding.value == "one_hot":
        return np.ravel(predicted)
    return np.asarray(to_index(np.asarray(predicted), target))


def _range(y_true: np.ndarray) -> tuple[float | None, float | None]:
    finite = y_true[np.isfinite(y_true)]
    return (float(finite.min()), float(finite.max())) if finite.size else (None, None)
