import keras
import numpy as np
import optuna
import pytest

from autofix.facts import TaskKind
from autofix.strategy import RangeTest
from autofix.testing import case_for, small_case
from autofix_strategies.learning_rate import LearningRate

schedules = keras.optimizers.schedules


def case_with(rate, *candidates, optimizer=keras.optimizers.Adam, **fit):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(optimizer(rate), "mse")
    test = RangeTest(candidates=candidates) if candidates else None
    return case_for(model, np.ones((320, 3)), np.ones(320), kinds=[TaskKind.REGRESSION], range_test=test, fit=fit)


def guessed(*args, **kwargs):
    return [(change.path, change.after) for change in LearningRate().guess(case_with(*args, **kwargs))]


def test_first_candidate_of_the_range_test():
    assert guessed(1e-6, 0.00321, 0.1) == [("compile/optimizer/learning_rate", 0.0032)]


@pytest.mark.parametrize(("name", "rate"), [("Adam", 0.001), ("SGD", 0.01), ("Adadelta", 1.0), ("Adagrad", 0.01)])
def test_usual_rate_where_nothing_was_measured(name, rate):
    assert guessed(1e-9, optimizer=getattr(keras.optimizers, name)) == [("compile/optimizer/learning_rate", rate)]


@pytest.mark.parametrize("present", [0.001, 0.0014, 0.0007])
def test_near_enough_stays(present):
    assert guessed(present) == []
    assert guessed(present, 0.001) == []


@pytest.mark.parametrize("candidates", [(float("nan"),), (float("inf"), 1e9), (0.0, -1.0)])
def test_senseless_candidates_are_passed_over(candidates):
    assert guessed(1e-6, *candidates) == [("compile/optimizer/learning_rate", 0.001)]


@pytest.mark.parametrize(
    ("schedule", "stays"),
    [
        (schedules.ExponentialDecay(0.001, 100, 0.9), True),
        (schedules.ExponentialDecay(0.001, 1, 0.1), False),
        (schedules.ExponentialDecay(0.001, 1, 2.0), False),
        (schedules.ExponentialDecay(0.5, 100, 0.9), False),
        (schedules.CosineDecay(0.001, 100), True),
        (schedules.CosineDecay(0.001, 5), False),
        (schedules.PolynomialDecay(0.001, 100), True),
        (schedules.InverseTimeDecay(0.001, 100, 1.0), True),
        (schedules.InverseTimeDecay(0.001, 1, 1000.0), False),
        (schedules.PiecewiseConstantDecay([1], [0.001, 0.0001]), False),
    ],
)
def test_schedules_that_are_spent_or_start_elsewhere_become_constant(schedule, stays):
    found = guessed(schedule)
    assert found == ([] if stays else [("compile/optimizer/learning_rate", 0.001)])


def test_inside_a_loss_scale():
    (change,) = LearningRate().guess(small_case("gated").case)
    assert change.path == "compile/optimizer/inner_optimizer/learning_rate"


@pytest.mark.parametrize(("candidates", "low", "high"), [((0.001, 0.01), 0.0002, 0.05), ((), 1e-5, 0.1)])
def test_search_looks_around_the_candidates(candidates, low, high):
    study = optuna.create_study()
    trial = study.ask()
    LearningRate().suggest(trial, case_with(0.5, *candidates))
    (space,) = trial.distributions.values()
    assert (space.low, space.high, space.log) == (pytest.approx(low), pytest.approx(high), True)
