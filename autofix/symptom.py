"""What can be wrong with a run: the symptoms, a finding, and the contract of a rule."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any, Protocol

from autofix.facts import DataFacts
from autofix.frozen import EMPTY, FrozenDict, thaw
from autofix.recipe import Recipe
from autofix.trace import Trace


class Symptom(enum.Enum):
    """A way in which a run stalls; the value is the sentence that the user reads."""

    # Decided before any training.
    INPUT_SHAPE = "The inputs do not have the shape that the model expects."
    MISSING_VALUES = "The inputs hold missing or infinite values."
    UNSCALED_INPUTS = "The inputs are on a scale that the first layer cannot work with."
    UNSCALED_TARGETS = "The targets are far from the scale that the output layer starts from."
    LABEL_ENCODING = "The labels are not written the way the loss reads them."
    HEAD_MISMATCH = "The output layer does not fit the task."
    LOSS_MISMATCH = "The loss does not fit the output layer and the labels."
    OUTPUT_RANGE = "The output activation cannot reach the targets."
    CLASS_IMBALANCE = "One class is much rarer than another."
    FROZEN_LAYERS = "Layers that should learn are frozen."
    BAD_INITIALIZATION = "The initial weights give the layers nothing to start from."
    STRONG_REGULARIZATION = "Regularization is stronger than the data can bear."
    EXTREME_LEARNING_RATE = "The learning rate is far outside the range in which this optimizer works."
    BATCH_TOO_LARGE = "The batches are so large that an epoch makes only a few steps."
    BOTTLENECK = "A layer is too narrow to pass on what the output needs."
    REDUNDANT_FEATURES = "Features never vary or repeat each other."
    LEAKAGE = "Something in the data may give the targets away."
    LABEL_NOISE = "Many targets contradict the inputs."
    SORTED_ROWS = "The rows are fed sorted by what is to be predicted."
    LAST_BATCH = "The last batch of each epoch is too small to go by."
    MISPLACED_DROPOUT = "Dropout stands where it does harm."
    TINY_BATCH_NORMALIZATION = "A batch normalization sees too few values to normalize with."
    LINEAR_HIDDEN_LAYERS = "Activations between layers are missing or doubled."
    SHAPE_BROADCAST = "Predictions and targets of different shapes are stretched onto each other."
    # Seen while training.
    NON_FINITE_LOSS = "The loss became NaN or infinite."
    EXPLODING_GRADIENT = "The gradients explode."
    VANISHING_GRADIENT = "The gradients vanish on their way to the first layers."
    DEAD_UNITS = "Most units of a layer are zero for every input."
    SATURATED_UNITS = "Most units of a layer sit at the bounds of their activation."
    WEIGHTS_UNCHANGED = "The weights do not change."
    PLATEAU = "The loss stays where it started."
    LATE_PLATEAU = "The loss fell at first and then got stuck."
    CONVERGED = "The run has come to rest where it can be."
    STILL_IMPROVING = "The run ended while it was still improving."
    SLOW = "The loss falls far more slowly than it could."
    OSCILLATION = "The loss jumps up and down without getting lower."
    DIVERGENCE = "The loss grows."
    COLLAPSED_PREDICTIONS = "The model predicts the same for every input."
    IMBALANCE_IGNORED = "A rare class is hardly ever predicted."
    OVERFITTING = "The model fits the training rows far better than others."
    UNDERFITTING = "The model does not even fit the training rows."
    REGULARIZATION_DOMINATES = "The penalty on the weights outweighs the loss."
    NO_SIGNAL = "Nothing that was tried finds a relation between inputs and targets."

    @property
    def code(self) -> str:
        """The name to look it up by, for example ``dead_units``."""
        return self.name.lower()


@dataclass(frozen=True)
class Diagnosis:
    """One finding.

    Attributes:
        symptom: What is wrong.
        severity: How bad, from 0 (noted) to 1 (the run cannot work).
        certainty: How sure, from 0 to 1; 1.0 for what follows from the program alone.
        evidence: The numbers, as one sentence.
        layer: Path of the layer it was seen in; None when it concerns the whole run.
        since_step: First training step at which it held; None for what is known before training.
        numbers: The measured values by name.
        causes: Likely causes, the likeliest first; those of the symptom (see `autofix.explain`) where the rule knows
            nothing more specific.
        strategies: Names of the strategies that treat it.
    """

    symptom: Symptom
    severity: float
    certainty: float
    evidence: str
    layer: str | None = None
    since_step: int | None = None
    numbers: FrozenDict = EMPTY
    causes: tuple[str, ...] = ()
    strategies: tuple[str, ...] = ()

    def __str__(self) -> str:
        where = f" [{self.layer}]" if self.layer else ""
        return f"{self.symptom.value} {self.evidence}{where}"

    def _repr_html_(self) -> str:
        from autofix.report import notebook

        return notebook.finding(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """Returns the finding as JSON-ready data."""
        return {
            "symptom": self.symptom.code,
            "sentence": self.symptom.value,
            "severity": self.severity,
            "certainty": self.certainty,
            "evidence": self.evidence,
            "layer": self.layer,
            "since_step": self.since_step,
            "numbers": thaw(self.numbers),
            "causes": list(self.causes),
            "strategies": list(self.strategies),
        }


@dataclass(frozen=True)
class Evidence:
    """All that a rule may look at.

    Attributes:
        recipe: The program.
        facts: The data in numbers.
        input_shapes: Shape of one example per model input, as the model declares it (None where free).
        output_shapes: Shape of one example per model output.
        trace: What the probes saw; None before training.
        score: The run's score on the validation part (see `Scorer`); None before training.
        perfect: Best score that the metric allows.
    """

    recipe: Recipe
    facts: DataFacts
    input_shapes: tuple[tuple[int | None, ...], ...]
    output_shapes: tuple[tuple[int | None, ...], ...]
    trace: Trace | None = None
    score: float | None = None
    perfect: float = 1.0


class Rule(Protocol):
    """Judges one kind of symptom; a module-level function `judge` in a file of `autofix.symptoms`."""

    def __call__(self, evidence: Evidence) -> tuple[Diagnosis, ...]:
        """Returns what it finds, nothing when there is nothing to find. Pure: same evidence, same findings."""
