from __future__ import annotations

import pytest

from autofix.symptoms.overfitting import judge
from tests.symptoms.conftest import data, evidence, falling, run

FALLING = (0.7, 0.85, 0.82, 0.76, 0.7, 0.66)
STEADY = (0.6, 0.66, 0.66, 0.67, 0.66, 0.66)


def seen(train, score, scores=(), facts=None):
    return judge(evidence(facts=facts, trace=run(falling(), train_score=train, scores=scores), score=score))


@pytest.mark.parametrize(
    ("train", "score"), [(0.97, 0.94), (0.7, 0.68), (0.6, 0.7), (None, 0.6), (0.9, None), (float("nan"), 0.6)]
)
def test_a_small_gap_or_none_measured_is_fine(train, score) -> None:
    assert seen(train, score) == ()


def test_noise_excuses_a_gap() -> None:
    assert seen(0.98, 0.54, facts=data(signal=0.95, noise=0.3)) == ()


@pytest.mark.parametrize(
    ("score", "scores", "signal", "low", "high"),
    [
        (0.66, FALLING, 0.95, 0.7, 0.7),
        (0.66, STEADY, 0.95, 0.5, 0.65),
        (0.66, (), 0.95, 0.5, 0.65),
        (0.85, (0.8, 0.85, 0.85, 0.84, 0.86, 0.85), 0.86, 0.1, 0.4),
        (0.66, STEADY, None, 0.1, 0.65),
    ],
    ids=["falls and is beaten", "is beaten", "no scores", "as good as the reference", "nothing to compare with"],
)
def test_severity_follows_what_the_gap_costs(score, scores, signal, low, high) -> None:
    (found,) = seen(1.0, score, scores, data(signal=signal))
    assert low <= found.severity <= high


def test_the_best_epoch_is_told() -> None:
    (found,) = seen(1.0, 0.66, FALLING)
    assert "epoch 3.33" in found.evidence


def test_a_model_that_does_not_fit_its_training_rows_does_not_overfit() -> None:
    assert seen(0.5, 0.2, facts=data(chance=0.5)) == ()


@pytest.mark.parametrize(("end", "severity"), [(0.84, 0.6), (0.66, 0.7)])
def test_a_fall_counts_beyond_its_noise(end, severity) -> None:
    (found,) = seen(1.0, 0.66, (0.7, 0.8, 0.86, 0.86, 0.85, end))
    assert found.severity == severity


@pytest.mark.parametrize(("score", "many"), [(0.97, 0), (0.93, 1)])
def test_a_tenth_of_the_way_is_where_a_gap_begins(score, many) -> None:
    assert len(seen(1.0, score, facts=data(signal=0.9))) == many


@pytest.mark.parametrize(("best", "noise", "severity"), [(0.68, 0.005, 0.6), (0.7, 0.005, 0.7), (0.75, 0.06, 0.6)])
def test_a_fall_needs_a_twentieth_of_the_way_and_two_errors(best, noise, severity) -> None:
    facts = data(signal=0.95, noise=noise)
    (found,) = seen(1.0, 0.66, (0.6, best, best, 0.68, 0.67, 0.66, 0.66, 0.66, 0.66, 0.66), facts)
    assert found.severity == severity
