"""What two simple models from scikit-learn get out of the data: a lower bound of what it allows.

A network that stays below it has a fault; where even they stay at chance, the data may hold no signal. Sources: the
baseline advice of Goodfellow et al., Deep Learning (2016), section 11.2; extremely randomized trees: Geurts et al.,
Machine Learning 63 (2006).
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from autofix.data import Data
from autofix.facts import TargetFacts, TaskKind
from autofix.features import features_of
from autofix.labels import positions, to_index
from autofix.metrics import balanced_accuracy, r2, recalls
from autofix.splits import TINY

Array = npt.NDArray[Any]
Numbers = npt.NDArray[np.float64]

logger = logging.getLogger(__name__)

ROWS = 2_000  # rows fitted on: the forest takes 0.15 s on 20 columns
PLENTY = 1_000  # validation rows from which they alone judge: a standard error of 0.016 on balanced accuracy
TARGET_COLUMNS = 32  # columns of an array target that are predicted, evenly spread
LABELS = 20  # labels of a multilabel target that are predicted, evenly spread
TREES = 40
DRAWS = 100  # bootstrap draws for the standard error of R2; its own error is then 7 %
LINEAR_SIZE = 2_000  # columns x classes up to which logistic regression is quick; beyond, the ridge classifier
MARGIN = 0.03  # a score nearer to chance than this is of no use to anybody, however many rows back it
ERRORS = 1.25  # standard errors above chance: measured on noise of 24 to 6,000 rows, 5 % pass (15 % below 60 rows)


def signal_of(data: Data, targets: Sequence[TargetFacts], seed: int) -> tuple[float | None, float, float]:
    """Returns what the better of a linear model and a forest reaches on unseen rows, in the default metric.

    With at least 1,000 validation rows the models are fitted on training rows and scored there; with fewer they are
    cross-validated over training and validation rows, which varies less. Holdout rows are never touched.

    Args:
        data: The data; its first split says which rows may be looked at.
        targets: What each output's targets ask for.
        seed: Seed of folds, trees and samples.

    Returns:
        Signal (None where it cannot be measured), score of the best constant prediction, and the standard error of a
        score on the validation part: binomial, from the recalls, for classes; bootstrapped for R2.
    """
    seen = _seen(data)
    rows = seen if len(seen) else data.splits[0].train
    chance = _mean([_chance(target, y[rows]) for target, y in zip(targets, data.flat_y(), strict=False)])
    if len(seen) < TINY or not targets:
        return None, chance, 0.0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parts = [_output(data, y, target, seed) for target, y in zip(targets, data.flat_y(), strict=False)]
    except Exception as error:  # whatever scikit-learn has against this data: there is no yardstick then
        logger.info("no yardstick for this data: %s: %s", type(error).__name__, error)
        return None, chance, 0.0
    measured = [part for part in parts if part is not None]
    if not measured or len(measured) < len(parts):
        return None, chance, 0.0
    noise = float(np.sqrt(np.sum([part[1] ** 2 for part in measured]))) / len(measured)
    return _mean([part[0] for part in measured]), chance, noise


def has_signal(signal: float | None, chance: float, noise: float) -> bool:
    """Whether the yardstick stands clear of chance. True where it was not measured: then nothing speaks against it.

    The error of the validation part is a strict measure, since the cross-validated signal sees up to five times as
    many rows; with plenty of validation rows the margin of 0.03 is two errors itself. R2, whose chance is 0, only
    needs the margin: on noise a fitted model predicts worse than the mean, and so stays below 0 by itself.

    Args:
        signal: Score of the yardstick, or None.
        chance: Score of the best constant prediction.
        noise: Standard error of a score on the validation part.
    """
    if signal is None:
        return True
    return signal - chance > (max(ERRORS * noise, MARGIN) if chance > 0 else MARGIN)


@dataclass(frozen=True, eq=False)
class _Plan:
    """Which rows are fitted on and which are predicted, fold by fold; positions in `rows`."""

    rows: Array
    folds: tuple[tuple[Array, Array], ...]
    judged: int


def _seen(data: Data) -> Array:
    """Returns the rows that may be looked at; none of small data whose parts are all the same rows."""
    split = data.splits[0]
    seen = np.zeros(1 + max(part.max(initial=0) for part in (split.train, split.validation, split.holdout)), bool)
    seen[split.train] = seen[split.validation] = True
    seen[split.holdout] = False
    return np.flatnonzero(seen)


def _output(data: Data, y: Array, target: TargetFacts, seed: int) -> tuple[float, float] | None:
    """Returns signal and noise of one output, or None where simple models have no way to predict it."""
    if target.kind in (TaskKind.BINARY, TaskKind.MULTICLASS):
        if positions(target) != 1:
            return None
        wanted = to_index(y, target)
    elif target.kind is TaskKind.MULTILABEL:
        if y.ndim != 2:
            return None
        wanted = y[:, :: -(-y.shape[1] // LABELS)].astype(np.intp)
    else:
        wanted = y.reshape(len(y), -1).astype(np.float64)
        wanted = wanted[:, :: -(-wanted.shape[1] // TARGET_COLUMNS)]
    is_class = target.kind is not TaskKind.REGRESSION
    plan = _plan(data, wanted if wanted.ndim == 1 else None, seed)
    table = features_of([x[plan.rows] for x in data.flat_x()], seed)
    wanted = wanted[plan.rows]
    columns = wanted.reshape(len(wanted), -1)
    if not np.isfinite(columns.astype(np.float64)).all():
        return None
    best: tuple[float, float] | None = None
    for kind in ("linear", "forest"):
        if is_class:
            results = [_classified(table, columns[:, place], plan, kind, seed) for place in range(columns.shape[1])]
            known = [result for result in results if result is not None]
            result = (_mean([v for v, _ in known]), _mean([n for _, n in known])) if known else None
        else:
            result = _regressed(table, columns.astype(np.float64), plan, kind, seed)
        if result is not None and (best is None or result[0] > best[0]):
            best = result
    return best


def _plan(data: Data, classes: Array | None, seed: int) -> _Plan:
    split, rng = data.splits[0], np.random.default_rng(seed)
    if len(split.validation) >= PLENTY:
        fit = split.train if len(split.train) <= ROWS else rng.choice(split.train, ROWS, replace=False)
        judge = split.validation if len(split.validation) <= ROWS else rng.choice(split.validation, ROWS, replace=False)
        rows = np.concatenate([fit, judge])
        fold = (np.arange(len(fit)), np.arange(len(fit), len(rows)))
        return _Plan(rows, (fold,), len(split.validation))
    # Scores averaged over several overlapping splits count as this many rows (Nadeau and Bengio 2003, section 4).
    repeats, overlap = len(data.splits), len(split.validation) / len(split.train)
    judged = round(len(split.validation) / (1 / repeats + overlap)) if repeats > 1 else len(split.validation)
    pool = _seen(data)
    pool = rng.permutation(pool)[:ROWS]
    count = 5 if len(pool) < 300 else 3
    if classes is None:
        number = np.arange(len(pool)) % count
    else:
        # Dealt out class by class like cards, so that every fold has its share of each.
        number = np.empty(len(pool), dtype=np.int64)
        number[np.argsort(classes[pool], kind="stable")] = np.arange(len(pool)) % count
    folds = tuple((np.flatnonzero(number != place), np.flatnonzero(number == place)) for place in range(count))
    return _Plan(pool, folds, judged)


def _classified(table: Numbers, y: Array, plan: _Plan, kind: str, seed: int) -> tuple[float, float] | None:
    """Returns balanced accuracy and its standard error on as many rows as the validation part has."""
    true, said = [], []
    for fit, judge in plan.folds:
        if len(np.unique(y[fit])) < 2:
            continue
        model = _classifier(kind, table.shape[1] * len(np.unique(y[fit])), seed)
        model.fit(table[fit], y[fit])
        true.append(y[judge])
        said.append(model.predict(table[judge]))
    if not true:
        return None
    truth, answers = np.concatenate(true), np.concatenate(said)
    hits = recalls(truth, answers)
    totals = np.bincount(truth)
    share = totals[totals > 0] / len(truth)
    count = np.maximum(share * max(1, plan.judged), 1.0)
    smoothed = (hits * count + 1) / (count + 2)  # Laplace: two rows right of two are no proof of certainty
    noise = float(np.sqrt(np.sum(smoothed * (1 - smoothed) / count))) / len(hits)
    return balanced_accuracy(truth, answers), noise


def _regressed(table: Numbers, y: Numbers, plan: _Plan, kind: str, seed: int) -> tuple[float, float] | None:
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
    return r2(truth, answers), float(high - low) / 2


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


def _chance(target: TargetFacts, y: Array) -> float:
    """Returns the default metric of the best constant prediction on these rows."""
    if target.kind is TaskKind.REGRESSION:
        return 1.0 if bool((y == y[:1]).all()) else 0.0
    if target.kind is TaskKind.MULTILABEL:
        rows = y.reshape(-1, y.shape[-1])
        varies = (rows != rows[:1]).any(axis=0)
        return _mean(np.where(varies, 0.5, 1.0).tolist())
    index = to_index(y, target)
    return 1.0 / max(1, len(np.unique(index[index >= 0])))


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else 0.0
