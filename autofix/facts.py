"""What is known about the data before any training: plain numbers, made once."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any


class TaskKind(enum.Enum):
    """What the targets ask for; decides the head, the loss and the score."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    MULTILABEL = "multilabel"
    REGRESSION = "regression"

    @property
    def is_classification(self) -> bool:
        """Whether predictions are classes rather than quantities."""
        return self is not TaskKind.REGRESSION


class Encoding(enum.Enum):
    """How the user's target array writes down classes; `VALUES` for regression."""

    INDEX = "index"  # integers 0..k-1, shape [n] or [n, 1]
    ONE_HOT = "one_hot"  # [n, k], exactly one 1 a row
    MULTI_HOT = "multi_hot"  # [n, k], any number of 1s a row
    SIGNED = "signed"  # -1 and 1
    LABELS = "labels"  # anything else that names classes: 1..k, gaps, strings, fractions k/255
    VALUES = "values"  # quantities


@dataclass(frozen=True)
class InputFacts:
    """One input of the model, as the user feeds it (training part, finite values only).

    Attributes:
        name: Name of the input.
        shape: Shape of one example.
        dtype: NumPy dtype name.
        minimum: Smallest value.
        maximum: Largest value.
        mean: Mean over everything.
        std: Standard deviation over everything.
        feature_mean: Mean per entry of the last axis; empty when that axis is longer than 4,096.
        feature_std: Standard deviation per entry of the last axis; empty as above.
        missing: Fraction of values that are NaN or infinite.
        missing_features: Number of entries of the last axis with at least one NaN or infinity.
        integral: Whether every value is a whole number.
        constant: Number of entries of the last axis that never vary.
        distinct: Number of distinct values in a sample (at most 10,000 values are looked at).
        repeated: Number of entries of the last axis that vary and repeat an earlier one in every row looked at.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    minimum: float
    maximum: float
    mean: float
    std: float
    feature_mean: tuple[float, ...]
    feature_std: tuple[float, ...]
    missing: float
    missing_features: int
    integral: bool
    constant: int
    distinct: int
    repeated: int = 0


@dataclass(frozen=True)
class TargetFacts:
    """One target of the model, as the user feeds it (training part).

    Attributes:
        name: Name of the output it belongs to.
        shape: Shape of one example's target.
        dtype: NumPy dtype name.
        kind: What the target asks for.
        encoding: How classes are written down.
        classes: The user's labels in column order; empty for regression and multilabel.
        counts: Rows per class (per label for multilabel); empty for regression.
        minimum: Smallest finite value; 0.0 for strings.
        maximum: Largest finite value; 0.0 for strings.
        mean: Mean per target column; empty for classification.
        std: Standard deviation per target column; empty for classification.
        missing: Fraction of values that are NaN or infinite.
        reason: The sentence that says why this kind was inferred.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    kind: TaskKind
    encoding: Encoding
    classes: tuple[Any, ...]
    counts: tuple[int, ...]
    minimum: float
    maximum: float
    mean: tuple[float, ...]
    std: tuple[float, ...]
    missing: float
    reason: str

    @property
    def width(self) -> int:
        """Columns a fitting head has: classes, labels or quantities (1 for binary)."""
        if self.kind is TaskKind.BINARY:
            return 1
        if self.kind is TaskKind.MULTICLASS:
            return len(self.classes)
        return self.shape[-1] if self.shape else 1


@dataclass(frozen=True)
class Giveaway:
    """One column of a table that says what the targets are.

    Attributes:
        input: Name of the input that it is a column of.
        feature: Its number, counted from 0.
        alone: Score that it reaches without any other column.
        without: Score that the yardstick reaches on all the others together.
    """

    input: str
    feature: int
    alone: float
    without: float


@dataclass(frozen=True)
class DataFacts:
    """The data in numbers.

    Attributes:
        rows: Rows in training, validation and holdout parts.
        inputs: One entry per model input, in the model's order.
        targets: One entry per model output, in the model's order.
        sorted_labels: Whether the training rows come sorted by class or by the quantity to predict.
        duplicates: Fraction of rows whose inputs repeat an earlier row (sampled).
        signal: Score of the better of a linear model and a forest from scikit-learn on the validation part; None
            where it was not measured. A lower bound of what the data allows.
        chance: Score of the best constant prediction on the same part.
        noise: Standard error of a score on the validation part.
        notes: Sentences about how the data was read, split or sampled.
        epoch_rows: Rows in an epoch of the user's own run, which holds nothing out; 0 where it is not known.
        repeats: Fraction of validation rows whose inputs are those of a training row (sampled: a lower bound).
        conflicts: Fraction of training rows whose target differs from the usual one of the same inputs (sampled).
        disputed: Fractions of labels that the yardstick contradicts on unseen rows: in the quarter of them that it is
            surest of, and in the next one; empty where it was not measured.
        giveaway: The column that gives the targets away where the others do not; None if there is none.
    """

    rows: tuple[int, int, int]
    inputs: tuple[InputFacts, ...]
    targets: tuple[TargetFacts, ...]
    sorted_labels: bool
    duplicates: float
    signal: float | None
    chance: float
    noise: float
    notes: tuple[str, ...]
    epoch_rows: int = 0
    repeats: float = 0.0
    conflicts: float = 0.0
    disputed: tuple[float, ...] = ()
    giveaway: Giveaway | None = None
