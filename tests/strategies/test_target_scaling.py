import keras
import numpy as np
import pytest

from autofix_strategies.output_layer import OutputLayer
from autofix_strategies.target_scaling import TargetScaling

L = keras.layers


def trained(recipe, x, y, steps=5):
    model = recipe.build(seed=3)
    model.fit(x, y, batch_size=len(x), epochs=steps, shuffle=False, verbose=0)
    return model


@pytest.mark.parametrize(("loss", "degree"), [("mse", 2), ("mean_absolute_error", 1), ("huber", 1)])
def test_training_is_the_arithmetic_of_standardized_targets(mlp, case, patched, table, loss, degree):
    x = table()
    y = (150 + 80 * x[:, :1]).astype("float32")
    found = case(mlp(1, None, loss), x, y, accuracy=False)
    recipe, _ = patched(TargetScaling().guess(found), found, x)
    scaling = recipe.get("layers/head/after")[0]["config"]
    assert recipe.get("compile/loss_weights") == pytest.approx(scaling["scale"] ** -degree, rel=1e-3)
    if loss == "huber":
        return  # its bend stays in the user's units
    given = trained(recipe, x, y)
    by_hand = trained(found.recipe, x, (y - scaling["offset"]) / scaling["scale"])
    expected = np.asarray(by_hand(x)) * scaling["scale"] + scaling["offset"]
    np.testing.assert_allclose(np.asarray(given(x)), expected, rtol=2e-3)


def test_predicts_in_the_users_units_from_the_start(mlp, case, patched, table):
    x = table()
    y = np.stack([1000 + 50 * x[:, 0], 0.01 * x[:, 1]], axis=1)
    found = case(mlp(2, None, "mse"), x, y, accuracy=False)
    _, model = patched(TargetScaling().guess(found), found, x)
    start = np.asarray(model(x))
    assert abs(start[:, 0].mean() - 1000) < 150
    assert abs(start[:, 1]).max() < 0.1


def test_survives_a_file(mlp, case, patched, table, reloaded):
    x = table()
    y = np.stack([1000 + 50 * x[:, 0], 3 * x[:, 1]], axis=1)
    found = case(mlp(2, None, "mse"), x, y, accuracy=False)
    _, model = patched(TargetScaling().guess(found), found, x)
    np.testing.assert_allclose(reloaded(model)(x), model(x), rtol=1e-6)


def test_keeps_outputs_that_cannot_be_negative(mlp, case, patched, broken, table):
    x = table()
    found = case(mlp(1, "softplus", "mse"), x, 100 + 5 * np.abs(x[:, 0]), accuracy=False)
    recipe, model = patched(TargetScaling().guess(found), found, x)
    assert recipe.get("layers/head/after")[0]["config"]["offset"] == 0.0
    assert np.asarray(model(x)).min() > 0
    assert not broken(found, recipe)


def test_goes_behind_a_trailing_activation_and_after_the_contract_is_met(mlp, case, composed, broken, table):
    x = table()
    model = mlp(1, None, "mse", extra=[L.Activation("sigmoid", name="end")])
    found = case(model, x, 300 * x[:, 0], accuracy=False)
    recipe = composed(found, OutputLayer(), TargetScaling())
    assert not broken(found, recipe)
    assert [item["class_name"] for item in recipe.get("layers/end/after")] == ["Rescaling"]
    assert not TargetScaling().guess(found.at(recipe))


@pytest.mark.parametrize("form", ["list", "one", "dict", "weighted"])
def test_weighs_one_output_of_several(case, patched, table, form):
    x = table()
    source = keras.Input((4,))
    model = keras.Model(source, [L.Dense(1, name="near")(source), L.Dense(1, name="far")(source)])
    loss = {"one": "mse", "dict": {"far": "mse", "near": "mae"}}.get(form, ["mae", "mse"])
    model.compile("sgd", loss, loss_weights=[0.5, 2.0] if form == "weighted" else None)
    ys = [x[:, :1], 40 * x[:, 1:2] + 500]
    found = case(model, x, ys, accuracy=False)
    recipe, fixed = patched(TargetScaling().guess(found), found, x)
    assert "after" not in recipe.get("layers/near")
    if form != "dict":
        # Keras names an output after its last layer: the builder has to carry names in `compile` over to the new one.
        assert np.isfinite(fixed.evaluate(x, ys, verbose=0, return_dict=True)["loss"])
    weights = recipe.get("compile/loss_weights")
    near, far = (weights["near"], weights["far"]) if form == "dict" else weights
    assert near == (0.5 if form == "weighted" else 1.0)
    assert far == pytest.approx((2.0 if form == "weighted" else 1.0) / np.std(ys[1]) ** 2, rel=1e-2)


@pytest.mark.parametrize(
    ("activation", "loss", "scale", "shift"),
    [
        (None, "mse", 1.0, 0.0),
        (None, "mse", 2.0, 1.0),
        (None, "mean_squared_logarithmic_error", 100.0, 400.0),
        ("softplus", "poisson", 10.0, 50.0),
        (None, "cosine_similarity", 100.0, 0.0),
        ("sigmoid", "mse", 100.0, 0.0),
    ],
)
def test_leaves_the_rest_alone(mlp, case, table, activation, loss, scale, shift):
    x = table()
    y = np.abs(scale * x[:, 0] + shift) if loss == "poisson" else scale * x[:, 0] + shift
    assert not TargetScaling().guess(case(mlp(1, activation, loss), x, y, accuracy=False))


def test_leaves_custom_losses_and_classes_alone(mlp, case, table):
    def mine(y, p):
        return keras.ops.mean((y - p) ** 2)

    x = table()
    assert not TargetScaling().guess(case(mlp(1, None, mine), x, 100 * x[:, 0], accuracy=False))
    assert not TargetScaling().guess(case(mlp(40, "softmax", "sparse_categorical_crossentropy"), x, np.arange(60) % 40))
