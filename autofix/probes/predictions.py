"""What the model predicts on the validation part: collapse, range, recall per class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autofix.facts import TargetFacts
from autofix.labels import to_index
from autofix.scoring import Link, decode
from autofix.trace import PredictionReading

# Predictions that vary less than this share of what the targets vary say the same for every row.
CONSTANT_SHARE = 0.01


def read_predictions(
    outputs: Sequence[np.ndarray], y_true: Sequence[np.ndarray], targets: Sequence[TargetFacts], links: Sequence[Link]
) -> tuple[PredictionReading, ...]:
    """Reads predictions.

    Args:
        outputs: Raw outputs, one array [n, ...] per model output.
        y_true: The user's targets for the same rows.
        targets: What is known about them.
        links: How the raw outputs are to be read.

    Returns:
        One reading per output.
    """
    return tuple(_reading(*item) for item in zip(outputs, y_true, targets, links, strict=True))


def _reading(raw: np.ndarray, y_true: np.ndarray, target: TargetFacts, link: Link) -> PredictionReading:
    finite = bool(np.isfinite(raw).all())
    clean = np.nan_to_num(raw.reshape(len(raw), -1), nan=0.0, posinf=0.0, neginf=0.0)
    spread = float(clean.std(axis=0).mean())
    predicted, _ = decode(raw, target, link)
    recalls: tuple[float, ...] = ()
    if target.classes:
        truth = to_index(np.asarray(y_true), target)
        guess = to_index(np.asarray(predicted), target) if target.encoding.value != "one_hot" else np.ravel(predicted)
        constant = float(np.bincount(np.ravel(guess).astype(int) + 1).max() / max(len(np.ravel(guess)), 1))
        recalls = tuple(
            float(np.mean(np.ravel(guess)[truth == index] == index)) if (truth == index).any() else float("nan")
            for index in range(len(target.classes))
        )
    elif target.kind.is_classification:
        constant = float(np.mean(np.ptp(np.asarray(predicted), axis=0) == 0))
    else:
        scale = float(np.mean(target.std)) if target.std else 1.0
        constant = 1.0 if spread < CONSTANT_SHARE * scale else 0.0
    return PredictionReading(constant, spread, recalls, float(clean.min()), float(clean.max()), finite)
