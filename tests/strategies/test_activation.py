import keras
import numpy as np
import pytest
from keras import layers as kl

from autofix.facts import TaskKind
from autofix.recipe import layers
from autofix.symptom import Symptom
from autofix.testing import case_for, small_case
from autofix_strategies.activation import Activation

X = np.ones((4, 8), "float32")
SEQUENCES = np.ones((4, 6, 8), "float32")


def changed(model, *symptoms, x=X):
    model.compile("sgd", "mse")
    case = case_for(model, x, np.ones((4, 1)), kinds=[TaskKind.REGRESSION], symptoms=symptoms)
    patch = Activation().guess(case)
    patch.apply(case.recipe).build()
    return {change.path.removeprefix("layers/"): change.after for change in patch}


def stack(*inner, shape=(8,)):
    return keras.Sequential([keras.Input(shape), *inner, kl.Dense(1, name="head")])


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "hard_sigmoid", "softsign", "softmax", "exponential"])
def test_saturating_hidden_layers_become_relu_in_one_line(name):
    model = stack(kl.Dense(4, name, name="a"), kl.Dense(4, name, name="b"))
    model.compile("sgd", "mse")
    case = case_for(model, X, np.ones((4, 1)), kinds=[TaskKind.REGRESSION], symptoms=[Symptom.PLATEAU])
    (line,) = Activation().guess(case).lines
    assert [change.path for change in line] == ["layers/a/activation", "layers/b/activation"]
    assert {change.after for change in line} == {"relu"}
    assert "Planted" in line[0].why


def test_healthy_activations_stay():
    assert changed(stack(kl.Dense(4, "relu"), kl.Dense(4, "gelu"), kl.LeakyReLU()), Symptom.PLATEAU) == {}


def test_the_output_stays():
    model = keras.Sequential([keras.Input((8,)), kl.Dense(1), kl.Activation("sigmoid")])
    assert changed(model, Symptom.SATURATED_UNITS) == {}
    model = keras.Sequential([keras.Input((8,)), kl.Dense(1, "tanh")])
    assert changed(model, Symptom.DEAD_UNITS) == {}


def test_both_ends_of_a_sum_that_is_the_output_stay():
    inputs = keras.Input((8,))
    model = keras.Model(inputs, kl.Add()([kl.Dense(1, "sigmoid")(inputs), kl.Dense(1, "tanh")(inputs)]))
    assert changed(model, Symptom.PLATEAU) == {}


def test_a_stack_of_linear_layers_gets_relu():
    model = stack(kl.Dense(8, name="a"), kl.Dropout(0.1), kl.Dense(8, name="b"))
    assert changed(model, Symptom.UNDERFITTING) == {"a/activation": "relu", "b/activation": "relu"}


def test_a_linear_bottleneck_is_deliberate():
    assert changed(stack(kl.Dense(8, "relu"), kl.Dense(2, name="code"), kl.Dense(8, "relu")), Symptom.PLATEAU) == {}


@pytest.mark.parametrize("layer", [kl.ReLU(), kl.Activation("relu"), kl.BatchNormalization(), kl.PReLU()])
def test_a_linear_layer_before_an_activation_is_not_missing_one(layer):
    found = changed(stack(kl.Dense(8, name="a"), layer), Symptom.PLATEAU)
    assert ("a/activation" in found) == isinstance(layer, kl.BatchNormalization)


def test_dead_relu_leaks():
    model = stack(kl.Dense(4, "relu", name="a"), kl.Dense(4, name="b"), kl.ReLU(name="c"), kl.Dense(4, "elu"))
    assert changed(model, Symptom.DEAD_UNITS) == {"a/activation": "leaky_relu", "c/negative_slope": 0.2}


def test_standalone_activations():
    model = stack(kl.Dense(4), kl.Activation("sigmoid", name="act"), kl.Dense(4), kl.Softmax(name="soft"))
    found = changed(model, Symptom.VANISHING_GRADIENT)
    assert found["act/activation"] == "relu"
    assert found["soft/skip"] is True
    assert found["soft/after"][0]["config"]["activation"] == "relu"


@pytest.mark.parametrize("layer", [kl.LSTM, kl.GRU])
def test_tanh_and_gates_of_recurrent_layers_stay(layer):
    assert changed(stack(layer(4, name="r"), shape=(6, 8)), Symptom.PLATEAU, Symptom.DEAD_UNITS, x=SEQUENCES) == {}


@pytest.mark.parametrize("layer", [kl.LSTM, kl.GRU, kl.SimpleRNN])
def test_unbounded_recurrence_gets_tanh_where_values_explode(layer):
    model = stack(kl.Bidirectional(layer(4, activation="relu"), name="w"), kl.Dense(4, "relu"), shape=(6, 8))
    found = changed(model, Symptom.NON_FINITE_LOSS, x=SEQUENCES)
    assert found == {"w/layer/activation": "tanh", "w/backward_layer/activation": "tanh"}


def test_explosion_alone_leaves_saturating_layers():
    assert changed(stack(kl.Dense(4, "sigmoid")), Symptom.EXPLODING_GRADIENT) == {}


def test_gates_frozen_and_shared_layers():
    found = {change.path for change in Activation().guess(small_case("gated").case)}
    assert "layers/gate/activation" not in found
    assert "layers/frozen/activation" not in found
    assert "layers/shared/activation" in found
    assert "layers/branch/activation" not in found  # its sum with the residual is what is activated


def test_custom_activations_and_layers_stay():
    recipe = small_case("custom_layer").case.recipe
    names = {view.class_name: view.path for view in layers(recipe)}
    found = {change.path for change in Activation().guess(small_case("custom_layer").case)}
    assert found == {f"{layers(recipe)[1].path}/activation"}
    assert f"{names['Scaled']}/activation" not in found


def test_layers_inside_wrappers_and_nested_models():
    assert any("/layer/activation" in change.path for change in Activation().guess(small_case("embedding").case))
    assert any(change.path.startswith("layers/encoder/") for change in Activation().guess(small_case("nested").case))
