"""`Outcome`: what came of one candidate: its scores, its trace, how it ended."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autofix.change import Patch
from autofix.predictions import Predictions
from autofix.scoring import Score
from autofix.trace import Trace


class Status(enum.Enum):
    """How a run ended; the value is the sentence."""

    DONE = "trained to its end"
    PRUNED = "stopped early: it was not going to win"
    DIVERGED = "stopped: its loss became NaN or infinite"
    FAILED = "ended with an error"
    CUT = "stopped: the time was up"


@dataclass(frozen=True)
class Outcome:
    """One candidate, trained with one seed (over every split of the data).

    Attributes:
        patch: What was changed; empty for the user's own program.
        seed: Seed of initial weights and data order.
        status: How it ended.
        score: Score on the validation part; None when it could not be scored.
        epochs: Epochs trained (the longest over splits).
        seconds: Wall time, compiling included.
        again: Seconds that the same run, made in full, would take with everything compiled.
        holdout: Score on the holdout part; None unless it was asked for.
        trace: What the probes saw; None if they were off.
        error: The exception that ended it, as one line.
        steps: Training steps done.
        share: Share of the planned epochs that the run was meant to make.
        engine: What ran them: "xla", "compiled", "eager" or "fit".
        reason: Why nothing faster ran them; None where nothing faster would have paid.
        weights: Final weights (of the first split), in the order of `model.weights`; None without a holdout score.
        resampled: Holdout scores on bootstrap draws of its rows, the same draws for every run; empty without holdout.
        predictions: Predictions on the holdout part, one an output; empty without holdout.
    """

    patch: Patch
    seed: int
    status: Status
    score: Score | None
    epochs: float = 0.0
    seconds: float = 0.0
    again: float = field(default=0.0, compare=False)
    holdout: Score | None = None
    trace: Trace | None = None
    error: str | None = None
    steps: int = 0
    share: float = 1.0
    engine: str = "compiled"
    reason: str | None = None
    weights: tuple[np.ndarray, ...] | None = field(default=None, compare=False, repr=False)
    resampled: tuple[float, ...] = field(default=(), compare=False, repr=False)
    predictions: tuple[Predictions, ...] = field(default=(), compare=False, repr=False)

    @property
    def rank(self) -> float:
        """What candidates are compared by; minus infinity without a score."""
        return float("-inf") if self.score is None else self.score.rank

    def to_dict(self) -> dict[str, Any]:
        """Returns the outcome as JSON-ready data, without weights and trace."""
        return {
            "patch": self.patch.to_dict(),
            "seed": self.seed,
            "status": self.status.name.lower(),
            "score": None if self.score is None else self.score.to_dict(),
            "holdout": None if self.holdout is None else self.holdout.to_dict(),
            "epochs": self.epochs,
            "steps": self.steps,
            "engine": self.engine,
            "reason": self.reason,
            "seconds": self.seconds,
            "error": self.error,
            "predictions": [output.to_dict() for output in self.predictions],
        }


def joined(parts: Sequence[Outcome], patch: Patch, seed: int, seconds: float) -> Outcome:
    """Returns one outcome for the runs of all splits: mean scores, and the worst way to end."""
    first, last = parts[0], parts[-1]
    bad = last.status in (Status.FAILED, Status.PRUNED, Status.CUT)
    scores = [part.score for part in parts if part.score is not None]
    held = [part.holdout for part in parts if part.holdout is not None]
    return Outcome(
        patch,
        seed,
        last.status if bad else first.status,
        Score.mean(scores) if scores and last.status is not Status.FAILED else None,
        max(part.epochs for part in parts),
        seconds,
        sum(part.again for part in parts),
        Score.mean(held) if held else None,
        first.trace,
        last.error,
        sum(part.steps for part in parts),
        first.share,
        first.engine,
        first.reason,
        first.weights,
        tuple(np.mean([part.resampled for part in parts], axis=0).tolist()) if first.resampled else (),
        tuple(map(Predictions.joined, zip(*(part.predictions for part in parts), strict=False))),
    )
