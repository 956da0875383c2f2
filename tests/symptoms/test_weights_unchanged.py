from __future__ import annotations

import pytest

from autofix.symptoms import TRACE, diagnose
from autofix.symptoms.weights_unchanged import judge
from autofix.trace import Trace
from tests.symptoms.conftest import dense, evidence, flat, run, stack

NAMES = ("layers/hidden_1", "layers/output")


def seen(change, norms=(0.3,), recipe=None, score=0.5, **more):
    series = dict.fromkeys(NAMES, norms)
    trace = run(flat(), weight_change=dict.fromkeys(NAMES, change), gradient_norms=series, **more)
    return judge(evidence(recipe, trace=trace, score=score))


@pytest.mark.parametrize("change", [1e-4, 0.1, 3.0, float("inf")])
def test_weights_that_moved_are_fine(change) -> None:
    assert seen(change) == ()


def test_one_layer_that_moved_is_enough() -> None:
    trace = run(flat(), weight_change={"layers/hidden_1": 0.0, "layers/output": 0.1})
    assert judge(evidence(trace=trace, score=0.5)) == ()


@pytest.mark.parametrize(
    ("norms", "more", "cause"),
    [
        ((0.3, 0.2), {"learning_rate": 1e-10}, "learning rate"),
        ((0.0, 0.0), {"gradient_norm": (0.2, 0.2)}, "zero gradient"),
        ((0.3,), {"trainable": 0}, "frozen"),
        ((0.0,), {"disconnected": NAMES}, "disconnected"),
        ((), {"gradient_norm": ()}, "unknown"),
    ],
)
def test_the_cause_is_told(norms, more, cause) -> None:
    (found,) = seen(2e-8, norms, **more)
    assert found.numbers["cause"] == cause
    assert found.severity >= 0.9


def test_a_frozen_program_needs_no_measurement() -> None:
    frozen = stack((8,), dense("hidden", 8, trainable=False), dense("output", 1, "sigmoid", trainable=False))
    bare = Trace(loss=flat(), trainable=0)
    assert judge(evidence(frozen, trace=bare, score=0.5)) != ()
    assert judge(evidence(trace=bare, score=0.5)) == ()


def test_nan_is_no_standstill() -> None:
    assert seen(float("nan")) == ()


@pytest.mark.parametrize(("change", "many"), [(5e-7, 1), (2e-6, 0)])
def test_a_millionth_is_where_it_begins(change, many) -> None:
    assert len(seen(change)) == many


@pytest.mark.parametrize(("apart", "cause"), [((), "zero gradient"), (NAMES[:1], "disconnected")])
def test_a_layer_without_a_gradient_is_told_though_others_learn(apart, cause) -> None:
    series = {NAMES[0]: (0.0, 0.0), NAMES[1]: (0.3, 0.2)}
    trace = run(flat(), weight_change={NAMES[0]: 0.0, NAMES[1]: 0.1}, gradient_norms=series, disconnected=apart)
    (found,) = judge(evidence(trace=trace, score=0.5))
    assert found.layer == NAMES[0]
    assert found.numbers["cause"] == cause
    assert judge(evidence(trace=trace, score=0.95))[0].severity <= 0.4


def test_a_step_that_keras_refuses_for_want_of_gradients_is_told() -> None:
    """The run has no trace: it ended before there was anything to see."""
    (found,) = judge(evidence(trace=Trace(error="ValueError: No gradients provided for any variable.")))
    assert (found.numbers["cause"], found.severity) == ("disconnected", 1.0)
    assert found.causes[0].startswith("The loss does not depend")
    assert judge(evidence(trace=Trace(error="ValueError: something else"))) == ()


def test_no_rule_needs_more_of_a_run_than_that_it_failed() -> None:
    found, failed = diagnose(evidence(trace=Trace(error="ValueError: something else")), TRACE)
    assert (found, failed) == ((), ())
