import keras
import numpy as np
import optuna
import pytest

from autofix.symptom import Symptom
from autofix_strategies.capacity import Capacity

L = keras.layers


def compiled(*pieces, shape=(4,), loss="mse"):
    model = keras.Sequential([keras.Input(shape), *pieces])
    model.compile("sgd", loss)
    return model


def widths(patch):
    return {change.path: change.after for change in patch}


def test_two_units_become_many(case, patched, table):
    x = table()
    found = case(compiled(L.Dense(2, "relu", name="a"), L.Dense(1)), x, x[:, 0], accuracy=False)
    patch = Capacity().guess(found)
    assert widths(patch) == {"layers/a/units": 32}
    patched(patch, found, x)


def test_a_layer_narrower_than_the_output_becomes_wider(case, patched, table):
    x = table(80)
    model = compiled(L.Dense(64, name="a"), L.Dense(9, "relu", name="b"), L.Dense(20, "softmax"))
    model.compile("sgd", "sparse_categorical_crossentropy")
    found = case(model, x, np.arange(80) % 20)
    assert widths(Capacity().guess(found)) == {"layers/b/units": 40}


def test_roomy_layers_grow_only_where_the_run_underfits(case, patched, table):
    x = table()
    model = compiled(L.Dense(16, "relu", name="a"), L.Dense(400, "relu", name="b"), L.Dense(1))
    assert not Capacity().guess(case(model, x, x[:, 0], accuracy=False))
    found = case(model, x, x[:, 0], accuracy=False, symptoms=[Symptom.UNDERFITTING])
    patch = Capacity().guess(found)
    assert widths(patch) == {"layers/a/units": 32, "layers/b/units": 512}
    patched(patch, found, x)


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_the_search_widens_convolutions_and_recurrent_layers_too(case, patched, factor):
    x = np.random.default_rng(0).normal(size=(20, 8, 2)).astype("float32")
    pieces = [L.Conv1D(4, 3, name="a"), L.BatchNormalization(), L.MaxPooling1D(), L.LSTM(12, name="b"), L.Dense(1)]
    found = case(compiled(*pieces, shape=(8, 2)), x, np.zeros(20), accuracy=False)
    patch = Capacity().suggest(optuna.trial.FixedTrial({"capacity.factor": factor}), found)
    assert widths(patch) == {"layers/a/filters": max(16, 4 * factor), "layers/b/units": 12 * factor}
    patched(patch, found, x)


def residual():
    source = keras.Input((4,))
    inner = L.Dense(4, "relu", name="inner")(L.Dense(5, "relu", name="first")(source))
    return keras.Model(source, L.Dense(1)(L.Add()([inner, source])))


def reshaped():
    source = keras.Input((4,))
    return keras.Model(source, L.Dense(1)(L.Flatten()(L.Reshape((3, 2))(L.Dense(6, name="inner")(source)))))


def stated():
    source = keras.Input((4,))
    state = L.Dense(3, name="inner")(source)
    return keras.Model(source, L.Dense(1)(L.GRU(3, name="gru")(L.RepeatVector(5)(source), initial_state=state)))


def frozen():
    return keras.Sequential([keras.Input((4,)), L.Dense(3, name="inner"), L.Dense(9, trainable=False), L.Dense(1)])


@pytest.mark.parametrize("build", [residual, reshaped, stated, frozen])
def test_widths_that_others_depend_on_stay(case, patched, table, build):
    x, model = table(), build()
    model.compile("sgd", "mse")
    found = case(model, x, x[:, 0], accuracy=False)
    patch = Capacity().guess(found)
    assert not any("inner" in change.path or "gru" in change.path for change in patch)
    patched(patch, found, x)


def test_the_waist_of_an_autoencoder_stays(case, table):
    x = table(features=12)
    model = compiled(L.Dense(10, "relu"), L.Dense(3, name="waist"), L.Dense(10, "relu"), L.Dense(12), shape=(12,))
    assert not Capacity().guess(case(model, x, x.copy(), accuracy=False))
