"""The proof: paired seeds, and what counts as better."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from autofix.change import Patch
from autofix.confirm import MORE_SEEDS, SEEDS, Measured, beats, measure
from autofix.outcome import Outcome, Status
from autofix.scoring import FLOOR_TIE, Score
from tests.doubles import FakeTrainer, outcome, patch, recipe


def scored(values: Sequence[float], *, rows: float = 0.0, seed: int = 0) -> Measured:
    """Scores over seeds; `rows` is the standard deviation over bootstrap draws of the rows."""
    draws = np.random.default_rng(seed).normal(0, rows, size=40) if rows else np.zeros(40)
    runs = [outcome(v, holdout=v, seed=101 + i, resampled=tuple((v + draws).tolist())) for i, v in enumerate(values)]
    return Measured.of(runs, 0.0)


def better(after: Measured, before: Measured, *, least: float = 0.02, floor: float = 0.1) -> bool:
    return beats(after, before, least, floor)


def test_clear_gain():
    assert better(scored([0.9, 0.91, 0.89]), scored([0.5, 0.51, 0.49]))


def test_loss_or_equality_is_no_gain():
    same = scored([0.9, 0.91, 0.89])
    assert not better(same, same)
    assert not better(scored([0.5, 0.5, 0.5]), same)


def test_gain_must_be_worth_telling_of():
    assert not better(scored([0.51, 0.51, 0.51]), scored([0.5, 0.5, 0.5]))
    assert better(scored([0.53, 0.53, 0.53]), scored([0.5, 0.5, 0.5]))


def test_gain_must_beat_the_noise_over_seeds():
    assert not better(scored([0.9, 0.5, 0.5]), scored([0.5, 0.5, 0.5]))


def test_seeds_are_paired():
    """Scores that go up and down together by seed hide no gain."""
    assert better(scored([0.3, 0.6, 0.9]), scored([0.2, 0.5, 0.8]))
    assert not better(scored([0.3, 0.6, 0.9]), scored([0.8, 0.5, 0.2]))


def test_gain_must_beat_the_noise_of_the_rows():
    """0.1 on rows whose draw alone moves each score by 0.2, apart from one another."""
    assert not better(scored([0.6] * 3, rows=0.2, seed=1), scored([0.5] * 3, rows=0.2, seed=2))
    assert better(scored([0.6] * 3, rows=0.2, seed=1), scored([0.5] * 3, rows=0.2, seed=1))  # together: paired


def test_failures_below_chance_count_as_chance():
    """One wild failure before (R2 of -1000) must neither make the gain nor the noise."""
    assert better(scored([0.9, 0.9, 0.9]), scored([0.5, -1000.0, 0.5]), floor=0.0)
    assert not better(scored([-5.0, -6.0, -7.0]), scored([-1000.0, -900.0, -800.0]), floor=0.0)


def test_more_seeds_of_one_side_are_not_compared():
    assert better(scored([0.9, 0.9, 0.9, 0.1]), scored([0.5, 0.5, 0.5]))


def test_single_runs_are_compared_by_their_rows_alone():
    assert better(scored([0.9]), scored([0.5]))
    assert not better(scored([0.9], rows=0.5, seed=1), scored([0.5], rows=0.5, seed=2))


def test_run_without_usable_predictions_counts_as_the_floor():
    dead = Outcome(Patch(), 101, Status.DIVERGED, None)
    infinite = Outcome(Patch(), 102, Status.DIVERGED, None, holdout=Score(-1e6, FLOOR_TIE, (-1e6,)))
    found = Measured.of([outcome(0.8, holdout=0.8), dead, infinite], 0.25)
    assert found.values == (0.8, 0.25, 0.25)
    assert found.mean == pytest.approx(0.4333, abs=1e-3)
    assert better(scored([0.9, 0.9, 0.9]), Measured.of([dead, dead, dead], 0.25), floor=0.25)


def test_scores_are_written_as_a_person_would():
    assert str(scored([0.5, 0.6, 0.7])) == "0.600 ± 0.100"
    assert str(scored([0.5])) == "0.500"
    assert scored([0.5, 0.7]).to_dict() == {
        "mean": 0.6,
        "spread": pytest.approx(0.1414, abs=1e-3),
        "values": [0.5, 0.7],
    }


def contenders() -> list[Any]:
    return [(recipe(), Patch()), (patch("a").apply(recipe()), patch("a"))]


def test_every_contender_runs_with_every_seed():
    trainer = FakeTrainer(lambda n: 0.9 if n["a"] else 0.4)
    before, after = measure(contenders(), trainer, floor=0.0)
    assert [(n["a"], seed) for n, seed in trainer.asked] == [(a, seed) for seed in SEEDS for a in (0, 1)]
    assert (before.mean, after.mean) == pytest.approx((0.4, 0.9))
    assert all(item["holdout"] for item in trainer.settings)
    assert [item.patch for item in after.outcomes] == [patch("a")] * 3


def test_undecided_matters_get_more_seeds_and_decided_ones_do_not():
    trainer = FakeTrainer(lambda n: 0.5)
    counts: list[int] = []

    def decided(found: Sequence[Measured]) -> bool:
        counts.append(len(found[0].values))
        return len(counts) == 3

    found = measure(contenders(), trainer, floor=0.0, decided=decided)
    assert counts == [3, 4, 5]
    assert len(found[0].values) == len(found[1].values) == 5
    never = measure(contenders(), trainer, floor=0.0, decided=lambda found: False)
    assert len(never[0].values) == len(SEEDS) + len(MORE_SEEDS)


def test_seed_that_was_not_finished_by_all_does_not_count():
    trainer = FakeTrainer(lambda n: 0.5, seconds=0.1)
    found = measure(contenders(), trainer, floor=0.0, deadline=time.monotonic() + 0.35)
    assert len(found[0].values) == len(found[1].values) == 1


def test_no_time_no_proof():
    assert measure(contenders(), FakeTrainer(lambda n: 0.5), floor=0.0, deadline=time.monotonic() - 1) is None


def test_failed_runs_stay_in_the_pairs():
    trainer = FakeTrainer(lambda n: 0.9 if n["a"] else outcome(None, status=Status.FAILED))
    before, after = measure(contenders(), trainer, floor=0.25)
    assert before.values == (0.25, 0.25, 0.25)
    assert after.mean == pytest.approx(0.9)


def test_every_run_is_reported():
    heard: list[Any] = []
    measure(contenders(), FakeTrainer(lambda n: 0.5), floor=0.0, on_trial=heard.append)
    assert len(heard) == 2 * len(SEEDS)
