from __future__ import annotations

import pytest

from autofix.symptoms.saturated_units import judge
from tests.symptoms.conftest import column, data, dense, evidence, falling, flat, layer, plain, reading, run, stack


def seen(*last, score=0.5, loss=None, recipe=None, first=()):
    return judge(evidence(recipe, trace=run(loss or flat(), last=last, first=first), score=score))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.49, float("nan")])
def test_some_saturation_is_usual(share) -> None:
    assert seen(reading(activation="tanh", saturated=share)) == ()


def test_severity_follows_the_share() -> None:
    found = [seen(reading(activation="sigmoid", saturated=share))[0].severity for share in (0.5, 0.8, 0.95)]
    assert found == sorted(found)
    assert found[0] <= 0.4
    assert found[-1] >= 0.7


def test_a_sure_classifier_saturates_its_head() -> None:
    assert seen(reading("output", "sigmoid", saturated=0.99)) == ()
    behind = stack(
        (8,), dense("hidden", 8), dense("output", 1, "linear"), layer("Activation", "squash", activation="tanh")
    )
    assert seen(reading("squash", "tanh", saturated=0.99), recipe=behind) == ()
    assert seen(reading("hidden_1", "sigmoid", saturated=0.99), recipe=plain()) != ()


def test_unbounded_activations_have_no_bounds() -> None:
    assert seen(reading(activation="relu", saturated=0.99)) == ()


def test_it_is_told_whether_it_was_so_from_the_start() -> None:
    (found,) = seen(
        reading(activation="tanh", saturated=0.9), first=(reading(activation="tanh", saturated=0.8, step=0),)
    )
    assert found.since_step == 0
    assert "80% were before training" in found.evidence


def test_a_run_that_learned_gets_a_note() -> None:
    (found,) = seen(reading(activation="tanh", saturated=0.9), score=0.95, loss=falling())
    assert found.severity <= 0.4


def test_saturation_never_proves_more_than_it_can() -> None:
    (found,) = seen(reading(activation="tanh", saturated=1.0))
    assert found.severity == 0.85


def test_what_saturated_them_is_surer_than_that_they_are_saturated() -> None:
    alone = judge(evidence(trace=run(flat(), last=(reading(activation="tanh", saturated=1.0),)), score=0.5))
    large = data(inputs=[column(mean=500.0, std=100.0)])
    given = evidence(facts=large, trace=run(flat(), last=(reading(activation="tanh", saturated=1.0),)), score=0.5)
    assert (alone[0].certainty, judge(given)[0].certainty) == (0.9, 0.6)
