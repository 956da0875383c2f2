import keras
import numpy as np
import pytest
from keras import layers as kl

from autofix.facts import TaskKind
from autofix.testing import case_for, small_case
from autofix_strategies.normalization import Normalization

X = np.ones((4, 8), "float32")


def guessed(model, x=X, **fit):
    model.compile("sgd", "mse")
    case = case_for(model, x, np.ones((4, 1)), kinds=[TaskKind.REGRESSION], fit=fit)
    patch = Normalization().guess(case)
    patch.apply(case.recipe).build()
    return {change.path.removeprefix("layers/"): change.after[0]["class_name"] for change in patch}, patch


def mlp(*inner):
    return keras.Sequential([keras.Input((8,)), *inner, kl.Dense(1)])


def test_behind_every_hidden_layer_and_nowhere_else():
    found, patch = guessed(mlp(kl.Dense(4, "relu", name="a"), kl.Dropout(0.1), kl.Dense(4, name="b"), kl.ReLU()))
    assert found == {"a/after": "BatchNormalization", "b/after": "BatchNormalization"}
    assert len(patch.lines) == 1
    assert len({change.after[0]["config"]["name"] for change in patch}) == 2


def test_small_batches_and_sequences_get_layer_normalization():
    found, _ = guessed(mlp(kl.Dense(4), kl.Dense(4)), batch_size=8)
    assert set(found.values()) == {"LayerNormalization"}
    model = keras.Sequential([keras.Input((5, 8)), kl.LSTM(4, return_sequences=True), kl.GRU(4), kl.Dense(1)])
    found, _ = guessed(model, np.ones((4, 5, 8)))
    assert set(found.values()) == {"LayerNormalization"}


@pytest.mark.parametrize("layer", [kl.BatchNormalization(), kl.LayerNormalization(), kl.GroupNormalization(2)])
def test_a_model_that_normalizes_is_left_alone(layer):
    assert guessed(mlp(kl.Dense(4), layer, kl.Dense(4)))[0] == {}


def test_input_normalization_does_not_count():
    assert len(guessed(mlp(kl.Normalization(mean=0.0, variance=1.0), kl.Dense(4), kl.Dense(4)))[0]) == 2


def test_one_hidden_layer_is_not_deep():
    assert guessed(mlp(kl.Dense(4)))[0] == {}


def test_gates_frozen_and_shared_layers_are_passed_over():
    found = {change.path for change in Normalization().guess(small_case("gated").case)}
    assert found
    assert not found & {"layers/gate/after", "layers/frozen/after", "layers/shared/after"}


def test_never_twice():
    case = small_case("sigmoid_mlp").case
    patched = Normalization().guess(case).apply(case.recipe)
    assert not Normalization().guess(case.at(patched))


def test_layers_that_put_out_their_state_are_passed_over():
    inputs = keras.Input((5, 8))
    out, *state = kl.LSTM(4, return_state=True, name="r")(inputs)
    hidden = kl.Dense(4, name="b")(kl.Dense(4, name="a")(kl.Concatenate()([out, *state])))
    found, _ = guessed(keras.Model(inputs, kl.Dense(1)(hidden)), np.ones((4, 5, 8)))
    assert set(found) == {"a/after", "b/after"}


def test_name_that_is_taken_gets_a_number():
    _, patch = guessed(mlp(kl.Dense(4, name="a"), kl.Dense(4, name="a_normalization")))
    names = {change.after[0]["config"]["name"] for change in patch}
    assert names == {"a_normalization_2", "a_normalization_normalization"}
