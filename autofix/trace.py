"""`Trace`: what the probes saw of one run, as plain numbers. No TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class LayerReading:
    """Activations and weights of one layer on the reference batch (at most 256 training rows).

    Attributes:
        layer: Path of the layer.
        step: Training steps done when it was taken; 0 is before training.
        activation: Snake-case name of the activation it applies.
        mean: Mean output.
        std: Standard deviation of the output over rows and units.
        spread: Mean over units of the standard deviation over rows: 0 when the layer passes on no information.
        dead: Fraction of units that are exactly 0 (relu family: never positive) for every row.
        saturated: Fraction of outputs within 1 % of a bound of a bounded activation (sigmoid, tanh,
            hard_sigmoid, softsign); 0 for unbounded ones.
        weight_norm: Euclidean norm of the layer's kernel.
        weight_std: Standard deviation of the kernel's entries.
        finite: Whether all outputs are finite.
    """

    layer: str
    step: int
    activation: str
    mean: float
    std: float
    spread: float
    dead: float
    saturated: float
    weight_norm: float
    weight_std: float
    finite: bool = True


@dataclass(frozen=True)
class PredictionReading:
    """Predictions on the validation part at the end of the run, decoded to the user's labels or units.

    Attributes:
        constant: Fraction of rows that get the most frequent prediction (classification) or, for regression, 1.0
            when the standard deviation of the predictions is under 1 % of that of the targets, else 0.
        spread: Standard deviation of the raw outputs over rows, averaged over columns.
        recalls: Recall per class, in the order of `TargetFacts.classes`; empty for regression.
        minimum: Smallest raw output.
        maximum: Largest raw output.
        finite: Whether all raw outputs are finite.
        target_minimum: Smallest target of the same rows, to hold the outputs against; None for classes, and where the
            outputs are in other units.
        target_maximum: Largest target of the same rows, likewise.
    """

    constant: float
    spread: float
    recalls: tuple[float, ...]
    minimum: float
    maximum: float
    finite: bool = True
    target_minimum: float | None = None
    target_maximum: float | None = None


@dataclass(frozen=True)
class WeightReading:
    """A trainable kernel, by evenly spread entries where it has more than some thousand.

    Attributes:
        norm: Euclidean norm.
        mean: Mean of the entries.
        std: Standard deviation of the entries.
        minimum: Smallest entry.
        maximum: Largest entry.
        drift: Norm of (kernel - initial kernel) over norm of the initial kernel.
        finite: Whether all entries are finite.
    """

    norm: float
    mean: float
    std: float
    minimum: float
    maximum: float
    drift: float
    finite: bool = True


@dataclass(frozen=True)
class ArrayReading:
    """An input or a target on the reference batch: all numbers over everything that is finite, 0.0 for text.

    Attributes:
        minimum: Smallest value.
        maximum: Largest value.
        mean: Mean.
        std: Standard deviation.
        missing: Share of the values that are NaN or infinite.
        constant: Share of the columns (entries of a row, at most 1,024 are looked at) that are the same in every row.
    """

    minimum: float
    maximum: float
    mean: float
    std: float
    missing: float
    constant: float


@dataclass(frozen=True)
class Trace:
    """One run.

    Attributes:
        steps_per_epoch: Training steps in an epoch.
        epochs: Epochs done (the last may be partial).
        planned_epochs: Epochs the recipe asked for.
        loss: Loss per step, as trained on (penalties included), not averaged; NaN and inf as they came.
        penalty: Share of the last loss that comes from regularization losses, 0..1.
        epoch_scores: Validation score (`Score.rank`) after each evaluated epoch.
        scored_epochs: The epochs (1-based, fractions allowed) at which those were taken.
        train_score: Score on a sample of the training rows at the end; None if not measured.
        probe_steps: Steps (0-based) at which gradients were read.
        gradient_norms: Euclidean norm of the gradient of each layer's kernel, per probe step, by layer path, in
            graph order.
        gradient_norm: Global gradient norm per probe step.
        weight_change: Norm of (final - initial kernel) over norm of the initial kernel, by layer path.
        update_ratio: Median over probe steps of norm(update) / norm(kernel), by layer path.
        first: Layer readings before training.
        last: Layer readings at the end.
        predictions: Readings per model output at the end.
        learning_rate: Learning rate in force at the first step.
        trainable: Number of trainable weights.
        non_finite_step: First step whose loss was NaN or infinite; None if none was.
        non_finite_origin: Where it came from: "input", "target", "layer:<path>", "loss" or "gradient".
        error: The exception that ended the run, as text; None if none did.
        unseen: What the probes could not measure, as sentences.
        seconds: Wall time of the run.
        disconnected: Paths of the layers whose kernel's gradient is None, because the loss does not depend on it.
        rate_steps: Steps done at the looks at which the learning rate was read, growing.
        learning_rates: Learning rate in force at each of them.
        step_seconds: Median over the run of the seconds that a step takes; None if not measured.
        epoch_seconds: Seconds an epoch over the stretches between scores (in `fit`, between ends of epochs), float
            [stretches]. The first one holds what is compiled.
        weights: Readings of the trainable kernels at the end, by layer path, in graph order.
        inputs: Readings of the reference batch as the first layer sees it, one per model input.
        targets: Readings of its targets as the loss sees them, one per model output.
    """

    steps_per_epoch: int = 0
    epochs: float = 0.0
    planned_epochs: int = 0
    loss: tuple[float, ...] = ()
    penalty: float = 0.0
    epoch_scores: tuple[float, ...] = ()
    scored_epochs: tuple[float, ...] = ()
    train_score: float | None = None
    probe_steps: tuple[int, ...] = ()
    gradient_norms: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    gradient_norm: tuple[float, ...] = ()
    weight_change: Mapping[str, float] = field(default_factory=dict)
    update_ratio: Mapping[str, float] = field(default_factory=dict)
    first: tuple[LayerReading, ...] = ()
    last: tuple[LayerReading, ...] = ()
    predictions: tuple[PredictionReading, ...] = ()
    learning_rate: float = 0.0
    trainable: int = 0
    non_finite_step: int | None = None
    non_finite_origin: str | None = None
    error: str | None = None
    unseen: tuple[str, ...] = ()
    seconds: float = 0.0
    disconnected: tuple[str, ...] = ()
    rate_steps: tuple[int, ...] = ()
    learning_rates: tuple[float, ...] = ()
    step_seconds: float | None = None
    epoch_seconds: tuple[float, ...] = ()
    weights: Mapping[str, WeightReading] = field(default_factory=dict)
    inputs: tuple[ArrayReading, ...] = ()
    targets: tuple[ArrayReading, ...] = ()

    @property
    def steps(self) -> int:
        """Training steps done."""
        return len(self.loss)

    def to_dict(self) -> dict[str, Any]:
        """Returns the trace as JSON-ready data."""
        return asdict(self)
