"""Recall of each class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from autofix.facts import TargetFacts
from autofix.labels import to_index
from autofix.look import Look
from autofix.probe import Probe, Tier
from autofix.probes.predictions import guessed
from autofix.scoring import Link, decode


@final
@dataclass(frozen=True)
class Recalls(Probe[tuple[tuple[float, ...], ...]]):
    """Share of the rows of each class that are predicted as such, per model output; NaN for a class without rows.

    Empty for outputs that tell no classes apart.
    """

    name: ClassVar[str] = "recalls"
    tier: ClassVar[Tier] = Tier.FULL
    what: ClassVar[str] = "the recall of each class"
    needs: ClassVar[tuple[str, ...]] = ("predicted",)

    def measure(self, look: Look) -> tuple[tuple[float, ...], ...]:
        seen = look.predicted
        assert seen is not None
        return tuple(_recalls(*item) for item in zip(seen.outputs, seen.truths, seen.targets, seen.links, strict=True))


def _recalls(raw: np.ndarray, y_true: np.ndarray, target: TargetFacts, link: Link) -> tuple[float, ...]:
    if not target.classes:
        return ()
    truth = to_index(np.asarray(y_true), target)
    guess = np.ravel(guessed(decode(raw, target, link)[0], target))
    return tuple(
        float(np.mean(guess[truth == index] == index)) if (truth == index).any() else float("nan")
        for index in range(len(target.classes))
    )
