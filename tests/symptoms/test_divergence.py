from __future__ import annotations

import numpy as np
import pytest

from autofix.symptoms.divergence import judge
from tests.symptoms.conftest import evidence, falling, flat, run


def seen(loss, score=0.5):
    return judge(evidence(trace=run(loss), score=score))


def noisy(values: np.ndarray, noise: float = 0.02) -> tuple[float, ...]:
    return tuple((values + noise * np.random.default_rng(0).standard_normal(len(values))).tolist())


def test_a_loss_above_its_start_is_found() -> None:
    (found,) = seen(noisy(np.linspace(0.7, 3.0, 200)))
    assert found.severity >= 0.7
    assert found.numbers["end"] > found.numbers["start"]


def test_a_fall_that_was_lost_again_is_found_with_its_turn() -> None:
    loss = noisy(np.concatenate([np.linspace(2.3, 0.5, 100), np.linspace(0.5, 2.0, 100)]))
    (found,) = seen(loss)
    assert "rose again" in found.evidence
    assert 80 <= found.since_step <= 110


@pytest.mark.parametrize(
    "loss",
    [
        falling(),
        falling(noise=0.8),
        flat(),
        flat(noise=0.3),
        noisy(np.concatenate([np.linspace(2.3, 0.01, 100), np.linspace(0.01, 0.03, 100)]), 0.002),
        (0.7, 0.9),
        noisy(-np.linspace(0.1, 0.9, 200)),
    ],
    ids=["usual", "noisy", "flat", "flat and noisy", "twice nothing", "too short", "negative and falling"],
)
def test_other_runs_are_fine(loss) -> None:
    assert seen(loss) == ()


@pytest.mark.parametrize("seed", range(10))
def test_noise_alone_never_grows(seed) -> None:
    assert seen(flat(noise=0.2, seed=seed)) == ()


def test_a_run_that_learned_gets_a_note() -> None:
    (found,) = seen(noisy(np.linspace(0.7, 3.0, 200)), score=0.95)
    assert found.severity <= 0.4


@pytest.mark.parametrize(("end", "many"), [(0.72, 0), (0.76, 1)])
def test_a_twentieth_above_the_start_is_where_it_begins(end, many) -> None:
    assert len(seen(noisy(np.concatenate([np.full(100, 0.7), np.full(100, end)]), 0.005))) == many


@pytest.mark.parametrize(("end", "many"), [(1.2, 0), (1.6, 1)])
def test_half_of_the_fall_lost_is_where_it_begins(end, many) -> None:
    loss = np.concatenate([np.full(30, 2.3), np.linspace(2.3, 0.5, 40), np.full(30, 0.5), np.full(100, end)])
    assert len(seen(noisy(loss))) == many


@pytest.mark.parametrize(("first", "many"), [(0.9, 1), (1.6, 0), (3.0, 0)])
def test_an_end_far_above_the_first_batch_is_found(first, many) -> None:
    loss = (first, *flat(199, level=3.0, noise=0.1))
    found = seen(loss)
    assert len(found) == many
    assert all("before any step" in item.evidence for item in found)
