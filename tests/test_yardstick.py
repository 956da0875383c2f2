"""The yardstick finds what is there, and finds nothing where nothing is."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from autofix.data import Data, ModelHints, OutputHint
from autofix.features import COLUMNS, features_of
from autofix.task import facts_of
from autofix.yardstick import has_signal, measure


def measured(x, y, units=1, activation="sigmoid", loss="binary_crossentropy", seed=0):
    hints = ModelHints(("x",), (x.shape[1:],), (OutputHint("out", (units,), activation, loss, accuracy=False),))
    data = Data.of((x, y), hints=hints, seed=seed)
    found = measure(data, facts_of(data, hints, measure_signal=False).targets, seed)
    return found.signal, found.chance, found.noise


def normal(rows, columns=6, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, columns))


@pytest.mark.parametrize("rows", [40, 300, 6000])
def test_linear_signal_is_found(rows):
    x = normal(rows)
    signal, chance, noise = measured(x, (x[:, 0] > 0).astype(int))
    assert signal is not None
    assert signal > 0.8
    assert chance == 0.5
    assert has_signal(signal, chance, noise)


def test_signal_that_only_a_forest_sees_is_found():
    x = normal(600, 2)
    assert has_signal(*measured(x, (x[:, 0] * x[:, 1] > 0).astype(int)))


@pytest.mark.parametrize("rows", [40, 300, 6000])
@pytest.mark.parametrize("kind", ["classes", "values"])
def test_noise_has_no_signal(rows, kind):
    verdicts = []
    for seed in range(5):
        x, rng = normal(rows, seed=seed), np.random.default_rng(seed + 100)
        y = rng.integers(0, 2, rows) if kind == "classes" else rng.normal(size=rows)
        head = {} if kind == "classes" else {"activation": "linear", "loss": "mean_squared_error"}
        verdicts.append(has_signal(*measured(x, y, seed=seed, **head)))
    assert sum(verdicts) <= 1


def test_quantities():
    x = normal(500)
    signal, chance, noise = measured(x, 3000 * x[:, 0] + 7, activation="linear", loss="mean_squared_error")
    assert signal == pytest.approx(1.0, abs=0.01)
    assert (chance, noise < 0.05) == (0.0, True)


def test_many_classes_imbalance_and_labels():
    x = normal(600)
    signal, chance, _ = measured(x, np.digitize(x[:, 0], [-0.5, 0.5]), 3, "softmax", "sparse_categorical_crossentropy")
    assert chance == pytest.approx(1 / 3)
    assert signal is not None
    assert signal > 0.8
    rare = (x[:, 0] > 1.6).astype(int)
    assert has_signal(*measured(x, rare))
    signal, chance, _ = measured(x, (x[:, :4] > 0).astype(int), 4)
    assert chance == 0.5
    assert signal is not None
    assert signal > 0.9


def test_words_anywhere_in_a_text_are_found():
    rng = np.random.default_rng(0)
    x = rng.integers(1, 500, (400, 40))
    y = np.arange(400) % 2
    x[y == 1, rng.integers(0, 40, 200)] = 7
    assert has_signal(*measured(x, y))


def test_averages_over_time_are_found():
    x = np.random.default_rng(0).normal(size=(300, 40, 3))
    signal, _, _ = measured(x, x[:, :, 1].mean(axis=1), activation="linear", loss="mean_squared_error")
    assert signal is not None
    assert signal > 0.95


def test_holdout_rows_are_never_touched():
    x = normal(200)
    y = (x[:, 0] > 0).astype(int)
    hints = ModelHints(("x",), ((6,),), (OutputHint("out", (1,), "sigmoid", "binary_crossentropy", accuracy=False),))
    data = Data.of((x, y), hints=hints, seed=0)
    targets = facts_of(data, hints, measure_signal=False).targets
    spoiled = x.copy()
    spoiled[data.splits[0].holdout] = np.nan
    assert measure(replace(data, x=spoiled), targets, 0) == measure(data, targets, 0)


def test_what_cannot_be_measured_speaks_for_nobody():
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    signal, chance, noise = measured(x, np.array([0, 1, 1, 0]))
    assert (signal, chance) == (None, 0.5)
    assert has_signal(signal, chance, noise)
    constant, _, _ = measured(normal(50), np.zeros(50, dtype=int))
    assert constant is None


def test_missing_values_and_constant_columns_do_no_harm():
    x = normal(300)
    y = (x[:, 0] > 0).astype(int)
    x[::3, 1], x[:, 2], x[:, 3] = np.nan, 5.0, np.inf
    assert has_signal(*measured(x, y))


def test_the_table_is_finite_and_narrow():
    wide = features_of([normal(20, 5000), np.full((20, 3), np.nan), np.full(20, 1e300)], seed=0)
    assert wide.shape[0] == 20
    assert wide.shape[1] <= COLUMNS
    assert np.isfinite(wide).all()


def test_the_same_seed_gives_the_same_and_small_data_is_quick():
    x = normal(300, 20)
    y = (x[:, 0] > 0).astype(int)
    first = measured(x, y)
    start = time.perf_counter()
    assert measured(x, y) == first
    assert time.perf_counter() - start < 2.0


def seen(x, y, seed=0):
    hints = ModelHints(
        ("x",), (x.shape[1:],), (OutputHint("out", (1,), "sigmoid", "binary_crossentropy", accuracy=False),)
    )
    data = Data.of((x, y), hints=hints, seed=seed)
    return measure(data, facts_of(data, hints, measure_signal=False).targets, seed)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_wrong_labels_are_disputed_evenly_and_overlapping_classes_are_not(seed):
    rng = np.random.default_rng(seed)
    x = normal(1_500, seed=seed)
    right = (x[:, 0] + x[:, 1] > 0).astype(int)
    wrong = np.where(rng.random(1_500) < 0.25, 1 - right, right)
    overlap = (x[:, 0] + x[:, 1] + rng.normal(size=1_500) > 0).astype(int)
    first, second = seen(x, wrong).disputed
    assert first > 0.15
    assert first > 0.7 * second
    first, second = seen(x, overlap).disputed
    assert first < 0.6 * second
    assert max(seen(x, right).disputed) < 0.03


def test_disputes_take_rows_and_a_single_class_a_row():
    x = normal(60)
    assert seen(x, (x[:, 0] > 0).astype(int)).disputed == ()
    assert seen(normal(600), normal(600)[:, 0]).disputed == ()


def test_a_column_that_gives_the_targets_away_is_found():
    rng = np.random.default_rng(0)
    x = normal(900)
    y = np.where(rng.random(900) < 0.25, x[:, 0] < 0, x[:, 0] > 0).astype(int)
    assert seen(x, y).giveaway is None
    found = seen(np.c_[x, y + 0.01 * rng.normal(size=900)], y).giveaway
    assert found is not None
    assert (found.input, found.feature) == ("x", 6)
    assert found.alone > 0.97
    assert found.without < 0.85


def test_a_column_is_no_giveaway_where_the_others_know_as_well():
    x = normal(900)
    y = (x[:, 0] + x[:, 1] > 0).astype(int)
    assert seen(np.c_[x, x[:, 0] + x[:, 1]], y).giveaway is None
