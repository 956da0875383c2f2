"""Which rows train, which steer the search, and which nobody looks at until the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Rows = npt.NDArray[np.int64]

HOLDOUT = 0.2  # of all rows
VALIDATION = 0.2  # of the rows that are left
MOST = 20_000  # rows in validation or holdout: a score's standard error is below 0.004 there, more only costs time
SMALL = 60  # below this many rows one holdout of 20 % has under 12 rows: average over several splits
REPEATS = 5
FEW = 500  # below this many rows one validation part has under 80: steer by the mean over several
RESAMPLES = 3
TINY = 12  # below this many rows nothing can be held out (XOR has 4)
HALVE = 40  # validation rows from which a half still says something


@dataclass(frozen=True)
class Split:
    """Row indices of one division of the data, each sorted ascending.

    Attributes:
        train: Integer array of rows to fit on.
        validation: Integer array of rows that steer the search.
        holdout: Integer array of rows that only the confirmation sees.
    """

    train: Rows
    validation: Rows
    holdout: Rows

    def __post_init__(self) -> None:
        for rows in (self.train, self.validation, self.holdout):
            rows.flags.writeable = False


def splits_of(rows: int, strata: Array | None, given: int, seed: int) -> tuple[tuple[Split, ...], list[str]]:
    """Returns the divisions of the data and sentences about them.

    Args:
        rows: Number of rows, validation rows included.
        strata: Integer array [rows] of classes to spread evenly, or None.
        given: Number of rows, at the end, that the user set apart as validation data; 0 for none.
        seed: Seed of the draw.
    """
    rng = np.random.default_rng(seed)
    notes = _lonely(strata[: rows - given]) if strata is not None and rows >= TINY else []
    if given:
        return _with_validation(rows, strata, given, rng, notes)
    everything = np.arange(rows)
    if rows < TINY:
        notes.append(f"only {rows} rows: nothing can be held out, so every score is on the training rows")
        return (Split(everything, everything, everything),), notes
    if rows < SMALL:
        notes.append(f"only {rows} rows: scores are averaged over {REPEATS} random splits (60/20/20 %)")
        repeats = (_three_parts(everything, strata, (HOLDOUT, 0.2), rng) for _ in range(REPEATS))
        return tuple(repeats), notes
    holdout = min(HOLDOUT, MOST / rows)
    validation = min(VALIDATION * (1 - HOLDOUT), MOST / rows)
    first = _three_parts(everything, strata, (holdout, validation), rng)
    if rows >= FEW:
        return (first,), notes
    rest = np.union1d(first.train, first.validation)
    more = (_part(rest, strata, VALIDATION, rng) for _ in range(RESAMPLES - 1))
    return (first, *(Split(np.setdiff1d(rest, part), part, first.holdout) for part in more)), notes


def _with_validation(
    rows: int, strata: Array | None, given: int, rng: np.random.Generator, notes: list[str]
) -> tuple[tuple[Split, ...], list[str]]:
    own, apart = np.arange(rows - given), np.arange(rows - given, rows)
    if given >= HALVE:
        holdout = _part(apart, strata, min(0.5, MOST / given), rng)
        validation = np.setdiff1d(apart, holdout)
        if len(validation) > MOST:
            notes.append(f"{MOST} rows each of validation_data serve as validation and holdout; the rest is not used")
            validation = _part(validation, strata, MOST / len(validation), rng)
        return (Split(own, validation, holdout),), notes
    if len(own) < TINY:
        notes.append(f"only {len(own)} rows to train on: validation_data serves as holdout too")
        return (Split(own, apart, apart),), notes
    holdout = _part(own, strata, min(HOLDOUT, MOST / len(own)), rng)
    notes.append(f"validation_data has only {given} rows: the holdout ({len(holdout)} rows) is cut from training")
    return (Split(np.setdiff1d(own, holdout), apart, holdout),), notes


def _three_parts(rows: Rows, strata: Array | None, shares: tuple[float, float], rng: np.random.Generator) -> Split:
    holdout = _part(rows, strata, shares[0], rng, least=3)
    rest = np.setdiff1d(rows, holdout, assume_unique=True)
    validation = _part(rest, strata, shares[1] / (1 - shares[0]), rng)
    return Split(np.setdiff1d(rest, validation, assume_unique=True), validation, holdout)


def _part(rows: Rows, strata: Array | None, share: float, rng: np.random.Generator, least: int = 2) -> Rows:
    """Draws `share` of `rows`, the same share of every class; one row at least of a class that has `least` or more.

    scikit-learn's stratified splitters refuse classes with one row and parts smaller than the number of classes,
    which is what broken runs bring; counting within classes needs no such exceptions.
    """
    wanted = max(1, round(share * len(rows)))
    if strata is None:
        return np.sort(rng.permutation(rows)[:wanted])
    shuffled = rng.permutation(rows)
    _, group, sizes = np.unique(strata[shuffled], return_inverse=True, return_counts=True)
    order = np.argsort(group, kind="stable")
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    place = np.arange(len(rows)) - np.repeat(starts, sizes)
    exact = share * sizes
    most = np.maximum(sizes - 1, 0)
    take = np.clip(np.floor(exact).astype(np.int64), np.where(sizes >= least, 1, 0), most)
    # What rounding down left over goes to the classes that lost most by it, ties at random.
    nearest = np.argsort(take - exact - 1e-9 * rng.random(len(sizes)))
    nearest = nearest[take[nearest] < most[nearest]]
    take[nearest[: max(0, wanted - int(take.sum()))]] += 1
    chosen = shuffled[order[place < np.repeat(take, sizes)]]
    if len(chosen) < wanted / 2:
        # Mostly classes of one or two rows: any rows will do, as long as each class keeps one.
        spare = shuffled[order[place < np.repeat(sizes - 1, sizes)]]
        return np.sort(rng.permutation(spare if len(spare) >= wanted else rows)[:wanted])
    return np.sort(chosen if len(chosen) <= MOST else rng.permutation(chosen)[:MOST])


def _lonely(strata: Array) -> list[str]:
    _, counts = np.unique(strata, return_counts=True)
    lonely = int((counts == 1).sum())
    if not 0 < lonely < len(strata) / 2:
        return []
    return [f"{lonely} of {len(counts)} classes have a single row, which stays in training"]
