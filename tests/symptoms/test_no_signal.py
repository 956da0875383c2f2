from __future__ import annotations

import pytest

from autofix.symptoms.no_signal import judge
from tests.symptoms.conftest import data, evidence


@pytest.mark.parametrize("signal", [None, 0.6, 0.95])
def test_a_signal_or_none_measured_is_fine(signal) -> None:
    assert judge(evidence(facts=data(signal=signal))) == ()


@pytest.mark.parametrize("signal", [0.45, 0.5, 0.535])
def test_a_signal_within_noise_only_points_to_it(signal) -> None:
    (found,) = judge(evidence(facts=data(signal=signal)))
    assert found.severity == 0.3
    assert "points to" in found.evidence


def test_a_metric_without_a_best_value_changes_nothing() -> None:
    assert judge(evidence(perfect=float("inf"))) == ()


@pytest.mark.parametrize(("signal", "many"), [(0.505, 1), (0.515, 0)])
def test_a_share_of_the_way_counts_where_there_is_no_noise(signal, many) -> None:
    assert len(judge(evidence(facts=data(signal=signal, noise=0.0)))) == many


@pytest.mark.parametrize(("score", "severity"), [(None, 0.3), (0.5, 0.6), (0.53, 0.6), (0.6, 0.3)])
def test_a_run_at_chance_agrees(score, severity) -> None:
    (found,) = judge(evidence(facts=data(signal=0.5), score=score))
    assert found.severity == severity
    assert ("this run scores" in found.evidence) is (severity == 0.6)
