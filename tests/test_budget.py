"""What a repair may cost."""

from __future__ import annotations

import math
import time

import pytest

from autofix.budget import SHORTEST_SECONDS, Budget, Clock
from autofix.errors import FixYourCall


@pytest.mark.parametrize(
    ("value", "budget"),
    [
        (60, Budget(seconds=60.0)),
        (0.5, Budget(seconds=0.5)),
        ("90s", Budget(seconds=90.0)),
        ("30m", Budget(seconds=1800.0)),
        ("2h", Budget(seconds=7200.0)),
        ("1.5h", Budget(seconds=5400.0)),
        ("10x", Budget(runs=10.0)),
        (" 2.5 x ", Budget(runs=2.5)),
        (Budget(trials=3), Budget(trials=3)),
    ],
)
def test_budget_is_read(value, budget):
    assert Budget.of(value) == budget


@pytest.mark.parametrize("value", ["fast", "60", "10", "x10", "-5s", "1d", "", None, True, [60], {}, "10x5m"])
def test_budget_that_is_none(value):
    with pytest.raises(FixYourCall, match="Received") as caught:
        Budget.of(value)
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize("value", [0, -1, "0s", "0x", math.nan, -math.inf])
def test_budget_of_nothing(value):
    with pytest.raises(FixYourCall, match="above 0"):
        Budget.of(value)


@pytest.mark.parametrize("field", ["seconds", "runs", "trials"])
def test_fields_must_be_above_zero(field):
    with pytest.raises(FixYourCall, match=f"{field}=0"):
        Budget(**{field: 0})


def test_seconds_are_counted_from_the_beginning():
    clock = Clock(Budget(seconds=100), began=time.monotonic() - 30)
    assert clock.spent == pytest.approx(30, abs=1)
    assert clock.left == pytest.approx(70, abs=1)
    assert clock.share(0.5) == pytest.approx(time.monotonic() + 35, abs=1)


def test_time_that_is_over_is_never_negative():
    clock = Clock(Budget(seconds=10), began=time.monotonic() - 30)
    assert clock.left == 0.0
    assert clock.share(0.5) <= time.monotonic()


def test_multiples_of_a_run_are_known_once_it_is():
    clock = Clock(Budget(runs=10))
    assert clock.left == math.inf
    clock.one_run_takes(7.0)
    assert clock.deadline == pytest.approx(clock.began + 70)


def test_multiples_of_a_very_short_run_leave_time_to_compile():
    clock = Clock(Budget(runs=10))
    clock.one_run_takes(0.01)
    assert clock.deadline == pytest.approx(clock.began + SHORTEST_SECONDS)


@pytest.mark.parametrize(("run", "seconds"), [(100.0, 60.0), (2.0, 20.0)])
def test_whatever_is_reached_first_ends_it(run, seconds):
    clock = Clock(Budget(seconds=60, runs=10))
    clock.one_run_takes(run)
    assert clock.deadline == pytest.approx(clock.began + seconds)


def test_a_run_may_be_timed_again():
    """A run that crashed says nothing of how long one takes; the first that trains does."""
    clock = Clock(Budget(runs=10))
    clock.one_run_takes(0.1)
    clock.one_run_takes(5.0)
    assert clock.deadline == pytest.approx(clock.began + 50)


def test_length_of_a_run_does_not_touch_a_budget_in_seconds_or_trials():
    for budget, left in ((Budget(seconds=60), 60), (Budget(trials=2), math.inf)):
        clock = Clock(budget)
        clock.one_run_takes(1e6)
        assert clock.left == pytest.approx(left, abs=1)


def test_clock_that_stands_is_moved_on_and_runs_from_there():
    clock = Clock(Budget(seconds=100), began=time.monotonic() - 50)
    clock.stand(3.0)
    assert (clock.stands, clock.spent, clock.left) == (True, pytest.approx(3.0), pytest.approx(97.0))
    clock.stand(7.0)
    clock.stand(5.0)
    assert clock.spent == pytest.approx(7.0)
    clock.go_on(4.0)
    assert not clock.stands
    assert clock.spent == pytest.approx(7.0, abs=1.0)
    clock.go_on(60.0)
    assert clock.spent == pytest.approx(60.0, abs=1.0)
    assert clock.real(clock.deadline) == pytest.approx(time.monotonic() + 40.0, abs=1.0)


def test_clock_that_was_never_stopped_is_the_machines():
    clock = Clock(Budget(seconds=100))
    assert clock.now() == pytest.approx(time.monotonic(), abs=1.0)
    assert clock.real(clock.deadline) == clock.deadline
