"""scikit-learn's scorers by name, on predictions that a Keras model made."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from autofix.decoding import Link, decode, decode_index
from autofix.errors import FixYourCall, did_you_mean
from autofix.facts import TargetFacts, TaskKind
from autofix.labels import to_index

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Direction:
    """Where a metric can go.

    Attributes:
        floor: Smallest value, or None where there is none.
        perfect: Largest value.
    """

    floor: float | None
    perfect: float


def direction_of(name: str) -> Direction:
    """Returns the bounds of a scikit-learn scorer.

    Raises:
        FixYourCall: If scikit-learn knows no scorer of that name.
    """
    from sklearn.metrics import get_scorer_names  # half a second, for those who name a metric

    names = get_scorer_names()
    if name not in names:
        raise FixYourCall(
            f"`metric` must be 'auto', the name of a scikit-learn scorer, or a function of (y_true, y_pred). "
            f"Received: metric={name!r}.{did_you_mean(name, ['auto', *names])} "
            "sklearn.metrics.get_scorer_names() lists the names."
        )
    if name.startswith("neg_"):
        return Direction(None, 0.0)
    if name in ("r2", "explained_variance") or name.startswith("d2_"):
        return Direction(-1e6, 1.0)
    if name == "matthews_corrcoef":
        return Direction(-1.0, 1.0)
    return Direction(0.0, np.inf if name == "positive_likelihood_ratio" else 1.0)


def named_metric(name: str, target: TargetFacts, true: Array, outputs: Array, link: Link) -> float:
    """Returns a scikit-learn score, higher is better; NaN where it is undefined on these rows.

    Args:
        name: Name of the scorer.
        target: What the targets ask for.
        true: Targets as the user wrote them, array [n, ...].
        outputs: Raw outputs of the model, finite float array [n, ...].
        link: How the outputs are read.

    Raises:
        FixYourCall: If the metric does not suit the task.
    """
    from sklearn.metrics import get_scorer

    if target.kind is TaskKind.REGRESSION:
        rows = true.reshape(len(true), -1)
        answers = decode(outputs, target, link)[0].reshape(rows.shape)
        expected, answers = (rows[:, 0], answers[:, 0]) if rows.shape[1] == 1 else (rows, answers)
        probabilities, classes = None, None
    elif target.kind is TaskKind.MULTILABEL:
        answers, probabilities = decode(outputs, target, link)
        expected, classes = true.reshape(answers.shape).astype(np.int64), np.arange(answers.shape[1])
    else:
        # Indices, not labels: scikit-learn takes class 1 of 0 and 1 for the positive one without being told.
        index, probabilities = decode_index(outputs, target, link)
        known = to_index(true, target)
        expected, classes = known[known >= 0], np.arange(len(target.classes))
        answers = index[known >= 0]
        probabilities = np.eye(len(classes))[answers] if probabilities is None else probabilities[known >= 0]
    model = _stand_in(answers, probabilities, classes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return float(get_scorer(name)(model, np.zeros((len(expected), 1)), expected))
        except (ValueError, AttributeError, TypeError, IndexError) as error:
            if classes is not None and len(np.unique(expected)) < len(classes):
                return float("nan")
            raise FixYourCall(
                f"`metric` must suit the task. Received: metric={name!r} for {target.kind.value} targets; scikit-learn "
                f"says: {error}. Pass 'auto', or a scorer for this task."
            ) from error


def _stand_in(answers: Array, probabilities: Array | None, classes: Array | None) -> Any:
    """Returns an object that scikit-learn takes for a fitted estimator, with the given answers."""
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

    if classes is None:

        class Regressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
            def predict(self, x: Array) -> Array:
                return answers

            def __sklearn_is_fitted__(self) -> bool:
                return True

        return Regressor()

    class Classifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
        classes_ = classes

        def predict(self, x: Array) -> Array:
            return answers

        def predict_proba(self, x: Array) -> Array | None:
            return probabilities

        def __sklearn_is_fitted__(self) -> bool:
            return True

    return Classifier()
