from __future__ import annotations

import numpy as np
import pytest

from autofix.symptoms.slow import judge
from tests.symptoms.conftest import data, evidence, falling, flat, run

NAMES = ("layers/hidden_1", "layers/output")
CRAWLING = tuple((2.3 - 1e-5 * np.arange(200) + 0.02 * np.random.default_rng(0).standard_normal(200)).tolist())
STRAIGHT = tuple((2.3 - 1e-3 * np.arange(200)).tolist())


def seen(loss, update=1e-6, change=1e-3, score=0.55, facts=None):
    updates = {} if update is None else dict.fromkeys(NAMES, update)
    changes = {} if change is None else dict.fromkeys(NAMES, change)
    return judge(evidence(facts=facts, trace=run(loss, update_ratio=updates, weight_change=changes), score=score))


def test_tiny_updates_are_found() -> None:
    (found,) = seen(CRAWLING)
    assert found.severity >= 0.7
    assert found.numbers["update_ratio"] == 1e-6


def test_a_straight_curve_is_found_by_its_shape() -> None:
    (found,) = seen(STRAIGHT, update=None, change=None)
    assert "not begun to bend" in found.evidence
    assert seen(STRAIGHT, update=5e-3, change=1.0) == ()


@pytest.mark.parametrize(
    ("loss", "update", "change"),
    [
        (falling(), 1e-3, 0.4),
        (falling(speed=1.0), 1e-5, 0.01),
        (flat(), 1e-3, 0.4),
        (flat(), 5e-5, 0.8),
        ((0.7,) * 5, 1e-9, 1e-9),
        (tuple(np.linspace(0.5, 0.9, 100)), 1e-6, 1e-3),
    ],
    ids=["usual", "fell enough", "flat but moving", "long run", "too short", "grows"],
)
def test_other_runs_are_fine(loss, update, change) -> None:
    assert seen(loss, update, change) == ()


def test_no_gradient_is_not_a_matter_of_pace() -> None:
    assert seen(CRAWLING, update=0.0, change=0.0) == ()


def test_a_run_that_learned_is_fast_enough() -> None:
    assert seen(CRAWLING, score=0.95) == ()


def test_memorizing_labels_without_a_signal_is_not_slow_learning() -> None:
    assert seen(STRAIGHT, update=5e-4, change=0.3, score=0.5, facts=data(signal=0.5)) == ()


@pytest.mark.parametrize(("update", "change", "many"), [(7e-5, 0.07, 1), (2e-4, 0.07, 0), (7e-5, 0.2, 0)])
def test_the_pace_is_a_matter_of_numbers(update, change, many) -> None:
    assert len(seen(CRAWLING, update, change)) == many


@pytest.mark.parametrize(("update", "many"), [(7e-4, 1), (2e-3, 0)])
def test_a_straight_curve_needs_small_updates(update, many) -> None:
    assert len(seen(STRAIGHT, update, 0.3)) == many


def test_a_curve_that_has_bent_is_not_straight() -> None:
    bent = tuple((2.3 - 0.3 * (1 - np.exp(-6 * np.arange(200) / 200))).tolist())
    assert seen(bent, update=None, change=None) == ()
