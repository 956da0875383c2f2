from __future__ import annotations

import math

import pytest

from autofix.symptoms.non_finite_loss import judge
from tests.symptoms.conftest import evidence, falling, flat, optimizer, plain, predictions, reading, run

NAN = math.nan


def test_the_step_the_value_before_and_the_origin_are_told() -> None:
    trace = run((0.7, 0.9, 40.0, NAN, NAN), non_finite_step=3, non_finite_origin="layer:layers/hidden_2")
    (found,) = judge(evidence(trace=trace))
    assert found.since_step == 3
    assert found.layer == "layers/hidden_2"
    assert "40" in found.evidence
    assert found.severity == 1.0


@pytest.mark.parametrize("origin", ["input", "target", "loss", "gradient", "something new", None])
def test_every_origin_is_worded(origin) -> None:
    (found,) = judge(evidence(trace=run((0.7, NAN), non_finite_step=1, non_finite_origin=origin)))
    assert found.evidence.endswith(".")
    assert found.layer is None


def test_the_loss_tells_even_where_nobody_noted_the_step() -> None:
    (found,) = judge(evidence(trace=run((0.7, 0.6, math.inf))))
    assert found.since_step == 2


def test_a_run_that_got_over_one_infinite_loss_is_not_lost() -> None:
    (found,) = judge(evidence(trace=run((0.7, math.inf, 0.6, 0.5))))
    assert found.severity == 0.7


def test_predictions_that_are_not_finite_count() -> None:
    (found,) = judge(evidence(trace=run(flat(), predictions=(predictions(finite=False),))))
    assert found.severity == 1.0


@pytest.mark.parametrize(
    "more",
    [{"weight_change": {"layers/hidden_1": NAN}}, {"last": (reading(finite=False),)}],
    ids=["weights", "outputs"],
)
def test_nan_that_a_finite_loss_hides_counts(more) -> None:
    (found,) = judge(evidence(trace=run(flat(), **more)))
    assert found.layer == "layers/hidden_1"
    assert "stays finite" in found.evidence


def test_a_finite_run_is_fine() -> None:
    assert judge(evidence(trace=run(falling(), last=(reading(),), predictions=(predictions(),)))) == ()


@pytest.mark.parametrize(
    ("loss", "place", "rate", "origin"),
    [
        ((0.7, 0.9, 40.0, NAN), "gradient", 0.001, "learning rate"),
        ((0.7, 0.6, 0.6, NAN), "gradient", 50.0, "learning rate"),
        ((0.7, 0.6, 0.6, NAN), "gradient", 0.001, "gradient"),
        ((0.7, 0.6, 0.6, NAN), "layer:layers/hidden_1", 0.001, "layer:layers/hidden_1"),
        ((0.7, 0.9, 40.0, NAN), "input", 0.001, "input"),
        ((NAN,), "loss", 50.0, "loss"),
    ],
)
def test_a_rate_that_drove_the_weights_there_is_the_origin(loss, place, rate, origin) -> None:
    recipe = plain(compiled={"optimizer": optimizer("Adam", rate)})
    trace = run(loss, non_finite_step=len(loss) - 1, non_finite_origin=place, learning_rate=rate)
    (found,) = judge(evidence(recipe, trace=trace))
    assert found.numbers["origin"] == origin
    assert found.numbers["place"] == place
