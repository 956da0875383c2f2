import math

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autofix.facts import TaskKind
from autofix.symptom import Symptom
from autofix.testing import case_for
from autofix_strategies.epochs import Epochs


def make(rows=320):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return case_for(model, np.ones((rows, 3)), np.ones(rows), kinds=[TaskKind.REGRESSION])


CASE = make()


def guessed(*symptoms, case=CASE, **fit):
    from dataclasses import replace

    from autofix.testing.cases import diagnosis

    recipe = case.recipe
    for key, value in fit.items():
        recipe = recipe.set(f"fit/{key}", value)
    case = replace(case, recipe=recipe, diagnoses=tuple(map(diagnosis, symptoms)))
    return {change.path: change.after for change in Epochs().guess(case)}


@pytest.mark.parametrize(
    ("epochs", "size", "wanted"),
    [
        (10, 32, 200),  # 2,000 steps
        (5, 32, 100),  # 20 times as many
        (100, 32, 300),  # three times as many
        (300, 32, 500),
        (10, 1, 30),
        (1, 32, 20),
    ],
)
def test_how_long(epochs, size, wanted):
    found = guessed(Symptom.STILL_IMPROVING, epochs=epochs, batch_size=size)
    assert found["fit/epochs"] == wanted
    assert 5 <= found["fit/patience"] <= 50


def test_long_runs_only_stop_early():
    assert guessed(epochs=800) == {"fit/patience": 50}
    assert guessed(epochs=800, patience=60) == {}


def test_overfitting_runs_as_long_and_stops_early():
    assert guessed(Symptom.OVERFITTING, epochs=40) == {"fit/patience": 8}
    assert "fit/epochs" in guessed(Symptom.OVERFITTING, Symptom.UNDERFITTING, epochs=40)


def test_impatience_is_cured():
    assert guessed(Symptom.SLOW, epochs=50, patience=1)["fit/patience"] == 40


@given(st.integers(1, 2_000), st.integers(1, 1_000), st.none() | st.integers(1, 100))
def test_bounds(epochs, size, patience):
    found = guessed(epochs=epochs, batch_size=size, patience=patience)
    wanted = found.get("fit/epochs", epochs)
    assert epochs <= wanted <= max(epochs, min(20 * epochs, 500))
    steps = math.ceil(320 / size)
    assert wanted >= min(3 * epochs, 500) or wanted == epochs >= 500
    assert wanted * steps >= min(2_000, 20 * epochs * steps, 500 * steps)
    assert found.get("fit/patience", patience) >= (patience or 5)
