"""Scoring a program's predictions on parts of the data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autofix.data import Data, Split
from autofix.facts import DataFacts
from autofix.look import Predicted
from autofix.predictions import Predictions
from autofix.scoring import Link, Score, Scorer
from autofix.trainer.program import Program

# Bootstrap draws for the noise of a difference: its own error is then 11 %; and rows they are drawn from.
DRAWS, MOST_RESAMPLED = 40, 2_000
# Validation rows that are scored while a run is under way: the standard error of a share is then half a percent.
MOST_WATCHED = 10_000
# Training rows that the training score is taken from.
MOST_TRAINING = 1_000
# Predictions that differ by less than this share of their size are the same for every input.
CONSTANT = 1e-6


class Evaluator:
    """Scores predictions on the user's own labels.

    Args:
        data: The user's data.
        facts: What is known about it.
        scorer: How predictions are scored.
    """

    def __init__(self, data: Data, facts: DataFacts, scorer: Scorer) -> None:
        self._facts = facts
        self._scorer = scorer
        self._targets = [np.asarray(array) for array in data.flat_y()]

    def score(self, program: Program, rows: np.ndarray, links: Sequence[Link]) -> Score:
        """Returns the score on the given rows."""
        return self._score(program.predict(rows), rows, links)

    def held(self, program: Program, rows: np.ndarray, links: Sequence[Link]) -> tuple[Score, tuple[Predictions, ...]]:
        """Returns the score on the given rows, and what was predicted for (a sample of) them."""
        outputs = program.predict(rows)
        shown = evenly(np.arange(len(rows)), MOST_WATCHED)
        truths = [array[rows[shown]] for array in self._targets]
        seen = (
            Predictions.of(target, true, np.asarray(output)[shown], link)
            for target, true, output, link in zip(self._facts.targets, truths, outputs, links, strict=True)
        )
        return self._score(outputs, rows, links), tuple(seen)

    def watch(self, program: Program, split: Split, links: Sequence[Link]) -> tuple[Score, bool]:
        """Returns the score on (a sample of) the validation rows, and whether all of them are predicted alike."""
        rows = evenly(split.validation, MOST_WATCHED)
        outputs = program.predict(rows)
        return self._score(outputs, rows, links), len(rows) > 1 and all(map(_is_constant, outputs))

    def resampled(self, program: Program, rows: np.ndarray, links: Sequence[Link]) -> tuple[float, ...]:
        """Returns the score on bootstrap draws of the rows (Efron 1979), the same draws for every run."""
        rows = evenly(rows, MOST_RESAMPLED)
        outputs = program.predict(rows)
        scores = []
        for draw in range(DRAWS):
            pick = np.random.default_rng(draw).integers(len(rows), size=len(rows))
            scores.append(self._score([output[pick] for output in outputs], rows[pick], links).value)
        return tuple(scores)

    def reader(self, program: Program, split: Split, links: Sequence[Link]) -> Callable[[str], object]:
        """Returns a function that takes "train_score" or "predictions" off the program as it is."""

        def read(what: str) -> object:
            if what == "train_score":
                return self.score(program, evenly(split.train, MOST_TRAINING), links).value
            rows = evenly(split.validation, MOST_WATCHED)
            truths = tuple(array[rows] for array in self._targets)
            return Predicted(program.predict(rows), truths, tuple(self._facts.targets), tuple(links))

        return read

    def _score(self, outputs: Sequence[Any], rows: np.ndarray, links: Sequence[Link]) -> Score:
        return self._scorer.score([array[rows] for array in self._targets], outputs, links)


def evenly(rows: np.ndarray, most: int) -> np.ndarray:
    """Returns at most so many of the rows, evenly spread."""
    return rows if len(rows) <= most else rows[np.linspace(0, len(rows) - 1, most).astype(int)]


def _is_constant(output: np.ndarray) -> bool:
    return bool(np.all(np.ptp(output, axis=0) <= CONSTANT * np.abs(output).max()))
