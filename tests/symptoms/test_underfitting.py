from __future__ import annotations

import math

import pytest

from autofix.symptoms.underfitting import judge
from tests.symptoms.conftest import data, evidence, falling, flat, predictions, run


def seen(train, score=0.6, facts=None, loss=None, **more):
    return judge(evidence(facts=facts, trace=run(loss or flat(), train_score=train, **more), score=score))


def test_severity_follows_the_shortfall() -> None:
    found = [seen(train)[0].severity for train in (0.88, 0.8, 0.65, 0.5, -3.0)]
    assert found == sorted(found)
    assert 0.5 <= found[0] < 0.7
    assert found[-1] == 0.85


@pytest.mark.parametrize("train", [0.93, 0.99, None, math.nan])
def test_a_fit_to_the_training_rows_is_fine(train) -> None:
    assert seen(train) == ()


def test_nothing_is_known_without_a_reference() -> None:
    assert seen(0.5, facts=data(signal=None)) == ()
    assert seen(0.5, facts=data(signal=0.51)) == ()


def test_validation_rows_learned_are_enough() -> None:
    assert seen(0.8, score=0.95, loss=falling()) == ()


def test_nan_is_another_symptom() -> None:
    assert seen(0.5, loss=(*flat(), math.nan)) == ()
    assert seen(0.5, predictions=(predictions(finite=False),)) == ()


@pytest.mark.parametrize(("train", "many"), [(0.925, 0), (0.895, 1)])
def test_a_tenth_of_what_is_known_is_where_it_begins(train, many) -> None:
    assert len(seen(train)) == many


def test_a_run_that_is_not_over_may_only_need_its_time() -> None:
    rising = tuple(0.5 + 0.01 * index for index in range(10))
    (found,) = judge(evidence(trace=run(falling(), train_score=0.7, scores=rising), score=0.6))
    (ended,) = seen(0.7)
    assert (found.certainty, ended.certainty) == (0.5, 0.9)
