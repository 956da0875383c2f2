import keras
import numpy as np
import pytest
from keras import initializers as ki
from keras import layers as kl

from autofix.facts import TaskKind
from autofix.symptom import Symptom
from autofix.testing import case_for, small_case
from autofix_strategies.initializer import Initializer

X = np.ones((4, 64), "float32")


def changed(model, x=X, symptoms=()):
    model.compile("sgd", "mse")
    case = case_for(model, x, np.ones((4, 1)), kinds=[TaskKind.REGRESSION], symptoms=symptoms)
    return {change.path.removeprefix("layers/"): change.after for change in Initializer().guess(case)}


def hidden(initializer, activation="relu", **rest):
    layer = kl.Dense(64, activation, kernel_initializer=initializer, name="a", **rest)
    return keras.Sequential([keras.Input((64,)), layer, kl.Dense(1, name="head")])


@pytest.mark.parametrize(
    "initializer",
    [
        "zeros",
        "ones",
        ki.Constant(0.01),
        ki.RandomNormal(stddev=1.0),
        ki.RandomUniform(-1e-4, 1e-4),
        ki.RandomUniform(-5, 5),
        ki.RandomNormal(mean=2.0, stddev=0.1),
        ki.TruncatedNormal(stddev=1e-3),
        ki.VarianceScaling(scale=100.0),
        ki.Orthogonal(gain=10.0),
    ],
)
@pytest.mark.parametrize(
    ("activation", "fitting"), [("relu", "he_normal"), ("tanh", "glorot_uniform"), ("selu", "lecun_normal")]
)
def test_what_starts_wrong_gets_what_fits(initializer, activation, fitting):
    assert changed(hidden(initializer, activation)) == {"a/kernel_initializer": fitting}


@pytest.mark.parametrize(
    "initializer",
    [
        "glorot_uniform",
        "he_normal",
        "lecun_uniform",
        "orthogonal",
        "variance_scaling",
        "random_normal",
        "random_uniform",
        "identity",
        ki.RandomNormal(stddev=0.1),
        ki.RandomNormal(stddev=0.3),
    ],
)
def test_what_starts_well_enough_stays(initializer):
    assert changed(hidden(initializer)) == {}


def test_the_same_spread_fits_one_width_and_not_another():
    narrow = keras.Sequential(
        [keras.Input((4,)), kl.Dense(4, "relu", kernel_initializer=ki.RandomNormal(stddev=0.7)), kl.Dense(1)]
    )
    assert changed(narrow, np.ones((4, 4))) == {}
    assert changed(hidden(ki.RandomNormal(stddev=0.7))) == {"a/kernel_initializer": "he_normal"}


def test_large_biases_of_hidden_layers_go():
    assert changed(hidden("he_normal", bias_initializer=ki.Constant(-10.0))) == {"a/bias_initializer": "zeros"}
    assert changed(hidden("he_normal", bias_initializer=ki.Constant(0.1))) == {}


def test_class_priors_on_the_head_stay():
    head = kl.Dense(1, bias_initializer=ki.Constant(-4.6))
    assert changed(keras.Sequential([keras.Input((64,)), kl.Dense(8, "relu"), head])) == {}


def test_a_head_of_zeros_stays_unless_more_is_wrong():
    head = {"kernel_initializer": "zeros", "name": "head"}
    alone = keras.Sequential([keras.Input((64,)), kl.Dense(8, "relu"), kl.Dense(1, **head)])
    assert changed(alone) == {}
    both = keras.Sequential(
        [keras.Input((64,)), kl.Dense(8, kernel_initializer="zeros", name="a"), kl.Dense(1, **head)]
    )
    assert changed(both) == {"a/kernel_initializer": "glorot_uniform", "head/kernel_initializer": "glorot_uniform"}


def test_convolutions_count_their_window():
    wide = ki.RandomNormal(stddev=0.2)

    def model(window):
        return keras.Sequential(
            [
                keras.Input((16, 16, 8)),
                kl.Conv2D(8, window, activation="relu", kernel_initializer=wide, name="c"),
                kl.GlobalAveragePooling2D(),
                kl.Dense(1),
            ]
        )

    x = np.ones((4, 16, 16, 8), "float32")
    assert changed(model(1), x) == {}
    assert changed(model(9), x) == {"c/kernel_initializer": "he_normal"}


def test_recurrent_kernels_become_orthogonal():
    layer = kl.SimpleRNN(32, recurrent_initializer=ki.RandomNormal(stddev=0.5), bias_initializer="ones", name="r")
    model = keras.Sequential([keras.Input((5, 4)), layer, kl.Dense(1)])
    assert changed(model, np.ones((4, 5, 4))) == {"r/recurrent_initializer": "orthogonal"}


def test_activation_behind_the_layer_decides():
    layer = kl.Dense(64, kernel_initializer="ones", name="a")
    model = keras.Sequential([keras.Input((64,)), layer, kl.BatchNormalization(), kl.ReLU(), kl.Dense(1)])
    assert changed(model) == {"a/kernel_initializer": "he_normal"}


def test_frozen_layers_and_custom_initializers_stay():
    @keras.saving.register_keras_serializable("tests")
    class Mine(ki.Initializer):
        def __call__(self, shape, dtype=None):
            return keras.ops.ones(shape, dtype)

    assert changed(hidden("zeros", trainable=False)) == {}
    assert changed(hidden(Mine())) == {}


def test_layers_of_one_kind_are_one_line_and_evidence_comes_from_the_right_rule():
    case = small_case("sigmoid_mlp").case
    model = keras.Sequential([keras.Input((8,)), *(kl.Dense(8, kernel_initializer="ones") for _ in range(3))])
    model.compile("sgd", "mse")
    symptoms = [Symptom.PLATEAU, Symptom.BAD_INITIALIZATION]
    case = case_for(model, np.ones((4, 8)), np.ones((4, 8)), kinds=[TaskKind.REGRESSION], symptoms=symptoms)
    (line,) = Initializer().guess(case).lines
    assert len(line) == 3
    assert line[0].why.startswith(Symptom.BAD_INITIALIZATION.value)
