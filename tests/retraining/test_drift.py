"""Drift: found where there is some, not found where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from autofix.retraining import drift
from autofix.retraining.contest import Standing

NAMES = ["age", "income", "clicks", "member"]


def table(seed: int, rows: int = 2_000, **moved: float) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    found = {
        "age": rng.normal(40, 10, rows),
        "income": rng.lognormal(10, 1, rows),
        "clicks": rng.poisson(3, rows).astype(float),
        "member": (rng.random(rows) < moved.get("member", 0.3)).astype(float),
    }
    found["age"] += moved.get("age", 0.0)
    found["income"] *= moved.get("income", 1.0)
    return found


def compared(old: dict[str, np.ndarray], new: dict[str, np.ndarray]) -> dict[str, float]:
    return drift.compare(drift.profile(old), new)[1]


def test_nothing_has_drifted_where_nothing_changed():
    assert [compared(table(2 * seed), table(2 * seed + 1)) for seed in range(20)] == [{}] * 20


def test_small_data_is_no_drift():
    alarms = [compared(table(2 * seed, 60), table(2 * seed + 1, 40)) for seed in range(50)]
    assert sum(map(bool, alarms)) <= 1


@pytest.mark.parametrize(
    ("moved", "name"), [({"age": 10.0}, "age"), ({"income": 3.0}, "income"), ({"member": 0.7}, "member")]
)
def test_what_moved_is_named(moved, name):
    assert list(compared(table(1), table(2, **moved))) == [name]


def test_a_small_change_of_many_rows_is_sure_and_no_drift():
    old, new = table(1, 50_000), table(2, 50_000, age=2.0)
    every, drifted = drift.compare(drift.profile(old), new)
    assert every["age"] > 10 * every["clicks"]
    assert drifted == {}
    assert list(drift.compare(drift.profile(old), new, threshold=0.01)[1]) == ["age"]


def test_the_largest_comes_first():
    assert list(compared(table(1), table(2, age=8.0, income=100.0))) == ["income", "age"]


def test_missing_values_are_a_change():
    new = table(2)
    new["age"][::2] = np.nan
    assert "age" in compared(table(1), new)
    assert compared(new, new) == {}


def test_categories_that_come_and_go():
    old = {"city": np.array(["a", "b", "c"] * 300)}
    new = {"city": np.array(["a", "b", "d"] * 300, dtype=object)}
    assert "city" in compared(old, new)
    assert compared(old, {"city": old["city"].astype(object)}) == {}


def test_the_index_is_the_one_of_the_textbook():
    old, new = (400, 600), (600, 400)
    wanted = 2 * 0.2 * np.log(0.6 / 0.4)
    assert drift.psi(old, new) == pytest.approx(wanted, rel=0.01)
    assert drift.psi(old, old) == 0.0
    assert np.isfinite(drift.psi((0, 10), (10, 0)))


def test_a_profile_survives_json():
    for feature in drift.profile(table(1)):
        assert drift.Feature.from_dict(feature.to_dict()) == feature
        assert sum(feature.counts) == 2_000


def test_columns_have_names_and_pictures_are_summed_up():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(30, 2))
    assert list(drift.columns_of([rows], ["age", "income"])) == ["age", "income"]
    assert list(drift.columns_of([rows, rows])) == ["x0[0]", "x0[1]", "x1[0]", "x1[1]"]
    pictures = drift.columns_of([rng.normal(size=(30, 8, 8, 3))])
    assert list(pictures) == ["x: mean of a row", "x: deviation of a row"]
    assert all(column.shape == (30,) for column in pictures.values())


def test_scores_fall_beyond_noise_or_not_at_all():
    def found(now: float, error: float = 0.01) -> drift.Drift:
        return drift.found((), (), {}, {}, recorded=Standing(0.9, 0.01), now=Standing(now, error))

    assert found(0.8).score_drifted
    assert "0.9000 -> 0.8000" in str(found(0.8))
    assert not found(0.88).score_drifted
    assert not found(0.8, error=0.05).score_drifted
    assert not found(0.99).found
    assert str(found(0.99)) == "none"


def test_all_of_it_together():
    old, targets = table(1), {"target": np.array(["no", "yes"] * 1_000)}
    new = {**table(2, age=10.0), "new": np.zeros(2_000)}
    shares = {"target": np.array(["no"] * 1_800 + ["yes"] * 200)}
    told = drift.found(drift.profile(old), drift.profile(targets), new, shares, recorded=None, now=Standing(0.9, 0.01))
    assert told.found
    assert told.compared == 4
    assert list(told.features) == ["age"]
    assert told.targets_drifted
    assert told.missing == ("new",)
    assert "age" in str(told)
    assert told.to_dict()["found"] is True
