from __future__ import annotations

import numpy as np
import pytest

from autofix.symptoms.oscillation import judge
from tests.symptoms.conftest import evidence, falling, flat, plain, run

SWINGS = tuple((0.7 + 0.5 * np.sign(np.sin(np.arange(240) / 6.5)) + 0.01 * np.cos(np.arange(240))).tolist())


def spiky(batch_noise: float, seed: int = 0) -> tuple[float, ...]:
    return tuple(np.abs(1 + batch_noise * np.random.default_rng(seed).standard_normal(400)).tolist())


def seen(loss, scores=(), score=0.6, batch=32):
    return judge(evidence(plain(fit={"batch_size": batch}), trace=run(loss, scores=scores), score=score))


def test_waves_without_progress_are_found() -> None:
    (found,) = seen(SWINGS)
    assert found.severity >= 0.7
    assert found.numbers["turns"] >= 3


def test_steps_that_jump_more_than_their_batches_explain_are_found() -> None:
    assert seen(spiky(2.5)) != ()
    assert seen(spiky(0.3)) == ()


def test_small_batches_may_jump_more() -> None:
    assert seen(spiky(1.2), batch=64) != ()
    assert seen(spiky(1.2), batch=1) == ()


@pytest.mark.parametrize(
    "loss",
    [flat(), flat(noise=0.2), falling(noise=0.5), (80.0, 9.0, 30.0, *flat(200)), SWINGS[:20]],
    ids=["flat", "noisy", "noisy and falling", "one transient", "too short"],
)
def test_noise_is_no_oscillation(loss) -> None:
    assert seen(loss) == ()


@pytest.mark.parametrize("seed", range(10))
def test_plain_batch_noise_never_counts(seed) -> None:
    assert seen(flat(400, noise=0.15, seed=seed)) == ()


def test_waves_on_the_way_down_are_progress() -> None:
    loss = tuple((np.asarray(SWINGS) * np.linspace(2.0, 0.3, 240)).tolist())
    assert seen(loss) == ()


def test_scores_that_jump_by_many_errors_are_found() -> None:
    (found,) = seen(flat(), (0.6, 0.9, 0.55, 0.85, 0.5, 0.8, 0.52))
    assert "validation score" in found.evidence


@pytest.mark.parametrize(
    "scores",
    [
        (0.6, 0.62, 0.59, 0.61, 0.6, 0.62),
        (0.5, 0.7, 0.6, 0.8, 0.7, 0.9),
        (0.6, 0.9, 0.5),
        (0.6, float("nan"), 0.9, 0.5, 0.9),
    ],
    ids=["within noise", "rising", "too few", "not finite"],
)
def test_usual_scores_are_fine(scores) -> None:
    assert seen(flat(), scores) == ()


def test_a_run_that_learned_is_fine() -> None:
    assert seen(SWINGS, (0.6, 0.95, 0.55, 0.95, 0.5, 0.95), score=0.95) == ()


@pytest.mark.parametrize(("amplitude", "many"), [(0.02, 0), (0.2, 1)])
def test_waves_count_from_a_tenth_of_the_loss_on(amplitude, many) -> None:
    waves = 0.7 + amplitude * np.sign(np.sin(np.arange(240) / 6.5)) + 0.001 * np.cos(np.arange(240))
    assert len(seen(tuple(waves.tolist()))) == many


@pytest.mark.parametrize(("jump", "many"), [(0.03, 0), (0.1, 1)])
def test_scores_count_from_three_errors_on(jump, many) -> None:
    scores = tuple(0.65 + jump * (-1) ** epoch for epoch in range(8))
    assert len(seen(flat(), scores)) == many


def test_a_single_turn_is_no_wave() -> None:
    loss = tuple(np.concatenate([np.full(100, 0.7), np.full(60, 0.9), np.full(80, 0.7)]).tolist())
    assert seen(loss) == ()


def test_swings_that_long_stretches_average_out_are_found() -> None:
    quick = tuple((1.0 + 0.9 * np.sin(np.arange(960) / 6.4)).tolist())
    (found,) = seen(quick)
    assert found.numbers["turns"] < 3
    assert found.numbers["quick_turns"] >= 6
    assert found.numbers["step_swing"] < 0.5
