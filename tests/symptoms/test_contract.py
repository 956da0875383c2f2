from __future__ import annotations

from dataclasses import replace

from autofix.facts import Encoding
from autofix.symptom import Symptom
from autofix.symptoms.contract import judge
from tests.symptoms.conftest import classes, data, dense, evidence, stack


def test_softmax_on_one_unit_is_fatal() -> None:
    recipe = stack((8,), dense("output", 1, "softmax"), compiled={"loss": "binary_crossentropy"})
    (found,) = [item for item in judge(evidence(recipe)) if item.symptom is Symptom.HEAD_MISMATCH]
    assert found.severity == 1.0
    assert found.numbers["fatal"] is True


def test_a_fitting_triple_is_fine() -> None:
    assert judge(evidence(stack((8,), dense("output", 3, "softmax")), data(classes(300, 300, 200)))) == ()


def test_a_lesser_violation_is_half_as_bad() -> None:
    recipe = stack((8,), dense("output", 3, "softmax"), compiled={"loss": "mean_squared_error"})
    one_hot = data(replace(classes(300, 300, 200, encoding=Encoding.ONE_HOT), shape=(3,)))
    (found,) = judge(evidence(recipe, one_hot))
    assert found.symptom is Symptom.LOSS_MISMATCH
    assert found.severity == 0.5
    assert found.numbers["fatal"] is False
