from __future__ import annotations

import pytest

from autofix.symptoms.imbalance_ignored import judge
from tests.symptoms.conftest import classes, data, evidence, falling, predictions, quantity, run


def seen(recalls, *counts, rows=(800, 200, 200)):
    trace = run(falling(), predictions=(predictions(0.9, recalls),))
    return judge(evidence(facts=data(classes(*counts), rows=rows), trace=trace, score=0.7))


@pytest.mark.parametrize(
    ("recalls", "severity"),
    [((1.0, 0.0), 0.75), ((0.99, 0.1), 0.75), ((0.97, 0.3), 0.55)],
    ids=["never", "hardly", "seldom"],
)
def test_a_missed_rare_class_is_found(recalls, severity) -> None:
    (found,) = seen(recalls, 720, 80)
    assert found.severity == severity
    assert "Class 1" in found.evidence


@pytest.mark.parametrize(
    ("recalls", "counts", "rows"),
    [
        ((0.97, 0.8), (720, 80), (800, 200, 200)),
        ((0.97, 0.45), (720, 80), (800, 200, 200)),
        ((0.97, 0.2), (420, 380), (800, 200, 200)),
        ((0.6, 0.1), (720, 80), (800, 200, 200)),
        ((1.0, 0.0), (790, 10), (800, 100, 100)),
        ((), (720, 80), (800, 200, 200)),
        ((1.0, 0.0), (800, 0), (800, 200, 200)),
    ],
    ids=["learned", "within noise", "balanced", "majority in trouble", "too few rows", "not measured", "absent"],
)
def test_other_runs_are_fine(recalls, counts, rows) -> None:
    assert seen(recalls, *counts, rows=rows) == ()


def test_the_worst_of_many_classes_is_told() -> None:
    (found,) = seen((0.95, 0.2, 0.0, 0.9), 500, 100, 100, 100)
    assert "Class 2" in found.evidence


def test_quantities_have_no_classes() -> None:
    trace = run(falling(), predictions=(predictions(0.0),))
    assert judge(evidence(facts=data(quantity()), trace=trace, score=0.5)) == ()


@pytest.mark.parametrize(("rows", "many"), [(30, 1), (20, 0)])
def test_a_recall_of_two_rows_means_nothing(rows, many) -> None:
    assert len(seen((1.0, 0.0), 720, 80, rows=(800, rows, 200))) == many
