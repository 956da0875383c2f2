"""Runs made so many at a time, and no more of them than somebody asks for."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

import pytest

from autofix.outcome import Outcome
from autofix.training import in_turn
from tests.doubles import FakeTrainer, outcome


class Counts(FakeTrainer):
    """Remembers how many runs were asked for together."""

    def together(self, calls: Any) -> list[Outcome]:
        self.asked.append(len(calls))
        return [call() for call in calls]


@pytest.mark.parametrize(("slots", "groups"), [(1, []), (2, [2, 2]), (3, [3, 2]), (9, [5])])
def test_runs_come_in_the_order_of_their_calls(slots, groups):
    trainer = Counts(lambda numbers: 0.0)
    calls = [partial(outcome, value) for value in (0.1, 0.2, 0.3, 0.4, 0.5)]
    found = [item.score.value for item in in_turn(trainer, calls, slots)]
    assert found == [0.1, 0.2, 0.3, 0.4, 0.5]
    assert trainer.asked == groups


def test_no_run_is_made_that_nobody_asks_for():
    made: list[float] = []

    def run(value: float) -> Outcome:
        made.append(value)
        return outcome(value)

    calls = (partial(run, value) for value in (0.1, 0.2, 0.3, 0.4))
    trainer = Counts(lambda numbers: 0.0)
    assert len(list(itertools.islice(in_turn(trainer, calls, 2), 1))) == 1
    assert made == [0.1, 0.2]
    assert next(calls) is not None
