from __future__ import annotations

from autofix.symptom import Symptom
from autofix.symptoms.contract import judge
from tests.symptoms.conftest import classes, data, dense, evidence, stack


def test_a_violation_that_still_trains_is_not_fatal() -> None:
    recipe = stack((8,), dense("output", 3, "softmax"), compiled={"loss": "mean_squared_error"})
    found = judge(evidence(recipe, data(classes(300, 300, 200))))
    assert found
    assert {item.severity for item in found} <= {0.5, 1.0}
    assert all(item.certainty == 1.0 for item in found)


def test_softmax_on_one_unit_is_fatal() -> None:
    recipe = stack((8,), dense("output", 1, "softmax"), compiled={"loss": "binary_crossentropy"})
    (found,) = [item for item in judge(evidence(recipe)) if item.symptom is Symptom.HEAD_MISMATCH]
    assert found.severity == 1.0
    assert found.numbers["fatal"] is True


def test_a_fitting_triple_is_fine() -> None:
    assert judge(evidence(stack((8,), dense("output", 3, "softmax")), data(classes(300, 300, 200)))) == ()
