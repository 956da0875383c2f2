"""What the numbers mean: when a search may stop, and when a run need not be made to its end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from autofix import judge
from autofix.outcome import Outcome, Status
from autofix.scoring import Score
from autofix.symptom import Diagnosis, Symptom
from tests.doubles import outcome, session


def finding(severity: float, symptom: Symptom = Symptom.DEAD_UNITS) -> Diagnosis:
    return Diagnosis(symptom, severity, 1.0, "evidence")


# ------------------------------------------------------------------------------------------------- settles


def settled(value: float, *findings: Diagnosis, target: float | None = None, **known: Any) -> bool:
    return judge.settles(session(**known), outcome(value), findings, target)


def test_candidate_that_does_what_simple_models_do_settles_it():
    assert settled(0.901, signal=0.9)
    assert not settled(0.85, signal=0.9)


def test_by_as_much_as_scores_vary_it_may_fall_short():
    assert settled(0.881, signal=0.9, noise=0.02)
    assert not settled(0.881, signal=0.9, noise=0.01)


def test_mean_over_several_divisions_varies_less():
    assert settled(0.881, signal=0.9, noise=0.02, splits=1)
    assert not settled(0.881, signal=0.9, noise=0.02, splits=4)


def test_candidate_whose_own_run_calls_for_a_remedy_does_not_settle():
    assert not settled(0.92, finding(judge.SUSPECT), signal=0.9)
    assert settled(0.92, finding(judge.SUSPECT - 0.01), signal=0.9)


def test_excellent_candidate_settles_whatever_its_run_looks_like():
    """Half-way between the simple models and a perfect score; further search would fit the validation rows."""
    assert settled(0.951, finding(1.0), signal=0.9)
    assert not settled(0.949, finding(1.0), signal=0.9)
    assert settled(0.981, finding(1.0), signal=1.0)


def test_target_of_the_user_alone_counts():
    assert settled(0.81, finding(1.0), target=0.8, signal=0.9)
    assert not settled(0.99, target=0.995, signal=0.9)


def test_where_simple_models_find_nothing_their_score_is_no_measure():
    assert not settled(0.32, signal=0.31, chance=0.3, noise=0.05)
    assert settled(0.981, signal=0.31, chance=0.3, noise=0.05)


@pytest.mark.parametrize("known", [{"metric": "f1_macro"}, {"signal": None}], ids=["own metric", "no yardstick"])
def test_without_a_yardstick_only_the_excellent_settles(known):
    assert not settled(0.92, **known)
    assert settled(0.981, **known)


def test_score_without_an_upper_bound_never_settles():
    assert not settled(1e9, metric="mine", perfect=float("inf"))


# ------------------------------------------------------------------------------------------------- is_stuck


def stuck(found: Outcome, *findings: Diagnosis, **known: Any) -> bool:
    return judge.is_stuck(session(**known), found, findings)


@pytest.mark.parametrize("status", [Status.FAILED, Status.DIVERGED])
def test_run_that_broke_is_stuck(status):
    assert stuck(outcome(0.9, status=status))


def test_run_without_a_score_is_stuck():
    assert stuck(outcome(None))


def test_run_that_guesses_with_a_fault_that_stalls_it_is_stuck():
    assert stuck(outcome(0.3), finding(judge.STALLED))
    assert not stuck(outcome(0.3), finding(judge.STALLED - 0.01))
    assert not stuck(outcome(0.3))


def test_run_that_beats_guessing_is_not():
    assert not stuck(outcome(0.36), finding(1.0), chance=0.3, noise=0.02)
    assert stuck(outcome(0.34), finding(1.0), chance=0.3, noise=0.02)


@pytest.mark.parametrize("symptom", sorted(judge.FOR_WANT_OF_TIME, key=str))
def test_run_that_only_wants_time_is_not(symptom):
    """A third of a run says nothing of what the rest would bring."""
    assert not stuck(outcome(0.3), finding(1.0, symptom))
    assert stuck(outcome(0.3), finding(1.0, symptom), finding(0.8))


# ------------------------------------------------------------------------------------------------- is_healthy


def healthy(value: float, *findings: Diagnosis, **known: Any) -> bool:
    return judge.is_healthy(session(**known), outcome(value), findings)


def test_run_near_what_simple_models_do_is_healthy():
    assert healthy(0.85, signal=0.9, chance=0.3, noise=0.0)
    assert not healthy(0.83, signal=0.9, chance=0.3, noise=0.0)


def test_within_the_error_of_a_score_the_findings_tell():
    assert healthy(0.83, signal=0.9, chance=0.3, noise=0.02)
    assert healthy(0.83, finding(judge.SUSPECT - 0.01), signal=0.9, chance=0.3, noise=0.02)
    assert not healthy(0.83, finding(judge.SUSPECT), signal=0.9, chance=0.3, noise=0.02)
    assert not healthy(0.81, signal=0.9, chance=0.3, noise=0.02)


def test_rows_held_out_have_a_say_where_the_error_is_large():
    """16 rows of a regression: one part says 0.45 by luck, the other 0.19."""
    known = session(signal=0.53, chance=0.0, noise=0.3)
    lucky = replace(outcome(0.45), holdout=Score(0.19, 0.0, (0.19,)))
    assert judge.is_healthy(known, replace(lucky, holdout=None), ())
    assert not judge.is_healthy(known, lucky, ())
    assert not healthy(0.3, signal=0.53, chance=0.0, noise=0.3)


def test_run_on_data_without_a_signal_is_not():
    assert not healthy(0.31, signal=0.31, chance=0.3, noise=0.02)
