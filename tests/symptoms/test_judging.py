from __future__ import annotations

import numpy as np
import pytest

from autofix.symptoms._judging import confirmed, eased, finite_part, level, scatter, standing, tail, trend
from tests.symptoms.conftest import data, evidence, falling, flat, quantity


def at(score, perfect=1.0, **facts):
    return standing(evidence(facts=data(**facts), score=score, perfect=perfect))


@pytest.mark.parametrize(
    ("score", "learned", "at_chance", "short"),
    [(0.95, True, False, False), (0.9, True, False, False), (0.87, False, False, True), (0.7, False, False, True),
     (0.58, False, True, True), (0.5, False, True, True), (-9.0, False, True, True)],
)  # fmt: skip
def test_a_score_stands_between_chance_and_what_is_known(score, learned, at_chance, short) -> None:
    where = at(score)
    assert (where.learned, where.at_chance, where.short) == (learned, at_chance, short)


@pytest.mark.parametrize(
    ("score", "learned", "at_chance"),
    [(0.8, True, False), (0.7, False, False), (0.54, False, False), (0.52, False, True)],
)
def test_without_a_reference_half_of_the_way_has_to_do(score, learned, at_chance) -> None:
    where = at(score, signal=None)
    assert (where.learned, where.at_chance, where.short) == (learned, at_chance, False)


def test_a_low_ceiling_is_reached_with_little() -> None:
    where = standing(evidence(facts=data(quantity(), signal=0.12, noise=0.03), score=0.11))
    assert where.learned
    assert not where.at_chance


@pytest.mark.parametrize("score", [0.45, 0.5, 0.9])
def test_nothing_is_learned_from_data_without_a_signal(score) -> None:
    where = at(score, signal=0.51)
    assert where.hopeless
    assert not where.learned
    assert not where.short


@pytest.mark.parametrize(
    ("score", "perfect", "facts"),
    [(None, 1.0, {}), (float("nan"), 1.0, {}), (0.7, 0.0, {}), (0.7, float("inf"), {}), (0.7, 1.0, {"chance": 1.0})],
)
def test_scores_in_other_units_stand_nowhere(score, perfect, facts) -> None:
    assert at(score, perfect, **facts) is None


def test_a_severity_is_eased_only_by_learning() -> None:
    assert eased(0.9, evidence(score=0.95)) == 0.4
    assert eased(0.2, evidence(score=0.95)) == 0.2
    assert eased(0.9, evidence(score=0.6)) == 0.9
    assert eased(0.9, evidence()) == 0.9


def test_values_count_up_to_the_first_that_is_broken() -> None:
    assert finite_part((1.0, 2.0, float("nan"), 3.0)).tolist() == [1.0, 2.0]
    assert finite_part((1e200,)).tolist() == []
    assert finite_part(()).tolist() == []


def test_scatter_sees_the_noise_and_not_the_trend() -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal(2000)
    assert scatter(noise + np.linspace(50, 0, 2000)) == pytest.approx(0.1, rel=0.1)
    assert scatter(np.array([1.0])) == 0.0


def test_a_mean_is_as_sure_as_it_has_steps() -> None:
    noise = np.random.default_rng(0).standard_normal(400)
    assert level(noise).error == pytest.approx(1 / 20, rel=0.2)
    assert level(noise[:1], 0.5).error == 0.5


def test_a_power_law_is_foretold() -> None:
    times = np.arange(1.0, 401)
    fit = tail(times**-0.2)
    assert -fit.doubling == pytest.approx(400**-0.2 - 800**-0.2, rel=0.15)


def test_an_end_that_is_flat_foretells_nothing() -> None:
    assert abs(tail(np.asarray(falling(400, speed=40, noise=0.0))).doubling) < 1e-3
    fit = tail(np.asarray(flat(400)))
    assert abs(fit.doubling) < 3 * fit.error


@pytest.mark.parametrize(("values", "times"), [((1.0, 2.0), (1.0, 2.0)), ((1.0,) * 5, (2.0,) * 5), ((), ())])
def test_too_little_has_no_trend(values, times) -> None:
    assert trend(values, times) is None


def test_a_fault_of_the_program_weighs_more_once_its_run_has_failed() -> None:
    assert confirmed(0.5, evidence()) == 0.5
    assert confirmed(0.5, evidence(score=0.6)) == pytest.approx(0.77)
    assert confirmed(0.45, evidence(score=0.6)) == pytest.approx(0.6)
    assert confirmed(0.9, evidence(score=0.5)) == pytest.approx(0.93)
    assert confirmed(1.0, evidence(score=0.5)) == 1.0
    assert confirmed(0.9, evidence(score=0.95)) == 0.4


@pytest.mark.parametrize("severity", [0.2, 0.4])
def test_a_note_stays_one(severity) -> None:
    assert confirmed(severity, evidence(score=0.5)) == severity


def test_what_nobody_could_learn_confirms_nothing() -> None:
    assert confirmed(0.5, evidence(facts=data(signal=0.51), score=0.7)) == 0.5
