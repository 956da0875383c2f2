from __future__ import annotations

import pytest

from autofix.facts import Giveaway
from autofix.symptoms.leakage import judge
from tests.symptoms.conftest import column, data, evidence


@pytest.mark.parametrize("more", [{}, {"repeats": 0.04}, {"duplicates": 0.5}])
def test_usual_data_gives_nothing_away(more) -> None:
    assert judge(evidence(facts=data(**more))) == ()


def test_a_column_that_tells_all_is_named() -> None:
    (found,) = judge(evidence(facts=data(giveaway=Giveaway("table", 3, 0.99, 0.6))))
    assert found.severity <= 0.4
    assert "Column 3" in found.evidence
    assert "'table'" in found.evidence


def test_validation_rows_that_were_trained_on_are_told() -> None:
    (found,) = judge(evidence(facts=data(repeats=0.3)))
    assert found.severity <= 0.4
    assert "30%" in found.evidence


@pytest.mark.parametrize("more", [{"integral": True}, {"distinct": 4}])
def test_rows_of_flags_repeat_by_themselves(more) -> None:
    assert judge(evidence(facts=data(inputs=[column(**more)], repeats=0.9))) == ()
