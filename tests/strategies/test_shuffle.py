import keras
import numpy as np
import optuna
import pytest

from autofix.facts import TaskKind
from autofix.symptom import Symptom
from autofix.testing import case_for
from autofix_strategies.shuffle import Shuffle

L = keras.layers


def case_with(fit, *inner, symptoms=()):
    model = keras.Sequential([keras.Input((4, 3), batch_size=1), *inner, L.Flatten(), L.Dense(1)])
    model.compile("sgd", "mse")
    return case_for(model, np.ones((40, 4, 3)), np.ones(40), kinds=[TaskKind.REGRESSION], symptoms=symptoms, fit=fit)


def test_turns_shuffling_on_again():
    case = case_with({"shuffle": False}, symptoms=[Symptom.SORTED_ROWS])
    patch = Shuffle().guess(case)
    assert [(change.path, change.before, change.after) for change in patch] == [("fit/shuffle", False, True)]
    assert "sorted" in next(iter(patch)).why
    assert Shuffle().suggest(optuna.trial.FixedTrial({}), case) == patch


@pytest.mark.parametrize("fit", [{}, {"shuffle": True}])
def test_leaves_rows_that_are_shuffled(fit):
    assert not Shuffle().guess(case_with(fit))


def test_leaves_the_order_that_a_state_needs():
    assert not Shuffle().guess(case_with({"shuffle": False}, L.LSTM(3, stateful=True, return_sequences=True)))
    assert Shuffle().guess(case_with({"shuffle": False}, L.LSTM(3, return_sequences=True)))
