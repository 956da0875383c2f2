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
from autofix.facts import Giveaway, TargetFacts, TaskKind
from autofix.features import features_of
from autofix.labels import positions, to_index
from autofix.learners import ROWS, Part, Plan, classified, regressed
from autofix.single import single_columns, without
from autofix.splits import TINY

Array = npt.NDArray[Any]
Numbers = npt.NDArray[np.float64]

logger = logging.getLogger(__name__)

PLENTY = 1_000  # validation rows from which they alone judge: a standard error of 0.016 on balanced accuracy
TARGET_COLUMNS = 32  # columns of an array target that are predicted, evenly spread
LABELS = 20  # labels of a multilabel target that are predicted, evenly spread
TELLING = 0.97  # share of the way from chance to perfect that a column goes alone to give the targets away
DUMB = 0.85  # share that the others together may go at most: on iris, wine and breast cancer they go 0.92 and more
FEW_TELLING = 3  # copies of such a column; more are no oversight but an easy task
MARGIN = 0.03  # a score nearer to chance than this is of no use to anybody, however many rows back it
ERRORS = 1.25  # standard errors above chance: measured on noise of 24 to 6,000 rows, 5 % pass (15 % below 60 rows)


@dataclass(frozen=True)
class Yardstick:
    """What simple models make of the data.

    Attributes:
        signal: Score of the better one; None where it cannot be measured.
        chance: Score of the best constant prediction.
        noise: Standard error of a score on the validation part.
        disputed: See `DataFacts`; measured for a single target with one class a row.
        giveaway: See `DataFacts`; looked for where there is a single target.
    """

    signal: float | None
    chance: float
    noise: float
    disputed: tuple[float, ...] = ()
    giveaway: Giveaway | None = None


def measure(data: Data, targets: Sequence[TargetFacts], seed: int) -> Yardstick:
    """Returns what the better of a linear model and a forest reaches on unseen rows, in the default metric.

    With at least 1,000 validation rows the models are fitted on training rows and scored there; with fewer they are
    cross-validated over training and validation rows, which varies less. Holdout rows are never touched.

    Args:
        data: The data; its first split says which rows may be looked at.
        targets: What each output's targets ask for.
        seed: Seed of folds, trees and samples.

    Returns:
        The scores, in the default metric. The noise is binomial, from the recalls, for classes; bootstrapped for R2.
    """
    seen = _seen(data)
    rows = seen if len(seen) else data.splits[0].train
    chance = _mean([_chance(target, y[rows]) for target, y in zip(targets, data.flat_y(), strict=False)])
    if len(seen) < TINY or not targets:
        return Yardstick(None, chance, 0.0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parts = [_output(data, y, target, seed) for target, y in zip(targets, data.flat_y(), strict=False)]
            alone = len(targets) == 1 and parts[0] is not None
            giveaway = _giveaway(data, data.flat_y()[0], targets[0], seed) if alone else None
    except Exception as error:  # whatever scikit-learn has against this data: there is no yardstick then
        logger.info("no yardstick for this data: %s: %s", type(error).__name__, error)
        return Yardstick(None, chance, 0.0)
    measured = [part for part in parts if part is not None]
    if not measured or len(measured) < len(parts):
        return Yardstick(None, chance, 0.0)
    noise = float(np.sqrt(np.sum([part.noise**2 for part in measured]))) / len(measured)
    disputed = measured[0].disputed if len(measured) == 1 else ()
    return Yardstick(_mean([part.value for part in measured]), chance, noise, disputed, giveaway)


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


def _seen(data: Data) -> Array:
    """Returns the rows that may be looked at; none of small data whose parts are all the same rows."""
    split = data.splits[0]
    seen = np.zeros(1 + max(part.max(initial=0) for part in (split.train, split.validation, split.holdout)), bool)
    seen[split.train] = seen[split.validation] = True
    seen[split.holdout] = False
    return np.flatnonzero(seen)


def _output(data: Data, y: Array, target: TargetFacts, seed: int) -> Part | None:
    """Returns what is measured of one output, or None where simple models have no way to predict it."""
    wanted = _wanted(y, target)
    if wanted is None:
        return None
    plan = _plan(data, wanted if wanted.ndim == 1 else None, seed)
    table = features_of([x[plan.rows] for x in data.flat_x()], seed)
    return _best(table, wanted[plan.rows], plan, target, seed)


def _wanted(y: Array, target: TargetFacts) -> Array | None:
    """Returns the targets as simple models are to predict them: classes [n], or columns [n, k]."""
    if target.kind in (TaskKind.BINARY, TaskKind.MULTICLASS):
        return to_index(y, target) if positions(target) == 1 else None
    if target.kind is TaskKind.MULTILABEL:
        return y[:, :: -(-y.shape[1] // LABELS)].astype(np.intp) if y.ndim == 2 else None
    wanted = y.reshape(len(y), -1).astype(np.float64)
    return wanted[:, :: -(-wanted.shape[1] // TARGET_COLUMNS)]


def _best(table: Numbers, wanted: Array, plan: Plan, target: TargetFacts, seed: int) -> Part | None:
    """Returns what the better of the two models makes of a table; None where neither can be fitted."""
    columns = wanted.reshape(len(wanted), -1)
    if not np.isfinite(columns.astype(np.float64)).all():
        return None
    best: Part | None = None
    for kind in ("linear", "forest"):
        if target.kind is TaskKind.REGRESSION:
            result: Part | None = regressed(table, columns.astype(np.float64), plan, kind, seed)
        else:
            results = [classified(table, columns[:, place], plan, kind, seed) for place in range(columns.shape[1])]
            known = [item for item in results if item is not None]
            disputed = known[0].disputed if len(known) == 1 else ()
            result = Part(_mean([i.value for i in known]), _mean([i.noise for i in known]), disputed) if known else None
        if result is not None and (best is None or result.value > best.value):
            best = result
    return best


def _giveaway(data: Data, y: Array, target: TargetFacts, seed: int) -> Giveaway | None:
    """Returns the column of a table that says nearly all that there is to say, where the others together do not."""
    wanted = _wanted(y, target)
    if wanted is None or (wanted.ndim > 1 and wanted.shape[1] > 1):
        return None
    plan = _plan(data, wanted if wanted.ndim == 1 else None, seed)
    inputs, chosen = [x[plan.rows] for x in data.flat_x()], wanted[plan.rows].reshape(-1)
    worst = _chance(target, y[plan.rows])
    least = worst + TELLING * (1.0 - worst)
    told = [column for column in single_columns(inputs, chosen, target.kind, seed) if column.score >= least]
    if not told or len(told) > FEW_TELLING:
        return None
    rest = without(inputs, told)
    others = _best(features_of(rest, seed), chosen, plan, target, seed) if rest else None
    first = max(told, key=lambda column: column.score)
    if others is None or others.value >= worst + DUMB * (1.0 - worst):
        return None
    name = data.inputs[first.input] if first.input < len(data.inputs) else str(first.input)
    return Giveaway(name, first.feature, first.score, others.value)


def _plan(data: Data, classes: Array | None, seed: int) -> Plan:
    split, rng = data.splits[0], np.random.default_rng(seed)
    if len(split.validation) >= PLENTY:
        fit = split.train if len(split.train) <= ROWS else rng.choice(split.train, ROWS, replace=False)
        judge = split.validation if len(split.validation) <= ROWS else rng.choice(split.validation, ROWS, replace=False)
        rows = np.concatenate([fit, judge])
        fold = (np.arange(len(fit)), np.arange(len(fit), len(rows)))
        return Plan(rows, (fold,), len(split.validation))
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
    return Plan(pool, folds, judged)


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
