from __future__ import annotations

from autofix.symptoms.missing_values import judge
from tests.symptoms.conftest import column, data, evidence, quantity


def test_each_input_is_named() -> None:
    inputs = [column(name="a", missing=0.02, missing_features=3), column(name="b"), column(name="c", missing=1.0)]
    found = judge(evidence(facts=data(inputs=inputs)))
    assert [item.numbers["input"] for item in found] == ["a", "c"]
    assert "2.00%" in found[0].evidence


def test_targets_count_too() -> None:
    (found,) = judge(evidence(facts=data(quantity(missing=0.1))))
    assert "Target 'y'" in found.evidence
