import keras
import numpy as np
import optuna
import pytest

from autofix.facts import TaskKind
from autofix.symptom import Symptom
from autofix.testing import case_for
from autofix_strategies.batch_size import BatchSize


def case_with(rows, size, *symptoms, inner=()):
    model = keras.Sequential([keras.Input((3,)), *inner, keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x, fit = np.ones((rows, 3)), {"batch_size": size}
    return case_for(model, x, np.ones(rows), kinds=[TaskKind.REGRESSION], symptoms=symptoms, fit=fit)


def guessed(*args, **kwargs):
    return [change.after for change in BatchSize().guess(case_with(*args, **kwargs))]


@pytest.mark.parametrize(
    ("rows", "size", "wanted"),
    [
        (10_000, 32, []),
        (10_000, 256, []),
        (1_000, 256, [32]),
        (400, 512, [16]),
        (400, 32, []),
        (100, 32, []),
        (60, 32, [8]),
        (100, 64, [8]),
        (5, 32, [5]),
        (3, 3, []),
        (1, 1, []),
        (400, None, []),
    ],
)
def test_enough_steps(rows, size, wanted):
    assert guessed(rows, size) == wanted


@pytest.mark.parametrize("size", [1, 2])
def test_normalized_batches_of_a_row_or_two_grow(size):
    assert guessed(1_000, size, inner=[keras.layers.BatchNormalization()]) == [32]
    assert guessed(1_000, size) == []


def test_oscillation_only_grows():
    assert guessed(1_000, 4, Symptom.OSCILLATION) == [32]
    assert guessed(1_000, 512, Symptom.OSCILLATION) == []
    assert guessed(1_000, 512, Symptom.OSCILLATION, Symptom.BATCH_TOO_LARGE) == [32]


@pytest.mark.parametrize("rows", [1, 5, 50, 5_000])
def test_never_more_rows_than_there_are(rows):
    case = case_with(rows, 33)
    for choice in (8, 256):
        (change,) = BatchSize().suggest(optuna.trial.FixedTrial({"batch_size.rows": choice}), case)
        assert 1 <= change.after <= rows
