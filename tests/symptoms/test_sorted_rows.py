from __future__ import annotations

import pytest

from autofix.symptoms.sorted_rows import judge
from tests.symptoms.conftest import data, evidence, falling, plain, quantity, run


def seen(*targets, ordered=True, score=None, **fit):
    trace = run(falling()) if score else None
    return judge(evidence(plain(fit=fit), data(*targets, sorted_labels=ordered), trace=trace, score=score))


@pytest.mark.parametrize("fit", [{}, {"shuffle": True}, {"shuffle": False, "batch_size": 800}])
def test_rows_that_are_shuffled_or_all_in_one_batch_are_fine(fit) -> None:
    assert seen(**fit) == ()


def test_rows_in_any_order_need_no_shuffling() -> None:
    assert seen(ordered=False, shuffle=False) == ()


def test_sorted_rows_fed_in_order_are_told() -> None:
    (found,) = seen(shuffle=False)
    assert found.severity == 0.65
    assert "sorted by class" in found.evidence
    (found,) = seen(quantity(), shuffle=False)
    assert "sorted by target" in found.evidence


def test_a_run_that_learned_gets_a_note() -> None:
    (found,) = seen(shuffle=False, score=0.95)
    assert found.severity <= 0.4
