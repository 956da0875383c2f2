from __future__ import annotations

import pytest

from autofix.symptoms.regularization_dominates import judge
from tests.symptoms.conftest import dense, evidence, falling, flat, plain, reading, run, stack

L2 = {"class_name": "L2", "config": {"l2": 0.5}}
PENALIZED = stack((8,), dense("hidden_1", 32, kernel_regularizer=L2), dense("output", 1, "sigmoid"))


def seen(penalty=0.0, score=0.5, recipe=None, loss=None, **more):
    return judge(evidence(recipe, trace=run(loss or flat(), penalty=penalty, **more), score=score))


@pytest.mark.parametrize("penalty", [0.0, 0.2, 0.5, float("nan")])
def test_a_smaller_share_is_fine(penalty) -> None:
    assert seen(penalty) == ()


def test_severity_follows_the_share() -> None:
    assert seen(0.99)[0].severity > seen(0.6)[0].severity >= 0.5


def test_a_good_fit_leaves_nothing_but_penalty() -> None:
    (found,) = seen(0.9, score=0.95, loss=falling(end=0.001))
    assert found.severity <= 0.3


def test_kernels_that_shrank_away_are_found_when_the_penalty_is_small_again() -> None:
    norms = {"first": (reading(step=0, weight_norm=8.0),), "last": (reading(weight_norm=0.1),)}
    (found,) = seen(0.04, recipe=PENALIZED, **norms)
    assert found.severity >= 0.7
    assert seen(0.04, recipe=plain(), **norms) == ()
    assert seen(0.04, recipe=PENALIZED, score=0.95, **norms) == ()
    kept = {**norms, "last": (reading(weight_norm=6.0),)}
    assert seen(0.04, recipe=PENALIZED, **kept) == ()


@pytest.mark.parametrize(("left", "many"), [(0.15, 1), (0.3, 0)])
def test_a_fifth_of_the_norm_is_where_shrinking_begins(left, many) -> None:
    norms = {"first": (reading(step=0, weight_norm=8.0),), "last": (reading(weight_norm=8.0 * left),)}
    assert len(seen(0.04, recipe=PENALIZED, **norms)) == many
