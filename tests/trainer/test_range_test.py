"""Reading curves of range tests, without training anything."""

from __future__ import annotations

import numpy as np
import pytest

from autofix.trainer.range_test import RATES, read_range


def curve(falls: float, breaks: float, *, height: float = 1.0, noise: float = 0.02, level: float = 2.0) -> np.ndarray:
    """A loss that is flat, falls by `height` from rate `falls` on, and blows up at rate `breaks`."""
    rng = np.random.default_rng(0)
    fall = height / (1 + np.exp(-4 * (np.log10(RATES) - np.log10(falls))))
    return level - fall + (RATES / breaks) ** 3 + noise * rng.standard_normal(len(RATES))


@pytest.mark.parametrize(("falls", "breaks"), [(1e-4, 3e-2), (1e-3, 1.0), (1e-2, 5.0)])
def test_candidates_lie_where_the_curve_falls(falls, breaks):
    found = read_range(RATES, curve(falls, breaks), usual=1e-3)
    assert 1 <= len(found.candidates) <= 3
    for rate in found.candidates[:2]:
        assert falls / 30 <= rate <= breaks


@pytest.mark.parametrize("usual", [1e-3, 3e-3])
def test_usual_rate_comes_first_where_the_curve_allows_it(usual):
    assert read_range(RATES, curve(1e-3, 1.0), usual=usual).candidates[0] == pytest.approx(usual)


@pytest.mark.parametrize("usual", [1e-6, 10.0])
def test_usual_rate_is_moved_into_the_fall(usual):
    first = read_range(RATES, curve(1e-3, 1.0), usual=usual).candidates[0]
    assert 3e-5 <= first <= 0.5


def test_candidates_are_apart():
    found = read_range(RATES, curve(1e-3, 1.0), usual=1e-3).candidates
    gaps = np.abs(np.diff(np.log(sorted(found))))
    assert (gaps > np.log(1.8)).all()


def test_flat_curve_has_no_candidates():
    flat = 0.69 + 0.001 * np.random.default_rng(0).standard_normal(len(RATES))
    assert read_range(RATES, flat, usual=1e-3).candidates == ()


def test_curve_ends_where_it_breaks():
    found = read_range(RATES, curve(1e-4, 3e-2), usual=1e-3)
    assert len(found.rates) == len(found.losses) < len(RATES)
    assert found.rates[-1] < 1.0


def test_losses_that_overflow_are_cut_off():
    losses = curve(1e-4, 3e-2)
    losses[70:] = np.nan
    found = read_range(RATES, losses[:75], usual=1e-3)
    assert np.isfinite(found.losses).all()
    assert found.candidates


@pytest.mark.parametrize("losses", [np.array([]), np.full(100, np.nan), np.array([1.0, 0.9, np.inf])], ids=str)
def test_no_curve_no_candidates(losses):
    assert read_range(RATES, losses, usual=1e-3).candidates == ()


def test_negative_losses():
    """A loss below zero (a likelihood, a similarity) falls as any other."""
    found = read_range(RATES, curve(1e-3, 1.0) - 3.0, usual=1e-3)
    assert found.candidates
    assert all(1e-5 <= rate <= 1.0 for rate in found.candidates[:2])


def test_same_curve_same_reading():
    assert read_range(RATES, curve(1e-3, 1.0), 1e-3) == read_range(RATES, curve(1e-3, 1.0), 1e-3)
