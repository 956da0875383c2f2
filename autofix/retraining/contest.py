"""Two models on the same rows: is the challenger better by more than the choice of rows explains?

The p-value is that of a paired permutation test: if both models were equally good, it would not matter whose
prediction of a row is called whose, so the predictions are swapped row by row at random and the gain is taken again
(`scipy.stats.permutation_test` with `permutation_type="samples"`; Noreen 1989, "Computer-Intensive Methods for Testing
Hypotheses"; recommended for any metric by Dror et al. 2018, "The Hitchhiker's Guide to Testing Statistical Significance
in Natural Language Processing", ACL, section 3). For plain accuracy it is McNemar's exact test, which knows no other
metric; a t-test would need scores of single rows, which balanced accuracy, R2 and F1 do not have. The interval of the
gain comes from a paired bootstrap over rows (`scipy.stats.bootstrap`; Efron 1979).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

# Random swaps: the smallest p-value is then 0.001, and one of 0.05 has a standard error of 0.007.
SWAPS = 999
# Bootstrap draws for the ends of the interval (Efron and Tibshirani 1993, chapter 13, ask for 1,000 or more; half of
# that moves an end by about a twentieth of the interval's width, and decides nothing).
DRAWS = 500
# Draws for the standard error of one score: its own error is then 7 %.
DRAWS_OF_ONE = 100
# Rows that are swapped and drawn from. A difference of one percent in accuracy shows on as many with certainty, and
# scoring more a thousand times over takes longer than a small model trains.
MOST_ROWS = 5_000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Standing:
    """How one model does on the holdout.

    Attributes:
        score: Its score; higher is better.
        error: Standard error of the score over bootstrap draws of the rows.
        constant: Whether it predicts the same for every row.
        finite: Whether all its predictions are numbers.
    """

    score: float
    error: float
    constant: bool = False
    finite: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Returns plain data for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Standing:
        """Reads what `to_dict` wrote; a score that JSON has no number for is none at all."""
        score, error = document["score"], document["error"]
        return cls(
            -np.inf if score is None else float(score),
            np.inf if error is None else float(error),
            bool(document["constant"]),
            bool(document["finite"]),
        )


@dataclass(frozen=True)
class Contest:
    """What the paired test says.

    Attributes:
        gain: Score of the challenger less that of the champion.
        low: Lower end of the 95 % interval of the gain.
        high: Upper end.
        p_value: Probability of such a gain, or a larger one, if both were equally good.
        rows: Rows that both were compared on.
    """

    gain: float
    low: float
    high: float
    p_value: float
    rows: int

    def to_dict(self) -> dict[str, Any]:
        """Returns plain data for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Contest:
        """Reads what `to_dict` wrote."""
        gain, low, high, p_value = (
            float("nan") if document[name] is None else float(document[name])
            for name in ("gain", "low", "high", "p_value")
        )
        return cls(gain, low, high, p_value, int(document["rows"]))


def contest(
    score: Callable[[Array, Array], tuple[float, float]],
    rows: int,
    *,
    seed: int,
) -> Contest:
    """Compares two models on the same rows.

    Args:
        score: Given row numbers, integer array [n], and whose prediction stands for each of them, boolean array [n]:
            the score of the predictions that are chosen (True: the challenger's), and that of the others.
        rows: Number of rows in the holdout.
        seed: Seed of swaps and draws.
    """
    from scipy import stats

    some = drawn(rows, MOST_ROWS, seed)
    first, second = np.ones(len(some)), np.zeros(len(some))

    def swapped(mine: Array, _others: Array) -> float:
        chosen, rest = score(some, mine > 0.5)
        return chosen - rest

    def again(pick: Array) -> float:
        chosen, rest = score(some[pick], np.ones(len(pick), dtype=bool))
        return chosen - rest

    everywhere = np.arange(rows)
    chosen, rest = score(everywhere, np.ones(rows, dtype=bool))
    test = stats.permutation_test(
        (first, second),
        swapped,
        permutation_type="samples",
        vectorized=False,
        n_resamples=SWAPS,
        alternative="greater",
        rng=np.random.default_rng(seed),
    )
    spread = stats.bootstrap(
        (np.arange(len(some)),),
        again,
        vectorized=False,
        n_resamples=DRAWS,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    interval = spread.confidence_interval
    return Contest(chosen - rest, float(interval.low), float(interval.high), float(test.pvalue), rows)


def standing(score: Callable[[Array], float], outputs: list[Array], rows: int, *, seed: int) -> Standing:
    """Scores one model on the holdout.

    Args:
        score: The score on the given rows, integer array [n].
        outputs: The model's raw predictions, one array [rows, ...] per output.
        rows: Number of rows in the holdout.
        seed: Seed of the draws.
    """
    rng = np.random.default_rng(seed)
    some = drawn(rows, MOST_ROWS, seed)
    values = [score(some[rng.integers(len(some), size=len(some))]) for _ in range(DRAWS_OF_ONE)]
    finite = all(bool(np.isfinite(output).all()) for output in outputs)
    constant = rows > 1 and finite and all(_is_constant(output) for output in outputs)
    return Standing(score(np.arange(rows)), float(np.std(values, ddof=1)), constant, finite)


def drawn(rows: int, most: int, seed: int) -> Array:
    """Returns at most so many row numbers, integer array. They are drawn: rows may come in a pattern."""
    return np.arange(rows) if rows <= most else np.random.default_rng(seed).choice(rows, most, replace=False)


# Predictions that differ by less than this share of their size are the same: 32-bit arithmetic makes as much of it.
SAME = 1e-6


def _is_constant(output: Array) -> bool:
    return bool(np.all(np.ptp(output, axis=0) <= SAME * np.abs(output).max()))
