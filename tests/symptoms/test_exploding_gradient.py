from __future__ import annotations

import math

import pytest

from autofix.symptoms.exploding_gradient import judge
from tests.symptoms.conftest import column, data, evidence, falling, flat, reading, run


def seen(norms, *, loss=None, score=0.5, facts=None, **more):
    return judge(evidence(facts=facts, trace=run(loss or flat(), gradient_norm=tuple(norms), **more), score=score))


@pytest.mark.parametrize(
    "norms",
    [
        (0.5,) * 20,
        (0.01,) * 10 + (1.0,) * 10,
        (5e4,) * 20,
        (5e4, 2e4, 1e3, 10.0),
        (1e-9,) * 10 + (1e-4,) * 10,
        (3.0,),
        (),
    ],
    ids=["steady", "leaving a plateau", "large from large targets", "falling", "tiny", "one reading", "none"],
)
def test_usual_gradients_are_fine(norms) -> None:
    assert seen(norms) == ()


def test_growth_by_orders_of_magnitude_is_found_with_its_step() -> None:
    (found,) = seen((0.5,) * 12 + (4e3,) + (0.6,) * 7)
    assert found.since_step == 120
    assert found.severity >= 0.7


def test_less_growth_is_enough_before_a_nan() -> None:
    norms = (0.5,) * 12 + (50.0,)
    assert seen(norms) == ()
    (found,) = seen(norms, loss=(*flat(130), math.nan))
    assert found.severity == 0.9


def test_nan_from_the_data_says_nothing_about_the_model() -> None:
    norms = (0.5,) * 12 + (50.0, math.nan)
    assert seen(norms, loss=(0.7, math.nan), facts=data(inputs=[column(missing=0.1)])) == ()
    assert seen(norms, loss=(0.7, math.nan), non_finite_origin="target") == ()
    assert seen(norms, loss=(0.7, math.nan), non_finite_origin="loss") != ()


def test_an_overflow_at_the_first_step_is_told_by_the_outputs_before_it() -> None:
    huge, usual = (reading(step=0, std=3e19),), (reading(step=0),)
    (found,) = seen((math.nan,), loss=(math.inf, math.nan), first=huge)
    assert found.layer == "layers/hidden_1"
    assert seen((math.nan,), loss=(math.inf, math.nan), first=usual) == ()


def test_a_ratio_through_depth_would_improve() -> None:
    names = ("layers/hidden_1", "layers/hidden_2", "layers/output")
    steep = dict(zip(names, ((9e3,) * 20, (100.0,) * 20, (1.0,) * 20), strict=True))
    (found,) = seen((9e3,) * 20, gradient_norms=steep)
    assert found.layer == "layers/hidden_1"
    assert found.severity < 0.7
    shallow = dict(zip(names, ((90.0,) * 20, (10.0,) * 20, (1.0,) * 20), strict=True))
    assert seen((90.0,) * 20, gradient_norms=shallow) == ()


def test_a_run_that_learned_gets_a_note() -> None:
    (found,) = seen((0.5,) * 12 + (4e3,), loss=falling(), score=0.95)
    assert found.severity <= 0.4


@pytest.mark.parametrize(("peak", "many"), [(400.0, 0), (600.0, 1)])
def test_a_thousandfold_is_where_it_begins(peak, many) -> None:
    assert len(seen((0.5,) * 12 + (peak,))) == many


@pytest.mark.parametrize(("peak", "many"), [(12.0, 0), (18.0, 1)])
def test_thirtyfold_before_a_nan(peak, many) -> None:
    assert len(seen((0.5,) * 12 + (peak,), loss=(*flat(130), math.nan))) == many


@pytest.mark.parametrize(("ratio", "many"), [(700.0, 0), (1500.0, 1)])
def test_a_thousandfold_through_depth(ratio, many) -> None:
    names = ("layers/hidden_1", "layers/hidden_2", "layers/output")
    series = dict(zip(names, ((2 * ratio,) * 20, (20.0,) * 20, (2.0,) * 20), strict=True))
    assert len(seen((2 * ratio,) * 20, gradient_norms=series)) == many


def test_a_huge_start_explains_a_nan_that_follows_at_once() -> None:
    (found,) = seen((5e7,), loss=(1e8, math.nan))
    assert found.since_step == 0
    assert "from the start" in found.evidence
    assert seen((5e7,), loss=flat()) == ()
    assert seen((5e3,), loss=(1e8, math.nan)) == ()


def test_data_of_that_size_explains_it_as_well() -> None:
    large = data(inputs=[column(mean=0.0, std=3e3)])
    (found,) = seen((5e7,), loss=(1e8, math.nan), facts=large)
    (other,) = seen((5e7,), loss=(1e8, math.nan))
    assert (found.certainty, other.certainty) == (0.5, 0.9)


def test_a_leap_from_a_usual_norm_to_an_infinite_one_is_growth() -> None:
    """A square that a float cannot hold leaves no number in between; a NaN may have come from anywhere."""
    (found,) = seen((0.5, math.inf, math.nan))
    assert found.since_step == 10
    assert found.severity >= 0.7
    assert seen((0.5, math.nan)) == ()
