"""The arithmetic of the quality suite, without training anything."""

from pathlib import Path

import numpy as np
import pytest

from .cases import FOLDERS, discover
from .runner import Cache, budget_seconds
from .scoring import floor, score
from .summary import Row, Summary

TRUTH = np.array([0, 0, 1, 1])


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        ([0.1, 0.2, 0.8, 0.9], 1.0),
        ([-3.0, -0.1, 0.2, 4.0], 1.0),
        ([1.0, 1.0, 1.0, 1.0], 0.5),
        ([0.9, 0.8, 0.1, 0.2], 0.5),
        ([np.nan, 0.2, 0.8, 0.9], 0.5),
    ],
)
def test_binary_outputs_of_one_unit(outputs: list[float], expected: float) -> None:
    assert score("binary", TRUTH, np.array(outputs)[:, None]) == expected


def test_two_columns_are_decoded_by_their_largest() -> None:
    assert score("binary", TRUTH, [[2, 1], [3, 0], [0, 1], [1, 5]]) == 1.0


def test_changed_labels_are_mapped_back() -> None:
    truth = np.array([1, 2, 3, 3])
    outputs = np.eye(3)[[0, 1, 2, 2]]
    assert score("multiclass", truth, outputs) == pytest.approx(1 / 3)
    assert score("multiclass", truth, outputs, classes=(1, 2, 3)) == 1.0
    assert score("multiclass", np.array(["a", "b"]), [[1, 0], [0, 1]], classes=("a", "b")) == 1.0


def test_one_unit_for_many_classes_is_rounded_and_clipped() -> None:
    assert score("multiclass", np.array([0, 1, 2, 3]), [[-7.0], [1.2], [1.8], [99.0]]) == 1.0


def test_one_hot_labels() -> None:
    assert score("multiclass", np.eye(3), np.eye(3)) == 1.0


def test_regression_is_r2_with_a_floor() -> None:
    y = np.array([1.0, 2.0, 3.0])
    assert score("regression", y, y[:, None]) == 1.0
    assert score("regression", y, np.full((3, 1), 2.0)) == 0.0
    assert score("regression", y, np.full((3, 1), 1e9)) == floor("regression", y) == -1.0
    assert score("regression", y, np.full((3, 1), np.inf)) == -1.0
    assert score("regression", y, np.ones((3, 2))) == -1.0


def test_relative_budgets_have_a_least() -> None:
    assert budget_seconds("10x", 3.0, crashed=False) == 30.0
    assert budget_seconds("10x", 0.1, crashed=False) == 10.0
    assert budget_seconds("10x", 30.0, crashed=True) == 10.0
    assert budget_seconds("45", 30.0, crashed=False) == 45.0


def broken(seed: int, repaired: float | None, error: str | None = None) -> Row:
    return Row(
        "broken",
        "a",
        seed,
        faulty=0.5,
        reference=0.9,
        repaired=repaired,
        status="repaired",
        changes=("x",),
        error=error,
    )


def test_summary_needs_most_rows_near_the_reference() -> None:
    good = [broken(seed, 0.9 + 0.001 * seed) for seed in range(10)]
    assert Summary.of(good).passed
    assert Summary.of(good).median_rate == pytest.approx(1.01, abs=0.005)
    assert Summary.of([*good[:8], broken(8, 0.5), broken(9, 0.5)]).share == pytest.approx(0.8)
    assert not Summary.of([*good[:8], broken(8, 0.5), broken(9, 0.5)]).passed
    assert not Summary.of([*good[:9], broken(9, None, error="died")]).passed


def test_no_rows_prove_nothing() -> None:
    assert not Summary.of([]).passed


def test_summary_refuses_touched_healthy_and_claimed_hopeless_rows() -> None:
    healthy = Row("healthy", "h", 0, faulty=0.9, repaired=0.95, status="repaired", changes=("compile.loss",))
    hopeless = Row("hopeless", "n", 0, faulty=0.5, repaired=0.6, status="improved", changes=("compile.loss",))
    assert not Summary.of([healthy]).passed
    assert not Summary.of([hopeless]).passed
    assert Summary.of([Row("healthy", "h", 0, faulty=0.9, repaired=0.9, status="healthy")]).passed


def test_a_reference_no_better_than_the_fault_has_no_rate() -> None:
    row = Row("broken", "a", 0, faulty=0.9, reference=0.9, repaired=1.0, status="repaired")
    assert row.rate is None
    assert not Summary.of([row]).passed


def test_every_case_keeps_the_contract() -> None:
    for kind in FOLDERS:
        for case in discover([kind]):
            text = case.path.read_text()
            needed = ["TASK", "FIT", "def data(", "def model(", "def main("]
            needed += ["REFERENCE_FIT", "def reference("] if kind == "broken" else []
            assert [part for part in needed if part not in text] == [], case.name


def test_the_cache_forgets_an_edited_script(tmp_path: Path) -> None:
    folder = tmp_path / "examples" / "gallery"
    folder.mkdir(parents=True)
    (folder / "a.py").write_text("TASK = 1")
    (case,) = discover(["broken"], root=tmp_path)
    cache = Cache(tmp_path / "cache.json")
    cache.put(case, 0, {"faulty_score": 0.5})
    assert Cache.open(tmp_path / "cache.json").get(case, 0) == {"faulty_score": 0.5}
    case.path.write_text("TASK = 2")
    assert cache.get(case, 0) is None


def test_unknown_kinds_are_refused() -> None:
    with pytest.raises(ValueError, match="must be among"):
        discover(["brokn"])


def test_two_runs_of_the_suite_share_a_cache(tmp_path: Path) -> None:
    first, second = discover(["hopeless"])[:2]
    ours, theirs = Cache.open(tmp_path / "cache.json"), Cache.open(tmp_path / "cache.json")
    ours.put(first, 0, {"faulty_score": 0.1})
    theirs.put(second, 0, {"faulty_score": 0.2})
    both = Cache.open(tmp_path / "cache.json")
    assert both.get(first, 0) == {"faulty_score": 0.1}
    assert both.get(second, 0) == {"faulty_score": 0.2}
