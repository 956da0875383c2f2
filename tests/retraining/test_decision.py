"""Who becomes the champion, for every way in which a training may end."""

from __future__ import annotations

import math

import pytest

from autofix.exits import Exit
from autofix.retraining.contest import Contest, Standing
from autofix.retraining.decision import Rule, Status, Trained, decide

GOOD, BETTER, GUESSING = Standing(0.80, 0.02), Standing(0.90, 0.02), Standing(0.53, 0.02)
NAN = Standing(0.9, 0.01, finite=False)  # for some rows
FLAT = Standing(0.9, 0.0, constant=True)  # under a metric that likes it


def contest(gain: float, p_value: float) -> Contest:
    return Contest(gain, gain - 0.03, gain + 0.03, p_value, 400)


def trained(verdict: str, new: Standing | None, old: Standing | None, test: Contest | None) -> Trained:
    return Trained(verdict, "The sentence of the verdict.", new, old, test, chance=0.5)


CLEAR, EQUAL, LUCKY, WORSE = contest(0.1, 0.001), contest(0.0, 0.5), contest(0.01, 0.2), contest(-0.1, 1.0)
ROWS = [
    # verdict, challenger, champion, test -> status, exit
    ("healthy", BETTER, None, None, Status.PROMOTED, Exit.DONE),
    ("repaired", BETTER, None, None, Status.PROMOTED, Exit.DONE),
    ("improved", BETTER, None, None, Status.NO_REPAIR, Exit.NO_REPAIR),
    ("healthy", GUESSING, None, None, Status.NO_REPAIR, Exit.NO_REPAIR),
    ("repaired", GUESSING, None, None, Status.NO_REPAIR, Exit.NO_REPAIR),
    ("healthy", NAN, None, None, Status.NO_REPAIR, Exit.NO_REPAIR),
    ("healthy", FLAT, None, None, Status.NO_REPAIR, Exit.NO_REPAIR),
    ("unrepaired", None, None, None, Status.NO_REPAIR, Exit.NO_REPAIR),
    ("out_of_budget", None, None, None, Status.NO_REPAIR, Exit.NO_REPAIR),
    ("unusable", None, None, None, Status.UNUSABLE, Exit.UNUSABLE),
    ("healthy", None, None, None, Status.NO_REPAIR, Exit.NO_REPAIR),  # looked healthy, diverged when trained in full
    ("healthy", BETTER, GOOD, CLEAR, Status.PROMOTED, Exit.DONE),
    ("repaired", BETTER, GOOD, CLEAR, Status.PROMOTED, Exit.DONE),
    ("improved", BETTER, GOOD, CLEAR, Status.PROMOTED, Exit.DONE),
    ("healthy", GOOD, GOOD, EQUAL, Status.KEPT, Exit.DONE),
    ("repaired", GOOD, GOOD, EQUAL, Status.KEPT, Exit.DONE),
    ("improved", GOOD, GOOD, EQUAL, Status.NO_REPAIR, Exit.NO_REPAIR),
    ("healthy", GOOD, GOOD, LUCKY, Status.KEPT, Exit.DONE),
    ("healthy", GOOD, BETTER, WORSE, Status.KEPT, Exit.DONE),
    ("improved", GOOD, BETTER, WORSE, Status.NO_REPAIR, Exit.NO_REPAIR),
    ("healthy", NAN, GOOD, CLEAR, Status.NO_REPAIR, Exit.NO_REPAIR),
    ("healthy", FLAT, GOOD, CLEAR, Status.NO_REPAIR, Exit.NO_REPAIR),
    ("healthy", GUESSING, Standing(0.4, 0.02), CLEAR, Status.NO_REPAIR, Exit.NO_REPAIR),
    ("unrepaired", None, GOOD, None, Status.NO_REPAIR, Exit.NO_REPAIR),
    ("out_of_budget", None, GOOD, None, Status.NO_REPAIR, Exit.NO_REPAIR),
    ("unusable", None, GOOD, None, Status.UNUSABLE, Exit.UNUSABLE),
    ("healthy", BETTER, NAN, CLEAR, Status.PROMOTED, Exit.DONE),  # a champion that went to NaN on these rows
]


@pytest.mark.parametrize(("verdict", "new", "old", "test", "status", "code"), ROWS)
def test_every_end_has_its_decision(verdict, new, old, test, status, code):
    decision = decide(trained(verdict, new, old, test), Rule())
    assert (decision.status, decision.exit) == (status, code)
    assert decision.promotes is (status is Status.PROMOTED)
    assert decision.reason


def test_the_rule_of_the_pipeline_holds():
    found = trained("healthy", BETTER, GOOD, contest(0.01, 0.03))
    assert decide(found, Rule()).status is Status.PROMOTED
    strict = decide(found, Rule(alpha=0.01))
    assert strict.status is Status.KEPT
    assert "p-value above 0.01" in strict.reason
    far = decide(found, Rule(gain=0.02))
    assert far.status is Status.KEPT
    assert "gain below 0.02" in far.reason


def test_numbers_that_are_none_promote_nobody():
    nothing = Contest(math.nan, math.nan, math.nan, math.nan, 400)
    assert decide(trained("healthy", BETTER, GOOD, nothing), Rule()).status is Status.KEPT
    assert decide(trained("healthy", Standing(math.nan, 0.1), None, None), Rule()).status is Status.NO_REPAIR


def test_the_reason_has_the_numbers():
    reason = decide(trained("healthy", BETTER, GOOD, CLEAR), Rule()).reason
    for part in ("0.9000", "0.8000", "+0.1000", "p = 0.001", "400 rows"):
        assert part in reason
