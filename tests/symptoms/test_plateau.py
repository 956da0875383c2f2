from __future__ import annotations

import pytest

from autofix.symptoms.plateau import judge
from tests.symptoms.conftest import data, evidence, falling, flat, quantity, run


def seen(loss, score=0.5, facts=None, **more):
    return judge(evidence(facts=facts, trace=run(loss, **more), score=score))


@pytest.mark.parametrize("noise", [0.0, 0.01, 0.1, 0.3])
def test_a_loss_that_goes_nowhere_is_a_stall(noise) -> None:
    (found,) = seen(flat(noise=noise))
    assert found.severity >= 0.7
    assert "0.500" in found.evidence


def test_a_loss_that_fell_to_that_of_a_constant_and_rests_there_is_one_too() -> None:
    spike = (80.0, 40.0, 10.0, 2.0)
    assert seen((*spike, *flat(200))) != ()
    assert seen((3.0, 2.0, 0.9, *flat(9))) == ()


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_few_steps_say_nothing(steps) -> None:
    assert seen((0.7,) * steps) == ()


@pytest.mark.parametrize("speed", [0.3, 1.0, 5.0])
def test_a_loss_that_falls_is_none(speed) -> None:
    assert seen(falling(speed=speed)) == ()


def test_a_short_run_on_its_way_is_none() -> None:
    loss = tuple(2.38 - 0.004 * step + 0.03 * (-1) ** step for step in range(39))
    assert seen(loss, score=0.52) == ()


def test_a_score_above_chance_clears_it() -> None:
    assert seen(flat(), score=0.8) == ()


def test_little_to_explain_is_no_plateau() -> None:
    ceiling = data(quantity(), signal=0.12, noise=0.05)
    assert seen(flat(level=0.95), score=0.1, facts=ceiling) == ()
    assert seen(flat(level=0.95), score=0.0, facts=ceiling) != ()


def test_without_a_score_it_is_less_sure_and_asks_for_more() -> None:
    (found,) = seen(flat(), score=None)
    assert found.certainty < 0.7
    assert seen((80.0, 40.0, *flat(200)), score=None) == ()


def test_a_loss_that_is_not_finite_is_another_symptom() -> None:
    assert seen((*flat(), float("nan"))) == ()


@pytest.mark.parametrize(("end", "many"), [(2.29, 1), (2.2, 0)])
def test_two_per_cent_are_where_a_fall_begins(end, many) -> None:
    loss = (2.3,) * 40 + tuple(2.3 + (end - 2.3) * step / 60 for step in range(60)) + (end,) * 100
    assert len(seen(loss)) == many


@pytest.mark.parametrize(("score", "many"), [(0.58, 0), (0.52, 1)])
def test_a_beginning_is_no_plateau(score, many) -> None:
    """Within the scatter of its first steps, but the score is four errors clear of chance."""
    loss = (1.2, 0.7, *(0.8 + 0.05 * (-1) ** step for step in range(23)))
    facts = data(noise=0.02)
    assert len(seen(loss, score=score, facts=facts, steps_per_epoch=25)) == many


def test_a_loss_that_rests_far_above_its_first_batch_grew() -> None:
    assert seen((1.0, *flat(199, level=3.0, noise=0.1))) == ()
    assert seen((2.9, *flat(199, level=3.0, noise=0.1))) != ()
