from __future__ import annotations

import pytest

from autofix.symptoms.converged import judge
from tests.symptoms.conftest import data, evidence, falling, flat, run

REST = falling(400, speed=40)


def seen(loss=REST, score=0.95, facts=None, **more):
    return judge(evidence(facts=facts, trace=run(loss, **more), score=score))


def test_a_loss_at_rest_under_a_good_score_has_arrived() -> None:
    (found,) = seen()
    assert found.severity <= 0.2
    assert found.numbers["end"] < found.numbers["start"]


@pytest.mark.parametrize("score", [0.5, 0.7, None])
def test_a_score_that_is_short_has_not(score) -> None:
    assert seen(score=score) == ()


@pytest.mark.parametrize("loss", [flat(400), falling(400, speed=2.0)], ids=["never fell", "still falls"])
def test_a_loss_that_moves_has_not(loss) -> None:
    assert seen(loss) == ()


def test_nobody_knows_without_a_reference() -> None:
    assert seen(facts=data(signal=None)) == ()
