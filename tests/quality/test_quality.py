"""Three representative cases end to end, through the functions of the quality suite."""

from pathlib import Path

import pytest

from .cases import discover
from .runner import Cache, run_all
from .summary import LEAST_RATE, Row, Summary

# The rows are measured once, in the set-up of the first test, and each pays for importing TensorFlow in new processes.
pytestmark = [pytest.mark.quality, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Row]:
    """One broken, one healthy and one hopeless run, each repaired once."""
    cases = discover(patterns=["softmax_one_unit", "tabular_mlp", "random_multiclass_labels"])
    cache = Cache(Path(tmp_path_factory.mktemp("quality")) / "cache.json")
    return {row.kind: row for row in run_all(cases, [0], "10x", cache)}


@pytest.mark.parametrize("kind", ["broken", "healthy", "hopeless"])
def test_the_row_is_measured(rows: dict[str, Row], kind: str) -> None:
    assert rows[kind].error is None, rows[kind].log
    assert rows[kind].repair_seconds is not None


def test_a_broken_run_is_repaired(rows: dict[str, Row]) -> None:
    assert rows["broken"].claimed
    assert rows["broken"].rate is not None
    assert rows["broken"].rate >= LEAST_RATE


def test_a_healthy_run_is_left_alone(rows: dict[str, Row]) -> None:
    assert not rows["healthy"].changed


def test_a_hopeless_run_is_not_claimed(rows: dict[str, Row]) -> None:
    assert not rows["hopeless"].claimed


def test_the_summary_agrees(rows: dict[str, Row]) -> None:
    assert Summary.of(tuple(rows.values())).errors == ()
