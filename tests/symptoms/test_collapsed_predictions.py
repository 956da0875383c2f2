from __future__ import annotations

from dataclasses import replace

import pytest

from autofix.facts import Encoding, TaskKind
from autofix.symptoms.collapsed_predictions import judge
from tests.symptoms.conftest import classes, data, evidence, flat, predictions, quantity, run


def seen(*items, facts=None, score=0.5):
    return judge(evidence(facts=facts, trace=run(flat(), predictions=items), score=score))


@pytest.mark.parametrize("constant", [0.3, 0.6, 0.95])
def test_varied_predictions_are_fine(constant) -> None:
    assert seen(predictions(constant)) == ()


def test_one_class_for_all_is_a_stall() -> None:
    (found,) = seen(predictions(0.99))
    assert found.severity >= 0.7
    assert "50%" in found.evidence


def test_outputs_that_do_not_vary_are_one_too() -> None:
    assert seen(predictions(0.6, spread=0.0)) != ()


def test_a_flat_regression_is_found() -> None:
    facts = data(quantity())
    assert seen(predictions(1.0, spread=0.002), facts=facts, score=0.0) != ()
    assert seen(predictions(0.0, spread=0.5), facts=facts, score=0.0) == ()
    assert seen(predictions(1.0, spread=0.0), facts=data(quantity(5.0, 0.0)), score=0.0) == ()


def test_the_majority_of_an_imbalanced_target_is_another_symptom() -> None:
    assert seen(predictions(1.0), facts=data(classes(720, 80))) == ()


def test_labels_that_are_all_rare_may_all_be_absent() -> None:
    kind = {"kind": TaskKind.MULTILABEL, "encoding": Encoding.MULTI_HOT, "shape": (2,)}
    rare, common = replace(classes(30, 20), **kind), replace(classes(30, 400), **kind)
    assert seen(predictions(1.0), facts=data(rare)) == ()
    assert seen(predictions(1.0), facts=data(common)) != ()


def test_each_output_is_judged() -> None:
    facts = data(classes(400, 400, name="a"), classes(400, 400, name="b"))
    (found,) = seen(predictions(0.5), predictions(1.0), facts=facts)
    assert found.numbers["output"] == "b"


def test_nan_is_another_symptom() -> None:
    assert seen(predictions(1.0, finite=False)) == ()


@pytest.mark.parametrize(("recalls", "many"), [((0.0, 1.0), 1), ((1.0, 0.0), 0)])
def test_a_rare_class_for_all_is_no_matter_of_imbalance(recalls, many) -> None:
    assert len(seen(predictions(1.0, recalls), facts=data(classes(720, 80)))) == many
