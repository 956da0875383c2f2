from __future__ import annotations

import numpy as np
import pytest

from autofix.symptoms.still_improving import judge
from tests.symptoms.conftest import data, evidence, falling, flat, plain, run

RISING = (0.5, 0.55, 0.6, 0.65, 0.7, 0.74)
SETTLED = (0.7, 0.85, 0.9, 0.9, 0.905, 0.9)


def seen(loss, scores=(), score=None, recipe=None, facts=None, **more):
    score = scores[-1] if scores and score is None else score
    return judge(evidence(recipe, facts, run(loss, scores=scores, **more), score))


def test_a_rising_score_is_projected() -> None:
    (found,) = seen(falling(speed=1.0), RISING)
    assert 0.5 <= found.severity < 0.7
    assert 0.05 < found.numbers["gain"] < 0.3


@pytest.mark.parametrize("scores", [SETTLED, (0.9,) * 6, (0.7, 0.9, 0.85, 0.8, 0.75, 0.7)])
def test_scores_that_settled_or_fall_are_fine(scores) -> None:
    assert seen(falling(speed=1.0), scores) == ()


def test_a_falling_loss_speaks_where_there_are_too_few_scores() -> None:
    rng = np.random.default_rng(0)
    loss = tuple((2.38 - 0.003 * np.arange(39) + 0.02 * rng.standard_normal(39)).tolist())
    (found,) = seen(loss, (0.5, 0.52, 0.55), steps_per_epoch=13)
    assert found.severity >= 0.6
    assert "still falling" in found.evidence


@pytest.mark.parametrize("loss", [falling(speed=8.0), flat(), falling(5), (0.7,), tuple(np.linspace(0.5, 0.9, 100))])
def test_a_loss_that_is_flat_short_or_grows_is_fine(loss) -> None:
    assert seen(loss, score=0.6) == ()


def test_a_run_that_learned_gets_a_note() -> None:
    (found,) = seen(falling(speed=1.0), (0.85, 0.88, 0.9, 0.915, 0.93, 0.94))
    assert found.severity <= 0.4


def test_steep_gains_count_even_then() -> None:
    (found,) = seen(falling(speed=1.0), (0.5, 0.6, 0.68, 0.75, 0.82, 0.89), facts=data(signal=0.9))
    assert found.severity >= 0.5


def test_memorizing_labels_without_a_signal_is_a_note() -> None:
    (found,) = seen(falling(speed=1.0), score=0.5, facts=data(signal=0.51))
    assert found.severity <= 0.4


def test_a_run_that_stopped_by_its_own_patience_is_not_cut_short() -> None:
    patient = plain(fit={"patience": 3})
    assert seen(falling(speed=1.0), RISING, recipe=patient, epochs=4.0, planned_epochs=10) == ()
    assert seen(falling(speed=1.0), RISING, recipe=patient, epochs=10.0, planned_epochs=10) != ()


def test_useless_scores_do_not_foretell_wonders() -> None:
    found = seen(flat(), (-1e6, -1e6, -1e4, -50.0, -8.0, -6.5), score=-6.5)
    assert found == ()


def test_a_gain_never_goes_beyond_the_perfect_score() -> None:
    (found,) = seen(falling(speed=1.0), (0.5, 0.6, 0.7, 0.8, 0.9, 0.99))
    assert found.numbers["gain"] <= 0.01 + 1e-9


@pytest.mark.parametrize(("speed", "many"), [(3.0, 1), (6.0, 0)])
def test_a_tenth_of_the_fall_is_where_a_loss_counts(speed, many) -> None:
    assert len(seen(falling(400, speed=speed, noise=0.01), score=0.6)) == many


def test_noise_is_no_trend() -> None:
    found = [seen(flat(60, noise=0.1, seed=seed), score=0.6) for seed in range(20)]
    assert sum(map(len, found)) <= 1
