"""A row is in the holdout or out of it for ever."""

from __future__ import annotations

import numpy as np
import pytest

from autofix.errors import FixYourData
from autofix.retraining.holdout import by_content, checked, last


def table(rows: int = 2_000, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, 5)).astype("float32")


def test_the_share_is_kept():
    for share in (0.05, 0.2, 0.5):
        assert by_content([table(20_000)], share).mean() == pytest.approx(share, abs=0.015)


def test_rows_keep_their_side_when_others_come_and_go():
    old, new = table(seed=1), table(seed=2)
    before = by_content([old], 0.2)
    grown = by_content([np.concatenate([new, old])], 0.2)
    assert np.array_equal(grown[len(new) :], before)
    assert np.array_equal(by_content([old[500:]], 0.2), before[500:])


def test_a_larger_share_keeps_what_was_held_out():
    rows = table()
    assert not (by_content([rows], 0.1) & ~by_content([rows], 0.3)).any()


def test_equal_inputs_stay_together():
    rows = np.repeat(table(500), 4, axis=0)
    held = by_content([rows], 0.2).reshape(-1, 4)
    assert np.array_equal(held.all(axis=1), held.any(axis=1))


def test_small_whole_numbers_are_spread_too():
    rows = np.stack(np.meshgrid(*[np.arange(6)] * 4), axis=-1).reshape(-1, 4).astype("float32")
    assert by_content([rows], 0.2).mean() == pytest.approx(0.2, abs=0.05)
    assert by_content([np.arange(5_000).reshape(-1, 1)], 0.2).mean() == pytest.approx(0.2, abs=0.03)


def test_all_inputs_count():
    one, other = table(seed=1), table(seed=2)
    assert not np.array_equal(by_content([one, other], 0.2), by_content([one], 0.2))


def test_text_goes_by_what_it_says():
    words = np.array([f"word {number}" for number in range(1_000)])
    before = by_content([words], 0.2)
    assert before.mean() == pytest.approx(0.2, abs=0.05)
    longer = np.append(words, "a much longer text than all of the others")
    assert np.array_equal(by_content([longer], 0.2)[:-1], before)
    assert np.array_equal(by_content([words.astype(object)], 0.2), before)


def test_the_last_rows():
    held = last(100, 0.2)
    assert held.sum() == 20
    assert held[80:].all()


def test_too_few_rows_compare_nothing():
    with pytest.raises(FixYourData, match="Received: 4 of 20 rows"):
        checked(last(20, 0.2))
    with pytest.raises(FixYourData, match="must have 20 rows each"):
        checked(np.ones(100, dtype=bool))
    assert checked(last(100, 0.2)).sum() == 20
