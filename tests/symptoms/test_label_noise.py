from __future__ import annotations

import pytest

from autofix.symptoms.label_noise import judge
from tests.symptoms.conftest import classes, data, evidence, falling, quantity, run


def seen(disputed=(), score=None, trace=None, targets=(), **more):
    return judge(evidence(facts=data(*targets, disputed=disputed, **more), trace=trace, score=score))


@pytest.mark.parametrize(
    ("signal", "disputed"),
    [
        (0.95, (0.0, 0.01)),  # an easy task
        (0.70, (0.13, 0.26)),  # classes that overlap
        (0.62, (0.27, 0.34)),  # a model too weak for the task, and right labels
        (0.59, (0.39, 0.38)),  # a model that is hardly better than guessing
        (0.90, (0.06, 0.05)),  # a few slips
        (0.75, ()),  # nothing measured
    ],
)
def test_right_labels_are_left_alone_however_hard_the_task(signal, disputed) -> None:
    assert seen(disputed, signal=signal) == ()


@pytest.mark.parametrize(("signal", "disputed"), [(0.85, (0.15, 0.15)), (0.7, (0.3, 0.29)), (0.66, (0.33, 0.33))])
def test_errors_spread_evenly_are_wrong_labels(signal, disputed) -> None:
    (found,) = seen(disputed, signal=signal)
    assert 0.2 < found.severity <= 0.4
    assert found.numbers["disputed"] == disputed[0]


def test_without_signal_nothing_contradicts_a_label() -> None:
    assert seen((0.5, 0.5), signal=0.51) == ()
    assert seen(signal=0.51, conflicts=0.4) == ()


def test_few_rows_prove_nothing() -> None:
    assert seen((0.12, 0.12), signal=0.88, rows=(80, 20, 20)) == ()
    assert seen((0.12, 0.12), signal=0.88) != ()


def test_a_network_that_knows_better_than_the_yardstick_silences_it() -> None:
    assert seen((0.3, 0.3), signal=0.7, score=0.95, trace=run(falling())) == ()
    assert seen((0.3, 0.3), signal=0.7, score=0.7, trace=run(falling())) != ()


def test_labels_learned_by_heart_are_told() -> None:
    (found,) = seen((0.3, 0.3), signal=0.7, score=0.6, trace=run(falling(), train_score=0.99))
    assert "by heart" in found.evidence


@pytest.mark.parametrize(("conflicts", "many"), [(0.01, 0), (0.06, 1)])
def test_copies_of_a_row_with_other_labels_count(conflicts, many) -> None:
    assert len(seen(conflicts=conflicts)) == many


@pytest.mark.parametrize(("conflicts", "many"), [(0.1, 0), (0.3, 1)])
def test_quantities_are_measured_with_errors_anyway(conflicts, many) -> None:
    assert len(seen(targets=[quantity()], conflicts=conflicts)) == many


def test_many_classes_need_no_more() -> None:
    (found,) = seen((0.3, 0.27), targets=[classes(*(80,) * 10)], signal=0.65)
    assert found.severity <= 0.4
