import keras
import numpy as np
import optuna
import pytest

from autofix_strategies.input_scaling import CHOICES, InputScaling

L = keras.layers


def seen(model, x, name="hidden"):
    """What the layer is fed with."""
    layer = next(part for part in model.layers if part.name == name)
    return np.asarray(keras.Model(model.inputs[0], layer.input)(x))


def test_standardizes_each_feature_of_a_table(mlp, case, patched, table, reloaded):
    x = table() * np.array([1, 1000, 0.001, 0]) + np.array([0, 5000, 0, 7])
    x = x.astype("float32")
    found = case(mlp(1, None, "mse"), x, x[:, 0], accuracy=False)
    _, model = patched(InputScaling().guess(found), found, x)
    inside = seen(model, x)
    np.testing.assert_allclose(inside.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(inside.std(axis=0), [1, 1, 1, 0], atol=1e-3)
    np.testing.assert_allclose(reloaded(model)(x), model(x), rtol=1e-6)


def test_rare_flags_are_not_blown_up(mlp, case, patched, table):
    x = table(200) * np.array([1, 1, 1, 100])
    x[:, 2] = 0.0
    x[7, 2] = 1.0
    found = case(mlp(1, None, "mse"), x, x[:, 0], accuracy=False)
    _, model = patched(InputScaling().guess(found), found, x)
    assert np.abs(seen(model, x)).max() < 6


@pytest.mark.parametrize(("shape", "top"), [((6, 8, 3), 255), ((7, 8), 255), ((64,), 16)])
def test_pixels_share_one_factor(case, patched, shape, top):
    x = np.random.default_rng(0).integers(0, top + 1, size=(20, *shape))
    model = keras.Sequential([keras.Input(shape), L.Flatten(name="hidden"), L.Dense(1)])
    model.compile("sgd", "mse")
    found = case(model, x, np.zeros(20), accuracy=False)
    patch = InputScaling().guess(found)
    assert patch.changes[0].after[0]["class_name"] == "Rescaling"
    _, fixed = patched(patch, found, x)
    inside = seen(fixed, x)
    assert (inside.min(), inside.max()) == (0.0, pytest.approx(1.0))


def test_sequences_are_scaled_per_feature(case, patched):
    x = np.random.default_rng(0).normal(size=(30, 5, 2)).astype("float32") * np.array([1, 400], "float32") + 50
    model = keras.Sequential([keras.Input((5, 2)), L.LSTM(3, name="hidden"), L.Dense(1)])
    model.compile("sgd", "mse")
    found = case(model, x, np.zeros(30), accuracy=False)
    _, fixed = patched(InputScaling().guess(found), found, x)
    inside = seen(fixed, x)
    np.testing.assert_allclose(inside.reshape(-1, 2).std(axis=0), 1, rtol=1e-2)


@pytest.mark.parametrize("choice", CHOICES)
def test_each_choice_of_the_search_holds(mlp, case, patched, table, choice, reloaded):
    x = (table() * np.array([1, 1000, 10, 3])).astype("float32")
    x[0, 1] = 1e6
    found = case(mlp(1, None, "mse"), x, x[:, 0], accuracy=False)
    patch = InputScaling().suggest(optuna.trial.FixedTrial({"input_scaling.kind": choice}), found)
    _, model = patched(patch, found, x)
    limit = {"standardize": 8, "min-max": 1.001, "clipped": 3.001}[choice]
    assert np.abs(seen(model, x)).max() <= limit
    np.testing.assert_allclose(reloaded(model)(x), model(x), rtol=1e-6)


def looked_up(nested):
    embedding = L.Embedding(500, 3)
    body = keras.Sequential([keras.Input((4,)), embedding], name="words") if nested else embedding
    model = keras.Sequential([keras.Input((4,)), body, L.Flatten(), L.Dense(1)])
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("nested", [False, True])
def test_numbers_that_are_looked_up_stay(case, nested):
    x = np.random.default_rng(0).integers(0, 500, size=(30, 4))
    assert not InputScaling().guess(case(looked_up(nested), x, np.zeros(30), accuracy=False))


@pytest.mark.parametrize(
    "first",
    [
        L.BatchNormalization(),
        L.Rescaling(0.002),
        L.Normalization(mean=0.0, variance=9.0),
        L.LayerNormalization(),
        keras.Sequential([L.Rescaling(0.002), L.Dense(2)]),
        L.Rescaling([0.1, 0.1, 3.0, 9.0]),
        L.Dense(3, trainable=False),
    ],
)
def test_inputs_that_are_scaled_or_meet_frozen_layers_stay(case, table, first):
    model = keras.Sequential([keras.Input((4,)), first, L.Dense(1)])
    model.compile("sgd", "mse")
    x = 500 * table()
    assert not InputScaling().guess(case(model, x, x[:, 0], accuracy=False))


def test_only_the_input_that_needs_it(case, patched, table):
    one, two = keras.Input((4,), name="one"), keras.Input((4,), name="two")
    model = keras.Model([one, two], L.Dense(1)(L.Concatenate()([one, two])))
    model.compile("sgd", "mse")
    x = [table(), 1000 * table()]
    found = case(model, x, x[0][:, 0], accuracy=False)
    patch = InputScaling().guess(found)
    assert [change.path for change in patch] == ["layers/two/after"]
    patched(patch, found, x)


@pytest.mark.parametrize(
    ("scale", "shift", "applies"), [(1, 0, False), (0.2, 0.5, False), (1.5, 0.5, False), (5, 0, True), (0.01, 0, True)]
)
def test_features_of_about_unit_size_stay(mlp, case, table, scale, shift, applies):
    x = scale * np.clip(table(), -2, 2) + shift * np.array([1, -1, 1, -1]) * 0.9
    assert bool(InputScaling().guess(case(mlp(1, None, "mse"), x, x[:, 0], accuracy=False))) is applies


def test_pixels_that_are_divided_already_stay(case):
    x = np.random.default_rng(0).integers(0, 256, size=(40, 64)) / 255
    x[:, :8] = 0
    x[0, 3] = 0.1
    model = keras.Sequential([keras.Input((64,)), L.Dense(1)])
    model.compile("sgd", "mse")
    assert not InputScaling().guess(case(model, x, x[:, 9], accuracy=False))


def test_pixels_divided_twice_are_divided_once(case, patched):
    x = np.random.default_rng(0).integers(0, 256, size=(20, 8, 8, 1)) / 255
    pieces = [L.Rescaling(1 / 255, name="again"), L.Flatten(name="hidden"), L.Dense(1)]
    model = keras.Sequential([keras.Input((8, 8, 1)), *pieces])
    model.compile("sgd", "mse")
    found = case(model, x, np.zeros(20), accuracy=False)
    recipe, fixed = patched(InputScaling().guess(found), found, x)
    assert recipe.get("layers/again/skip") is True
    assert seen(fixed, x).max() == pytest.approx(1.0, rel=1e-4)
