"""Two simple models from scikit-learn, fitted and judged fold by fold.

Sources: extremely randomized trees: Geurts et al., Machine Learning 63 (2006). Labels that out-of-fold predictions
contradict: Northcutt et al., JAIR 70 (2021).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from autofix.metrics import balanced_accuracy, r2, recalls

Array = npt.NDArray[Any]
Numbers = npt.NDArray[np.float64]

ROWS = 2_000  # rows fitted on: the forest takes 0.15 s on 20 columns
TREES = 40
DRAWS = 100  # bootstrap draws for the standard error of R2; its own error is then 7 %
LINEAR_SIZE = 2_000  # columns x classes up to which logistic regression is quick; beyond, the ridge classifier
QUARTER = 25  # rows in a quarter from which the labels that the models dispute are counted: a standard error of 0.1


@dataclass(frozen=True)
class Part:
    """What the better model makes of one output: its score, that score's standard error, and the labels it disputes."""

    value: float
    noise: float
    disputed: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class Plan:
    """Which rows are fitted on and which are predicted, fold by fold; positions in `rows`."""

    rows: Array
    folds: tuple[tuple[Array, Array], ...]
    judged: int


def classified(table: Numbers, y: Array, plan: Plan, kind: str, seed: int) -> Part | None:
    """Returns balanced accuracy, its standard error on as many rows as the validation part has, and doubtful labels."""
    true, said, sure = [], [], []
    for fit, judge in plan.folds:
        if len(np.unique(y[fit])) < 2:
            continue
        model = _classifier(kind, table.shape[1] * len(np.unique(y[fit])), seed)
        model.fit(table[fit], y[fit])
        true.append(y[judge])
        answers, margins = _answers(model, table[judge])
        said.append(answers)
        sure.append(margins)
    if not true:
        return None
    truth, answers = np.concatenate(true), np.concatenate(said)
    hits = recalls(truth, answers)
    totals = np.bincount(truth)
    share = totals[totals > 0] / len(truth)
    count = np.maximum(share * max(1, plan.judged), 1.0)
    smoothed = (hits * count + 1) / (count + 2)  # Laplace: two rows right of two are no proof of certainty
    noise = float(np.sqrt(np.sum(smoothed * (1 - smoothed) / count))) / len(hits)
    return Part(balanced_accuracy(truth, answers), noise, _disputed(truth != answers, np.concatenate(sure)))


def _answers(model: Any, table: Numbers) -> tuple[Array, Numbers]:
    """Returns the predicted classes and by how much each is ahead of the next."""
    scores = model.predict_proba(table) if hasattr(model, "predict_proba") else model.decision_function(table)
    if scores.ndim == 1:
        return model.predict(table), np.abs(scores)
    best = np.sort(scores, axis=1)
    return model.classes_[scores.argmax(axis=1)], best[:, -1] - best[:, -2]


def _disputed(wrong: Array, margins: Numbers) -> tuple[float, ...]:
    """Returns the fractions of wrong answers in the surest and in the next quarter; empty for too few rows."""
    quarter = len(wrong) // 4
    if quarter < QUARTER:
        return ()
    order = np.argsort(-margins, kind="stable")
    return tuple(float(wrong[order[place * quarter : (place + 1) * quarter]].mean()) for place in range(2))


def regressed(table: Numbers, y: Numbers, plan: Plan, kind: str, seed: int) -> Part:
    """Returns R2 and its standard error on as many rows as the validation part has.

    The error is half the middle 68 % of bootstrap draws: in small draws R2 has a tail that a deviation would follow.
    """
    said = np.full(y.shape, np.nan)
    for fit, judge in plan.folds:
        centre, scale = y[fit].mean(axis=0), y[fit].std(axis=0)
        scale = np.where(scale > 0, scale, 1.0)
        model = _regressor(kind, table.shape[1], seed)
        target = (y[fit] - centre) / scale
        model.fit(table[fit], target[:, 0] if y.shape[1] == 1 else target)
        said[judge] = model.predict(table[judge]).reshape(len(judge), -1) * scale + centre
    judged = np.concatenate([judge for _, judge in plan.folds])
    truth, answers = y[judged], said[judged]
    rng = np.random.default_rng(seed)
    size = int(np.clip(plan.judged, 2, ROWS))
    draws = [rng.integers(0, len(truth), size) for _ in range(DRAWS)]
    low, high = np.quantile([r2(truth[draw], answers[draw]) for draw in draws], [0.16, 0.84])
    return Part(r2(truth, answers), float(high - low) / 2)


def _classifier(kind: str, size: int, seed: int) -> Any:
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.linear_model import LogisticRegression, RidgeClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if kind == "forest":
        return ExtraTreesClassifier(TREES, min_samples_leaf=2, class_weight="balanced", random_state=seed)
    if size > LINEAR_SIZE:
        return make_pipeline(StandardScaler(), RidgeClassifier(alpha=10.0, class_weight="balanced"))
    return make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=100, tol=1e-3))


def _regressor(kind: str, columns: int, seed: int) -> Any:
    from sklearn.ensemble import ExtraTreesRegressor
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if kind == "forest":
        return ExtraTreesRegressor(TREES, min_samples_leaf=2, max_features=min(columns, 50), random_state=seed)
    return make_pipeline(StandardScaler(), Ridge(alpha=1.0 if columns < 50 else 10.0))
