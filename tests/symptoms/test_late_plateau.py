from __future__ import annotations

import numpy as np
import pytest

from autofix.symptoms import converged, plateau
from autofix.symptoms.late_plateau import judge
from tests.symptoms.conftest import data, evidence, falling, flat, run


def seen(loss, score=0.7, rule=judge, facts=None, **more):
    return rule(evidence(facts=facts, trace=run(loss, **more), score=score))


REST = falling(400, end=0.4, speed=40)


def test_a_loss_at_rest_under_a_short_score_is_stuck() -> None:
    (found,) = seen(REST, train_score=0.72)
    assert found.severity > 0.4
    assert 10 < found.since_step < 100
    assert found.since_step == found.numbers["since"]
    assert seen(REST, rule=plateau.judge) == ()
    assert seen(REST, rule=converged.judge) == ()


@pytest.mark.parametrize(
    "loss", [flat(400), falling(400, end=0.1, speed=3.0), falling(20, end=0.4, speed=40), (0.7,)],
    ids=["never fell", "still falls", "too short", "one step"],
)  # fmt: skip
def test_other_curves_are_the_matter_of_other_rules(loss) -> None:
    assert seen(loss) == ()


def test_a_loss_that_swings_is_not_at_rest() -> None:
    noisy = tuple(value + 0.4 * (-1) ** (step // 60) for step, value in enumerate(REST))
    assert seen(noisy) == ()


@pytest.mark.parametrize("seed", range(6))
def test_a_few_noisy_steps_do_not_tell(seed) -> None:
    loss = np.where(np.arange(48) < 5, 1.0, 0.6) + 0.08 * np.random.default_rng(seed).standard_normal(48)
    assert seen(tuple(loss.tolist())) == ()


def test_scores_that_climb_are_not_at_rest() -> None:
    assert seen(REST, scores=(0.4, 0.45, 0.5, 0.56, 0.61, 0.66, 0.7)) == ()
    assert seen(REST, scores=(0.6, 0.69, 0.7, 0.7, 0.71, 0.7, 0.7)) != ()


@pytest.mark.parametrize("score", [0.95, 0.93, 0.5, None])
def test_a_run_that_learned_or_that_never_began_is_not_stuck_late(score) -> None:
    assert seen(REST, score) == ()


def test_without_a_reference_nobody_knows_what_is_missing() -> None:
    assert seen(REST, facts=data(signal=None)) == ()


def test_what_fits_its_training_rows_is_overfitting() -> None:
    assert seen(REST, train_score=0.95) == ()
    assert seen(falling(400, end=0.001, speed=40)) == ()
