"""Which rows a run trains on and which it is scored on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from autofix.data import Data, Split

# Weights up to which a run on few rows is so short that every division of them can be afforded.
SMALL_MODEL = 200_000


class Rows:
    """The divisions of the data, each run's with the rows that it may train on.

    Args:
        data: The user's data.
        size: Number of weights of the user's model.
    """

    def __init__(self, data: Data, size: int) -> None:
        self._data = data
        self.splits = data.splits if size <= SMALL_MODEL else data.splits[:1]
        self._one_holdout = all(np.array_equal(split.holdout, data.splits[0].holdout) for split in data.splits)
        self._unions: dict[tuple[int, bool, bool], np.ndarray] = {}

    def divisions(self, *, whole: bool, refit: bool, stops_early: bool) -> Iterator[Split]:
        """Yields one split a run, its training rows widened by what else no score and no early stopping needs.

        Args:
            whole: Whether the validation part is trained on too.
            refit: Whether every row is.
            stops_early: Whether an early stopping needs the validation part.
        """
        whole = whole and not stops_early
        # Where all but one holdout is trained on, every division of the rows is the same.
        alike = refit or (whole and self._one_holdout)
        for number, split in enumerate(self.splits[:1] if alike else self.splits):
            yield replace(split, train=self._train(number, refit, stops_early)) if whole or refit else split

    def _train(self, number: int, refit: bool, stops_early: bool) -> np.ndarray:
        split, key = self.splits[number], (number, refit, stops_early)
        if key not in self._unions:
            chosen = np.zeros(self._data.rows, bool)
            if refit:
                chosen[: self._data.rows - self._data.given] = True
                chosen[split.validation] &= not stops_early
            else:
                chosen[split.train] = True
                chosen[split.validation] |= not stops_early
                chosen[split.holdout] = False
            self._unions[key] = np.flatnonzero(chosen)
        return self._unions[key]
