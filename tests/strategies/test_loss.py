import keras
import numpy as np
import pytest

from autofix_strategies.loss import Loss
from autofix_strategies.output_layer import OutputLayer

L = keras.layers
SCE, CCE = "sparse_categorical_crossentropy", "categorical_crossentropy"


def test_one_hot_targets_get_the_loss_for_columns(mlp, case, patched, broken, table):
    x, y = table(), np.eye(3)[np.arange(60) % 3]
    found = case(mlp(3, "softmax", SCE), x, y)
    patch = Loss().guess(found)
    assert "3 columns" in patch.changes[0].why
    recipe, model = patched(patch, found, x)
    assert recipe.get("compile/loss") == CCE
    assert not broken(found, recipe)
    assert np.isfinite(model.evaluate(x, y, verbose=0))


def test_keeps_the_other_settings_of_a_loss(mlp, case, patched, table):
    x, y = table(), np.eye(3)[np.arange(60) % 3]
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)
    found = case(mlp(3, "softmax", loss), x, y)
    recipe, model = patched(Loss().guess(found), found, x)
    config = recipe.get("compile/loss")["config"]
    assert (config["from_logits"], config["label_smoothing"]) == (False, 0.1)
    assert np.isfinite(model.evaluate(x, y, verbose=0))


@pytest.mark.parametrize("loss", ["mse", "mae", "MeanSquaredError"])
def test_distances_between_classes_become_cross_entropy(mlp, case, patched, table, loss):
    x = table()
    found = case(mlp(1, "sigmoid", loss), x, (x[:, 0] > 0).astype(int))
    recipe, _ = patched(Loss().guess(found), found, x)
    assert recipe.get("compile/loss") == "binary_crossentropy"


def test_quantities_under_a_loss_for_classes(mlp, case, composed, broken, table):
    x = table()
    found = case(mlp(1, "sigmoid", "binary_crossentropy"), x, 20 * x[:, 0] + 0.5, accuracy=False)
    recipe = composed(found, OutputLayer(), Loss())
    assert recipe.get("compile/loss") == "mean_squared_error"
    assert not broken(found, recipe)


@pytest.mark.parametrize("form", ["list", "dict", "one"])
def test_changes_one_output_in_every_form_of_compile(case, patched, table, form):
    x = table()
    source = keras.Input((4,))
    model = keras.Model(source, [L.Dense(3, "softmax", name=name)(source) for name in ("kind", "other")])
    loss = {"list": [CCE, SCE], "dict": {"other": SCE, "kind": CCE}, "one": CCE}[form]
    model.compile("sgd", loss)
    y = np.arange(60) % 3
    ys = [y, np.eye(3)[y] if form == "one" else y]
    found = case(model, x, ys)
    _, fixed = patched(Loss().guess(found), found, x)
    assert np.isfinite(fixed.evaluate(x, ys, verbose=0, return_dict=True)["loss"])


def test_leaves_custom_losses_alone(mlp, case, table):
    def mine(y, p):
        return keras.ops.mean((y - p) ** 2)

    x = table()
    assert not Loss().guess(case(mlp(1, "sigmoid", mine), x, (x[:, 0] > 0).astype(int)))
