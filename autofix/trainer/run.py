"""One run of a compiled program over one division of the rows, from its first step to whatever ends it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from autofix.data import Split
from autofix.outcome import Status
from autofix.scoring import Link, Score
from autofix.trainer.evaluation import MOST_WATCHED, Evaluator
from autofix.trainer.plan import STEPS_BETWEEN, Plan
from autofix.trainer.program import Program
from autofix.trainer.start import Weights
from autofix.trainer.tracing import Tracer
from autofix.training import Progress

# One call into the compiled loop lasts about this long, so that an interrupt is served in time.
CHUNK_SECONDS = 0.5


@dataclass
class Run:
    """A run under way.

    Attributes:
        program: What trains; already reset.
        plan: Its epochs and batches.
        split: The rows.
        evaluator: Scores it.
        links: How its outputs are read.
        order: Returns the row numbers of one epoch.
        tracer: Takes in what the probes see; None without probes.
        patience: Epochs without a better score after which it ends with its best weights; None for none.
        settles: Whether weights that stand still do so for good: not under a learning-rate schedule.
        is_over: Whether the run has to end now.
        keep: Asked after each evaluation; False ends the run.
        is_last: Whether hardly a run follows, so that the time spent so far foretells nothing.
    """

    program: Program
    plan: Plan
    split: Split
    evaluator: Evaluator
    links: Sequence[Link]
    order: Callable[[], np.ndarray]
    tracer: Tracer | None
    patience: int | None
    settles: bool
    is_over: Callable[[], bool]
    keep: Callable[[Progress], bool] | None
    is_last: bool = False

    status: Status = Status.DONE
    score: Score | None = None
    epoch: float = 0.0
    step: int = 0

    def __post_init__(self) -> None:
        self._best: tuple[float, Weights | None, float] = (-math.inf, None, 0.0)
        self._still: Weights | None = None

    def go(self) -> None:
        """Trains and scores until the run ends; the attributes then say how."""
        for rows, starts, stops, epoch in self.plan.segments(self.order):
            before = self.score
            broke, done = self._train(rows, starts, stops)
            self.step += done
            if broke:
                self.status = broke
                self.epoch += (epoch - self.epoch) * done / len(starts)
                break
            self.epoch = epoch
            self.score, constant = self.evaluator.watch(self.program, self.split, self.links)
            if self.tracer:
                self.tracer.evaluated(epoch, self.score.rank)
            if self._is_patience_over() or self._stands_still(before, len(starts)):
                break
            progress = Progress(epoch / self.plan.end, epoch, self.score.rank, constant)
            if self.keep and epoch < self.plan.end and not self.keep(progress):
                self.status = Status.PRUNED
                break
        self._finish()

    def _finish(self) -> None:
        """Goes back to the best weights where that was asked for, and scores what the run ends with."""
        rank, weights, _ = self._best
        if weights is not None and (self.status is Status.DIVERGED or self.score is None or rank >= self.score.rank):
            self.program.restore(weights)
            self.status = Status.DONE if self.status is Status.DIVERGED else self.status
        elif not self.program.finish() and (
            self.status not in (Status.CUT, Status.DIVERGED) and len(self.split.validation) <= MOST_WATCHED
        ):
            return
        self.score = self.evaluator.score(self.program, self.split.validation, self.links)

    def _train(self, rows: np.ndarray, starts: np.ndarray, stops: np.ndarray) -> tuple[Status | None, int]:
        """Trains over the given batches in short calls; returns why it broke off, if it did, and the steps done."""
        done, size = 0, min(20, len(starts))
        total = self.plan.epochs * self.plan.steps
        while done < len(starts):
            part = slice(done, done + size)
            first = self.step + done
            clock = time.monotonic()
            ahead = total - first
            losses, norms = self.program.run(rows, starts[part], stops[part], first, ahead=ahead, is_last=self.is_last)
            took = time.monotonic() - clock
            if self.tracer:
                self.tracer.trained(first, losses, norms)
            done += len(losses)
            if not np.isfinite(losses).all():
                return Status.DIVERGED, done
            if self.is_over():
                return Status.CUT, done
            if took > 0:
                size = int(np.clip(size * CHUNK_SECONDS / took, 10, 4 * size))
        return None, done

    def _is_patience_over(self) -> bool:
        if self.patience is None or self.score is None:
            return False
        if self.score.rank > self._best[0]:
            self._best = (self.score.rank, self.program.weights(), self.epoch)
            return False
        return self.epoch - self._best[2] >= self.patience

    def _stands_still(self, before: Score | None, steps: int) -> bool:
        """Whether no weight has moved since the last score: no more steps will move them either."""
        same = before is not None and self.score is not None and before.rank == self.score.rank
        if not (self.settles and same and steps >= min(self.plan.steps, STEPS_BETWEEN)):
            self._still = None
            return False
        weights = self.program.weights()
        still = self._still is not None and all(map(np.array_equal, weights, self._still))
        self._still = weights
        return still
