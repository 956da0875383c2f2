import keras
import numpy as np
import pytest

from autofix.symptom import Symptom
from autofix_strategies.loss import Loss
from autofix_strategies.output_layer import OutputLayer

L = keras.layers
SCE = "sparse_categorical_crossentropy"


def paths(patch):
    return {change.path: change.after for change in patch}


def test_softmax_on_one_unit_becomes_sigmoid_on_the_same_weights(mlp, case, patched, table):
    x = table()
    y = (x[:, 0] > 0).astype(int)
    model = mlp(1, "softmax", "binary_crossentropy")
    found = case(model, x, y)
    patch = OutputLayer().guess(found)
    assert paths(patch) == {"layers/head/activation": "sigmoid"}
    _, fixed = patched(patch, found, x)
    fixed.set_weights(model.get_weights())
    by_hand = 1 / (1 + np.exp(-(np.maximum(x @ model.weights[0] + model.weights[1], 0) @ model.weights[2])))
    np.testing.assert_allclose(fixed(x), by_hand, rtol=1e-4)


def test_one_unit_for_four_classes(mlp, case, patched, composed, broken, table):
    x = table()
    y = np.arange(60) % 4
    found = case(mlp(1, "sigmoid", "mse"), x, y)
    recipe = composed(found, OutputLayer(), Loss())
    assert not broken(found, recipe)
    assert recipe.get("layers/head/units") == 4
    assert np.isfinite(recipe.build().evaluate(x, y, verbose=0))


def test_sigmoid_gives_way_to_targets_beyond_it(mlp, case, patched, table):
    x = table()
    found = case(mlp(1, "sigmoid", "mse"), x, 300 * x[:, 0], accuracy=False)
    patch = OutputLayer().guess(found)
    assert paths(patch) == {"layers/head/activation": "linear"}
    assert "300" not in patch.changes[0].why
    assert "0 to 1" in patch.changes[0].why
    patched(patch, found, x)


@pytest.mark.parametrize("extra", [L.Softmax(name="end"), L.Activation("softmax", name="end")])
def test_takes_a_trailing_softmax_off_quantities(mlp, case, patched, table, extra):
    x = table()
    found = case(mlp(2, None, "mse", extra=[extra]), x, 5 * x[:, :2], accuracy=False)
    patch = OutputLayer().guess(found)
    assert paths(patch) == {"layers/end/skip": True}
    _, model = patched(patch, found, x)
    assert float(np.asarray(model(100 * x)).max()) > 1


def test_takes_a_double_softmax_apart(mlp, case, patched, composed, broken, table):
    x = table()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model = mlp(3, "softmax", loss, extra=[L.Activation("softmax", name="again")])
    found = case(model, x, np.arange(60) % 3)
    recipe = composed(found, OutputLayer(), Loss())
    assert not broken(found, recipe)
    probabilities = np.asarray(recipe.build()(x))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


def test_takes_a_dropout_off_the_outputs(mlp, case, patched, table):
    x = table()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    found = case(mlp(3, None, loss, extra=[L.Dropout(0.5, name="drop")]), x, np.arange(60) % 3)
    patch = OutputLayer().guess(found)
    assert paths(patch) == {"layers/drop/skip": True}
    patched(patch, found, x)


def test_squashes_behind_a_pooling_layer(case, patched, broken):
    x = np.random.default_rng(0).normal(size=(24, 6, 6, 1)).astype("float32")
    pieces = [L.Conv2D(3, 3, name="maps"), L.GlobalAveragePooling2D(name="mean")]
    model = keras.Sequential([keras.Input((6, 6, 1)), *pieces])
    model.compile("sgd", SCE)
    found = case(model, x, np.arange(24) % 3)
    patch = OutputLayer().guess(found)
    assert [change.path for change in patch] == ["layers/mean/after"]
    recipe, fixed = patched(patch, found, x)
    assert not broken(found, recipe)
    np.testing.assert_allclose(np.asarray(fixed(x)).sum(axis=1), 1, rtol=1e-5)


def test_moves_an_activation_behind_the_pooling(case, patched, broken):
    x = np.random.default_rng(0).normal(size=(24, 6, 6, 1)).astype("float32")
    pieces = [L.Conv2D(3, 3, activation="relu", name="maps"), L.GlobalAveragePooling2D(name="mean")]
    model = keras.Sequential([keras.Input((6, 6, 1)), *pieces])
    model.compile("sgd", SCE)
    found = case(model, x, np.arange(24) % 3)
    patch = OutputLayer().guess(found)
    assert [change.path for change in patch] == ["layers/maps/activation", "layers/mean/after"]
    recipe, fixed = patched(patch, found, x)
    assert not broken(found, recipe)
    np.testing.assert_allclose(np.asarray(fixed(x)).sum(axis=1), 1, rtol=1e-5)


def test_reaches_into_nested_models_and_time_distributed_heads(case, patched, broken, table):
    x = np.random.default_rng(0).normal(size=(24, 5, 4)).astype("float32")
    y = np.random.default_rng(1).integers(0, 3, size=(24, 5))
    head = keras.Sequential([keras.Input((5, 4)), L.TimeDistributed(L.Dense(1, "sigmoid"), name="each")], name="top")
    source = keras.Input((5, 4))
    model = keras.Model(source, head(L.LSTM(4, return_sequences=True)(source)))
    model.compile("sgd", SCE)
    found = case(model, x, y)
    patch = OutputLayer().guess(found)
    path = "layers/top/layers/each/layer"
    assert paths(patch) == {f"{path}/units": 3, f"{path}/activation": "softmax"}
    recipe, fixed = patched(patch, found, x)
    assert not broken(found, recipe)
    assert fixed.output_shape == (None, 5, 3)


def test_a_recurrent_output_gets_a_layer_of_its_own(case, patched, composed, broken):
    x = np.random.default_rng(0).normal(size=(40, 5, 3)).astype("float32")
    model = keras.Sequential([keras.Input((5, 3)), L.LSTM(4, name="last")])
    model.compile("sgd", SCE)
    found = case(model, x, np.arange(40) % 4)
    patch = OutputLayer().guess(found)
    assert [change.path for change in patch] == ["layers/last/after"]
    recipe, fixed = patched(patch, found, x)
    assert fixed.output_shape == (None, 4)
    assert not broken(found, recipe)


@pytest.mark.parametrize("kind", ["convolution", "recurrent"])
def test_removes_axes_that_the_targets_do_not_have(case, patched, kind):
    rng = np.random.default_rng(0)
    if kind == "convolution":
        x, first = rng.normal(size=(24, 6, 6, 1)).astype("float32"), L.Conv2D(4, 3, name="first")
    else:
        x, first = rng.normal(size=(24, 6, 2)).astype("float32"), L.LSTM(4, return_sequences=True, name="first")
    model = keras.Sequential([keras.Input(x.shape[1:]), first, L.Dense(3, "softmax", name="head")])
    model.compile("sgd", SCE)
    found = case(model, x, np.arange(24) % 3)
    patch = OutputLayer().guess(found)
    _, fixed = patched(patch, found, x)
    assert fixed.output_shape == (None, 3)
    assert np.isfinite(fixed.evaluate(x, np.arange(24) % 3, verbose=0))


def test_repairs_each_output_for_itself(case, patched, composed, broken, table):
    x = table()
    source = keras.Input((4,))
    heads = [L.Dense(1, "softmax", name="sick"), L.Dense(1, "sigmoid", name="price")]
    model = keras.Model(source, [head(source) for head in heads])
    model.compile("sgd", ["binary_crossentropy", "mse"])
    found = case(model, x, [(x[:, 0] > 0).astype(int), 50 * x[:, 1]], accuracy=False)
    patch = OutputLayer().guess(found)
    assert paths(patch) == {"layers/sick/activation": "sigmoid", "layers/price/activation": "linear"}
    recipe, _ = patched(patch, found, x)
    assert not broken(found, recipe)


def test_leaves_what_it_cannot_tell(case, table):
    x = table()
    source = keras.Input((4,))
    model = keras.Model(source, L.Add()([L.Dense(3)(source), L.Dense(3)(source)]))
    model.compile("sgd", "categorical_crossentropy")
    assert not OutputLayer().guess(case(model, x, np.arange(60) % 3))


def test_says_what_it_treats():
    assert Symptom.HEAD_MISMATCH in OutputLayer().treats
    assert OutputLayer().is_contract
