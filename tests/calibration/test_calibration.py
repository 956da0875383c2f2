"""A slice of the calibration end to end, processes included."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.table import console

from .__main__ import judged, make
from .plan import plan
from .store import Store
from .summary import Summary

pytestmark = [pytest.mark.quality, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    """Two healthy runs and three faults of each family that shows at once."""
    store = Store(Path(tmp_path_factory.mktemp("calibration")))
    faults = ("rate_below_resolution", "low_biases", "nan_in_inputs", "no_sigmoid")
    jobs = plan(("tabular_binary", "digits_cnn"), faults, (0,), healthy=2, kinds_each=1)
    make(store, jobs, 1, console())
    return judged(store, jobs, console())


def test_every_run_is_made(summary: Summary) -> None:
    assert len(summary.verdicts) == 6
    assert [item.job.name for item in summary.verdicts if item.error] == []


def test_healthy_runs_are_left_alone(summary: Summary) -> None:
    assert len(summary.healthy) == 2
    assert summary.alarmed == summary.stuck == ()


def test_faults_are_found_and_named(summary: Summary) -> None:
    assert len(summary.counted) == 4
    assert [row.mutation for row in summary.rows if row.missed] == []
    assert summary.named == 1.0
