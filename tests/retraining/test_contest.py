"""The paired test: against McNemar's where that applies, on models that differ by nothing, a little and a lot."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from autofix.retraining.contest import contest, drawn, standing

ROWS = 400


def scored(challenger, champion):
    """Accuracy, given which rows each of two models gets right."""

    def score(rows, mine):
        chosen = np.where(mine, challenger[rows], champion[rows])
        rest = np.where(mine, champion[rows], challenger[rows])
        return float(chosen.mean()), float(rest.mean())

    return score


def right(share: float, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random(ROWS) < share


def test_a_better_model_is_better():
    found = contest(scored(right(0.95, 1), right(0.7, 2)), ROWS, seed=0)
    assert found.p_value < 0.01
    assert found.low > 0.0
    assert found.low < found.gain < found.high
    assert found.rows == ROWS


def test_a_worse_model_is_not():
    found = contest(scored(right(0.7, 1), right(0.95, 2)), ROWS, seed=0)
    assert found.p_value > 0.99
    assert found.gain < 0.0


def test_the_same_model_gains_nothing():
    same = right(0.8, 1)
    found = contest(scored(same, same), ROWS, seed=0)
    assert found.gain == found.low == found.high == 0.0
    assert found.p_value == 1.0


def test_for_accuracy_it_is_mcnemars_test():
    challenger, champion = right(0.85, 5), right(0.80, 105)
    won, lost = int((challenger & ~champion).sum()), int((~challenger & champion).sum())
    exact = stats.binomtest(won, won + lost, alternative="greater").pvalue
    found = contest(scored(challenger, champion), ROWS, seed=0)
    assert 0.01 < exact < 0.2  # where a wrong test would show
    assert found.p_value == pytest.approx(exact, abs=0.03)


def test_equal_models_are_rarely_called_different():
    found = [contest(scored(right(0.8, 2 * n), right(0.8, 2 * n + 1)), ROWS, seed=n) for n in range(8)]
    assert sum(item.p_value <= 0.05 for item in found) <= 2  # more in one of 170 such tests


def test_the_seed_decides_everything():
    score = scored(right(0.85, 1), right(0.8, 2))
    assert contest(score, ROWS, seed=3) == contest(score, ROWS, seed=3)


def test_of_many_rows_the_gain_is_that_of_all(monkeypatch):
    monkeypatch.setattr("autofix.retraining.contest.MOST_ROWS", 200)
    rows = 400
    wins = np.zeros(rows, dtype=bool)
    wins[1::2] = True
    found = contest(scored(wins, np.zeros(rows, dtype=bool)), rows, seed=0)
    assert found.gain == 0.5
    assert found.rows == rows
    assert found.p_value == pytest.approx(0.001)
    assert len(set(drawn(rows, 200, seed=0))) == 200


def test_standing_says_what_is_wrong_with_predictions():
    rng = np.random.default_rng(0)
    hits = rng.random(ROWS) < 0.8

    def stand(output):
        return standing(lambda some: float(hits[some].mean()), [output], ROWS, seed=0)

    good = stand(rng.random((ROWS, 2)))
    assert good.score == hits.mean()
    assert good.error == pytest.approx(np.sqrt(0.8 * 0.2 / ROWS), rel=0.3)
    assert good.finite
    assert not good.constant
    assert stand(np.full((ROWS, 2), 0.5)).constant
    assert not stand(np.full((ROWS, 2), np.nan)).finite
