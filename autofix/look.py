"""`Look`: what one look at a run gives to measure, as arrays and numbers. No TensorFlow."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from autofix.decoding import Link
from autofix.errors import one_line
from autofix.facts import TargetFacts
from autofix.trace import LayerReading

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Report:
    """What `fit` reports of an epoch at two batches in a row: running means of the loss.

    Attributes:
        mean: Mean over the epoch so far.
        weight: Rows in it, in batches.
        mean_before: The same one batch earlier; anything at the first batch.
        weight_before: Likewise; 0 at the first batch.
    """

    mean: float
    weight: float
    mean_before: float = 0.0
    weight_before: float = 0.0


@dataclass(frozen=True)
class Clock:
    """How far a run is.

    Attributes:
        seconds: Wall time since it began.
        steps: Training steps done.
        epochs: Epochs done, fractions included; 0 where there are none.
    """

    seconds: float = 0.0
    steps: int = 0
    epochs: float = 0.0


@dataclass(frozen=True, eq=False)
class Kernel:
    """The main weight of a layer, as far as statistics need it.

    Attributes:
        entries: Evenly spread entries, always the same ones, float array [entries].
        size: Number of all entries.
        trainable: Whether training may change it.
    """

    entries: np.ndarray
    size: int
    trainable: bool = True


@dataclass(frozen=True, eq=False)
class Slope:
    """The gradient of one trainable variable.

    Attributes:
        variable: Path of the variable.
        layer: Path of the layer that owns it; None where none is known to.
        is_kernel: Whether it is that layer's main weight.
        value: The gradient, float array in any shape; None where the loss does not depend on the variable.
    """

    variable: str
    layer: str | None
    is_kernel: bool
    value: np.ndarray | None


@dataclass(frozen=True, eq=False)
class Predicted:
    """Predictions on some rows, and what should have come out.

    Attributes:
        outputs: Raw outputs, one float array [n, ...] per model output.
        truths: The user's targets for the same rows, likewise.
        targets: What is known about them.
        links: How the raw outputs are to be read.
    """

    outputs: tuple[np.ndarray, ...]
    truths: tuple[np.ndarray, ...]
    targets: tuple[TargetFacts, ...]
    links: tuple[Link, ...]


@dataclass(frozen=True, eq=False)
class Look:
    """One look at a run. A field is None where it was not looked at.

    Attributes:
        step: Training steps done; 0 is before training.
        report: What `fit` reports of its last batch.
        losses: Losses of the last steps, as trained on.
        penalty: Sum of the regularization losses.
        rate: Learning rate in force.
        clock: How far the run is.
        clock_before: How far it was when its pace was last measured.
        kernels: Main weights by layer path, in order.
        start: The same when the run began.
        before: The same at the look before.
        since: Training steps done at the look before.
        gradients: Gradients of the step just done, or of the reference rows.
        outputs: Output of each layer on the reference rows by layer path, float arrays [n, ...], in order.
        activations: Snake-case activation by layer path.
        predicted: Predictions.
        inputs: The reference rows as the first layer sees them, one array [n, ...] per model input.
        targets: Their targets as the loss sees them, one array [n, ...] per model output.
        layers: Layer readings with the weights that a loss which is not finite came from.
        missing: Why a field could not be seen, by its name, as the end of a sentence.
    """

    step: int = 0
    report: Report | None = None
    losses: tuple[float, ...] | None = None
    penalty: float | None = None
    rate: float | None = None
    clock: Clock | None = None
    clock_before: Clock | None = None
    kernels: Mapping[str, Kernel] | None = None
    start: Mapping[str, Kernel] | None = None
    before: Mapping[str, Kernel] | None = None
    since: int = 0
    gradients: tuple[Slope, ...] | None = None
    outputs: Mapping[str, np.ndarray] | None = None
    activations: Mapping[str, str] = field(default_factory=dict)
    predicted: Predicted | None = None
    inputs: tuple[np.ndarray, ...] | None = None
    targets: tuple[np.ndarray, ...] | None = None
    layers: tuple[LayerReading, ...] | None = None
    missing: Mapping[str, str] = field(default_factory=dict)

    def seeing(self, sources: Mapping[str, Callable[[], Any]]) -> Look:
        """Returns the look with more fields; one whose source fails is missing, with the error as the reason."""
        found: dict[str, Any] = {}
        missing = dict(self.missing)
        for name, source in sources.items():
            try:
                found[name] = source()
            except Exception as error:  # looking must never end a run
                logger.debug("a look failed", exc_info=True)
                missing[name] = because(error)
        return replace(self, missing=missing, **found)


def because(error: BaseException) -> str:
    """Returns an error as the end of a sentence about what could not be seen."""
    return f" ({one_line(error)})"
