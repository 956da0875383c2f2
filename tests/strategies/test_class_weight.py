import keras
import numpy as np
import optuna
import pytest
from sklearn.utils.class_weight import compute_class_weight

from autofix.symptom import Symptom
from autofix_strategies.class_weight import CHOICES, ClassWeight, weights

L = keras.layers


def rare(count=100, few=10):
    return (np.arange(count) < few).astype(int)


def test_weights_are_scikit_learns(mlp, case, patched, table):
    y = rare()
    found = case(mlp(1, "sigmoid", "binary_crossentropy"), table(100), y)
    recipe, _ = patched(ClassWeight().guess(found), found, table(100))
    expected = compute_class_weight("balanced", classes=np.array([0, 1]), y=y)
    assert list(recipe.get("fit/class_weight").values()) == pytest.approx(expected, rel=1e-3)
    assert "10 rows" in ClassWeight().guess(found).changes[0].why


def test_a_class_that_never_occurs_weighs_nothing_special():
    assert weights((0, 30, 10)) == {"0": 1.0, "1": pytest.approx(0.6667, rel=1e-3), "2": 2.0}


@pytest.mark.parametrize("choice", CHOICES)
def test_each_choice_of_the_search_holds(mlp, case, patched, table, choice):
    found = case(mlp(1, "sigmoid", "binary_crossentropy"), table(100), rare())
    patch = ClassWeight().suggest(optuna.trial.FixedTrial({"class_weight.kind": choice}), found)
    recipe, model = patched(patch, found, table(100))
    assert (recipe.get("fit/oversample") is True) is (choice == "oversample")
    if choice == "damped":
        assert recipe.get("fit/class_weight")["1"] == pytest.approx(5**0.5, rel=1e-3)
    if "prior" in choice:
        assert float(np.asarray(model(np.zeros((1, 4))))[0, 0]) == pytest.approx(0.1, rel=1e-2)


def test_a_prior_needs_a_binary_head(mlp, case, table):
    found = case(mlp(2, "softmax", "sparse_categorical_crossentropy"), table(100), rare())
    assert not ClassWeight().suggest(optuna.trial.FixedTrial({"class_weight.kind": "prior"}), found)


def test_even_classes_quantities_and_steps_are_left_alone(mlp, case, table):
    x = table(100)
    assert not ClassWeight().guess(case(mlp(1, "sigmoid", "binary_crossentropy"), x, rare(100, 45)))
    assert not ClassWeight().guess(case(mlp(1, None, "mse"), x, x[:, 0], accuracy=False))
    assert not ClassWeight().guess(case(mlp(3, "sigmoid", "binary_crossentropy"), x, (x[:, :3] > 1).astype(int)))
    model = keras.Sequential([keras.Input((5, 2)), L.LSTM(3, return_sequences=True), L.Dense(1, "sigmoid")])
    model.compile("sgd", "binary_crossentropy")
    steps = np.random.default_rng(0).normal(size=(40, 5, 2))
    assert not ClassWeight().guess(case(model, steps, (steps[..., 0] > 1.5).astype(int)))


def test_several_outputs_are_left_alone(case, table):
    source = keras.Input((4,))
    model = keras.Model(source, [L.Dense(1, "sigmoid", name=name)(source) for name in "ab"])
    model.compile("sgd", "binary_crossentropy")
    assert not ClassWeight().guess(case(model, table(100), [rare(), rare()]))


def test_weights_of_the_users_own_stay_until_they_fail(mlp, case, table):
    model, fit = mlp(1, "sigmoid", "binary_crossentropy"), {"class_weight": {"0": 1.0, "1": 3.0}}
    assert not ClassWeight().guess(case(model, table(100), rare(), fit=fit))
    failed = case(model, table(100), rare(), fit=fit, symptoms=[Symptom.IMBALANCE_IGNORED])
    assert ClassWeight().guess(failed)
