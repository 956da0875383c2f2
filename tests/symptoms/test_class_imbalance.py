from __future__ import annotations

from dataclasses import replace

import pytest

from autofix.facts import Encoding, TaskKind
from autofix.symptoms.class_imbalance import judge
from tests.symptoms.conftest import classes, data, evidence, falling, plain, predictions, quantity, run


@pytest.mark.parametrize(
    "target", [classes(400, 400), classes(600, 200), classes(665, 135), classes(0, 800), quantity()]
)
def test_mild_imbalance_is_fine(target) -> None:
    assert judge(evidence(facts=data(target))) == ()


def test_severity_grows_with_the_ratio_and_never_proves_a_stall() -> None:
    found = [judge(evidence(facts=data(classes(9000, rare))))[0].severity for rare in (1500, 900, 90, 1)]
    assert found == sorted(found)
    assert found[0] < 0.3
    assert found[-1] <= 0.6


@pytest.mark.parametrize("fit", [{"class_weight": {"0": 1.0, "1": 9.0}}, {"oversample": True}])
def test_a_run_that_weighs_its_classes_is_fine(fit) -> None:
    assert judge(evidence(plain(fit=fit), data(classes(720, 80)))) == ()


def test_rare_labels_are_a_note() -> None:
    target = replace(classes(400, 8), kind=TaskKind.MULTILABEL, encoding=Encoding.MULTI_HOT, shape=(2,))
    (found,) = judge(evidence(facts=data(target)))
    assert found.severity <= 0.4
    assert found.numbers["minority"] == 8


def test_severity_grows_by_decades() -> None:
    (found,) = judge(evidence(facts=data(classes(5000, 100))))
    assert 0.35 < found.severity < 0.45


@pytest.mark.parametrize(("recalls", "severity"), [((1.0, 0.0), 0.5), ((0.95, 0.9), 0.35)])
def test_a_run_that_ignored_the_rare_class_makes_it_more_than_a_note(recalls, severity) -> None:
    trace = run(falling(), predictions=(predictions(0.9, recalls),))
    (found,) = judge(evidence(facts=data(classes(760, 32)), trace=trace, score=0.7))
    assert found.severity == pytest.approx(severity, abs=0.01)
