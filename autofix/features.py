"""Inputs of any rank as one table for models that know nothing of sequences or pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Numbers = npt.NDArray[np.float64]

COLUMNS = 2_000  # of the table; more are thinned out at random
TOKENS = 1_000  # most frequent whole numbers that are counted
SEQUENCE = 8  # steps from which a row of whole numbers may be a text
VOCABULARY = 16  # distinct whole numbers from which it may; fewer look like flags or small counts
MODERATE = 1e100  # squares of larger numbers overflow


def features_of(inputs: Sequence[Array], seed: int) -> Numbers:
    """Returns a finite float array [rows, columns <= 2,000] with what a simple model may use.

    Args:
        inputs: The model's inputs, one array [rows, ...] each. Missing values become the column's mean. Whole numbers
            in sequences [rows, steps >= 8] are counted too, like words; of sequences [rows, steps, features] the mean,
            deviation, first and last step come along.
        seed: Seed of the choice of columns where there are too many.
    """
    blocks: list[Numbers] = []
    for array in inputs:
        blocks += _blocks(array)
    share = COLUMNS // max(1, len(blocks))
    rng = np.random.default_rng(seed)
    return np.hstack([_thinned(block, share, rng) for block in blocks])


def _blocks(array: Array) -> list[Numbers]:
    flat = _filled(array.reshape(len(array), -1))
    blocks = [flat]
    if array.ndim == 2 and array.shape[1] >= SEQUENCE and bool((np.floor(flat) == flat).all()) and flat.min() >= 0:
        counts = _word_counts(flat)
        if counts is not None:
            blocks.append(counts)
    if array.ndim == 3 and array.shape[1] >= 2:
        steps = flat.reshape(array.shape)
        blocks.append(np.hstack([steps.mean(axis=1), steps.std(axis=1), steps[:, 0], steps[:, -1]]))
    return blocks


def _filled(table: Array) -> Numbers:
    """Returns the table with missing values as the mean of their column."""
    values = table.astype(np.float64)
    good = np.isfinite(values)
    if not good.all():
        count = np.maximum(good.sum(axis=0), 1)
        mean = np.where(good, values, 0.0).sum(axis=0) / count
        values = np.where(good, values, mean)
    return np.clip(values, -MODERATE, MODERATE)


def _word_counts(tokens: Numbers) -> Numbers | None:
    """Returns how often each of the most frequent whole numbers occurs in a row, float array [rows, words]."""
    words, place, counts = np.unique(tokens, return_inverse=True, return_counts=True)
    if len(words) < VOCABULARY:
        return None
    frequent = np.argsort(-counts, kind="stable")[:TOKENS]
    column = np.full(len(words), -1, dtype=np.int64)
    column[frequent] = np.arange(len(frequent))
    found = column[place.reshape(tokens.shape)]
    rows = np.broadcast_to(np.arange(len(tokens))[:, np.newaxis], tokens.shape)
    known = found >= 0
    cells = rows[known] * len(frequent) + found[known]
    table = np.bincount(cells, minlength=len(tokens) * len(frequent))
    return table.reshape(len(tokens), len(frequent)).astype(np.float64)


def _thinned(block: Numbers, most: int, rng: np.random.Generator) -> Numbers:
    varies = np.flatnonzero((block != block[:1]).any(axis=0))
    if len(varies) > most:
        varies = np.sort(rng.choice(varies, most, replace=False))
    return block[:, varies] if len(varies) else block[:, :1]
