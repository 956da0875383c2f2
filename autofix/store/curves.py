"""How scores and losses went, before and after: picked from the runs that were made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from autofix.change import Patch
from autofix.outcome import Outcome, Status

COLUMNS = ("seed", "role", "epoch", "score", "loss")


def before_and_after(trials: Sequence[Outcome], patch: Patch) -> tuple[Outcome | None, Outcome | None]:
    """Returns a run of the program as it came and one of the repaired one, each with a trace; None without one.

    What is left out of a patch in the end is tried without probes: where no run of the final patch has a trace, the
    best run that has one stands for it.

    Args:
        trials: The runs, in their order.
        patch: What was changed in the end.
    """
    seen = [outcome for outcome in trials if outcome.trace is not None]
    before = next((outcome for outcome in reversed(seen) if not outcome.patch), None)
    if not patch:
        return before, None
    changed = [outcome for outcome in seen if outcome.patch]
    same = [outcome for outcome in changed if outcome.patch == patch]
    done = [outcome for outcome in changed if outcome.status is Status.DONE]
    return before, next(reversed(same), max(done, key=lambda outcome: outcome.rank, default=None))


def history(trials: Sequence[Outcome], patch: Patch) -> list[dict[str, Any]]:
    """Returns one row for each score that was taken: seed, role ("before" or "after"), epoch, score rank, mean loss.

    The loss is that of the training steps since the score before; rows of runs without a score hold losses an epoch.
    """
    rows: list[dict[str, Any]] = []
    for role, outcome in zip(("before", "after"), before_and_after(trials, patch), strict=True):
        if outcome is not None:
            rows += [
                {"seed": outcome.seed, "role": role, "epoch": epoch, "score": score, "loss": loss}
                for epoch, score, loss in _curve(outcome)
            ]
    return rows


def _curve(outcome: Outcome) -> Iterator[tuple[float, float | None, float | None]]:
    trace = outcome.trace
    assert trace is not None
    loss, pace = np.asarray(trace.loss, dtype=np.float64), max(1, trace.steps_per_epoch)
    epochs: Sequence[float] = trace.scored_epochs
    scores: Sequence[float | None] = trace.epoch_scores
    if not epochs:
        epochs = [float(epoch) for epoch in range(1, -(-len(loss) // pace) + 1)]
        scores = [None] * len(epochs)
    last = 0
    for epoch, score in zip(epochs, scores, strict=False):
        end = min(len(loss), max(last, round(epoch * pace)))
        part = loss[last:end]
        yield epoch, score, float(part.mean()) if len(part) else None
        last = end
