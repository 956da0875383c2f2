"""Everything seen of one run so far, and the `Trace` that it makes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from autofix.course import Course, thin
from autofix.live.curve import Curve
from autofix.live.silent import Silent
from autofix.probe import Readings
from autofix.probes.gradients import GradientReading, Gradients
from autofix.trace import Trace


@dataclass
class Record:
    """What was seen so far.

    Attributes:
        per_execution: Steps that one reported loss stands for.
        steps_per_epoch: Steps in an epoch; 0 while unknown.
        planned_epochs: Epochs that `fit` was asked for.
        epochs: Epochs done, fractions included.
        steps: Steps done.
        curve: The losses.
        scores: Validation score ranks and the epochs they were taken at.
        train_score: Score on the reference rows; None while unknown.
        trainable: Number of trainable weights.
        error: The exception that ended the run.
        seconds: Wall time so far.
        course: What the looks add up to.
        silent: Layers without a gradient.
    """

    per_execution: int = 1
    steps_per_epoch: int = 0
    planned_epochs: int = 0
    epochs: float = 0.0
    steps: int = 0
    curve: Curve = field(default_factory=Curve)
    scores: list[tuple[float, float]] = field(default_factory=list)
    train_score: float | None = None
    trainable: int = 0
    error: str | None = None
    seconds: float = 0.0
    silent: Silent = field(default_factory=Silent)

    def __post_init__(self) -> None:
        self.course = Course()
        self._gradients: list[tuple[int, GradientReading]] = []

    @property
    def stride(self) -> int:
        """Steps that one entry of the trace's loss stands for."""
        return self.per_execution * self.curve.stride

    def note(self, sentence: str) -> None:
        """Notes what could not be measured, once."""
        self.course.note(sentence)

    def scored(self, rank: float) -> None:
        """Takes in a validation score."""
        self.scores.append((self.epochs, rank))
        thin(self.scores)

    def take(self, readings: Readings) -> None:
        """Takes in what the course does not keep: gradients, which the engine reads elsewhere."""
        gradients = readings.of(Gradients)
        if gradients is not None:
            self._gradients.append((readings.step, gradients))
            thin(self._gradients, len(gradients.norms))
            self.silent.take(gradients)

    def trace(self) -> Trace:
        """Returns what was seen, steps counted in entries of the loss where one stands for several."""
        stride, loss = self.stride, self.curve.entries
        bad = self.curve.first_bad
        seen = self._gradients
        paths = list(seen[-1][1].norms) if seen else []
        trace = Trace(
            steps_per_epoch=self.steps_per_epoch // stride,
            epochs=self.epochs,
            planned_epochs=self.planned_epochs,
            loss=loss,
            epoch_scores=tuple(rank for _, rank in self.scores),
            scored_epochs=tuple(epoch for epoch, _ in self.scores),
            train_score=self.train_score,
            probe_steps=tuple(step // stride for step, _ in seen),
            gradient_norms={path: tuple(item.norms.get(path, 0.0) for _, item in seen) for path in paths},
            gradient_norm=tuple(item.total for _, item in seen),
            trainable=self.trainable,
            non_finite_step=None if bad is None else min(bad // self.curve.stride, max(len(loss) - 1, 0)),
            error=self.error,
            seconds=self.seconds,
        )
        coarse = (f"single steps: a step below stands for {stride}",) if stride > 1 else ()
        trace = self.course.fill(trace, stride)
        return replace(trace, unseen=(*trace.unseen, *coarse))
