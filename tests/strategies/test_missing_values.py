import keras
import numpy as np
import pytest

from autofix.recipe import layers
from autofix_strategies.input_scaling import InputScaling
from autofix_strategies.missing_values import MissingValues

L = keras.layers


@pytest.fixture
def holed(table):
    x = 10 * table() + np.array([0, 100, -5, 3])
    x[3, 0], x[7, 2], x[9, 1], x[11, 3] = np.nan, np.nan, np.inf, -np.inf
    return x.astype("float32")


def functional(source_shape=(4,)):
    source = keras.Input(source_shape, name="x0")
    hidden = L.Dense(5, "relu")(source)
    model = keras.Model(source, L.Dense(1)(L.Concatenate()([hidden, source])))
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("form", ["sequential", "functional"])
def test_no_missing_value_gets_through(mlp, case, patched, holed, form, reloaded):
    model = mlp(1, None, "mse") if form == "sequential" else functional()
    found = case(model, holed, np.nan_to_num(holed[:, 1]), accuracy=False)
    recipe, fixed = patched(MissingValues().guess(found), found, holed)
    assert np.isfinite(np.asarray(fixed(holed))).all()
    np.testing.assert_allclose(reloaded(fixed)(holed), fixed(holed), rtol=1e-6)
    assert not MissingValues().guess(found.at(recipe))


def test_a_hole_reads_as_the_mean_of_its_feature(mlp, case, patched, holed):
    found = case(mlp(1, None, "mse"), holed, np.zeros(60), accuracy=False)
    _, fixed = patched(MissingValues().guess(found), found, holed)
    filled = holed.copy()
    filled[3, 0] = found.facts.inputs[0].feature_mean[0]
    np.testing.assert_allclose(fixed(filled[3:4]), fixed(holed[3:4]), rtol=1e-4, atol=1e-5)
    beyond = holed.copy()
    beyond[9, 1] = found.facts.inputs[0].feature_mean[1] + 3 * found.facts.inputs[0].feature_std[1]
    np.testing.assert_allclose(fixed(beyond[9:10]), fixed(holed[9:10]), rtol=1e-4, atol=1e-5)


def test_scales_once_for_both(mlp, case, composed, holed):
    found = case(mlp(1, None, "mse"), holed, np.zeros(60), accuracy=False)
    recipe = composed(found, MissingValues())
    assert InputScaling().guess(found)
    assert not InputScaling().guess(found.at(recipe))


def test_a_normalization_fitted_to_holes_goes(case, patched, holed):
    normalization = L.Normalization(name="own")
    normalization.adapt(holed)
    model = keras.Sequential([keras.Input((4,)), normalization, L.Dense(1)])
    model.compile("sgd", "mse")
    found = case(model, holed, np.zeros(60), accuracy=False)
    recipe, _ = patched(MissingValues().guess(found), found, holed)
    own = next(view for view in layers(recipe) if view.name == "own")
    assert own.skipped


def test_padding_keeps_its_value(case, patched):
    x = np.random.default_rng(0).normal(size=(20, 6, 2)).astype("float32")
    x[:, 4:] = 0.0
    x[0, 0, 0] = np.nan
    model = keras.Sequential([keras.Input((6, 2)), L.Masking(0.0), L.LSTM(3), L.Dense(1)])
    model.compile("sgd", "mse")
    found = case(model, x, np.zeros(20), accuracy=False)
    _, fixed = patched(MissingValues().guess(found), found, x)
    longer = x.copy()
    longer[1, 5] = 0.0
    np.testing.assert_allclose(fixed(longer[1:2]), fixed(x[1:2]))
    names = [item["class_name"] for item in MissingValues().guess(found).changes[0].after[0]["config"]["layers"]]
    assert names == ["InputLayer", "NanToNum"]


def test_complete_inputs_and_whole_numbers_are_left_alone(mlp, case, table):
    x = table()
    assert not MissingValues().guess(case(mlp(1, None, "mse"), x, x[:, 0], accuracy=False))
    model = keras.Sequential([keras.Input((4,), dtype="int32"), L.Embedding(9, 3), L.Flatten(), L.Dense(1)])
    model.compile("sgd", "mse")
    assert not MissingValues().guess(case(model, np.abs(x).astype("int32"), x[:, 0], accuracy=False))
