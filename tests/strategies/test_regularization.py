import keras
import numpy as np
import pytest
from keras import layers as kl
from keras import regularizers as kr

from autofix.facts import TaskKind
from autofix.symptom import Symptom
from autofix.testing import case_for, small_case
from autofix_strategies.regularization import Regularization

X = np.ones((4, 8), "float32")
MANY = np.ones((2_000, 8), "float32")


def guessed(model, *symptoms, kind=TaskKind.REGRESSION, optimizer="sgd", x=X, **fit):
    model.compile(optimizer, "mse")
    case = case_for(model, x, np.ones((len(x), 1)), kinds=[kind], symptoms=symptoms, fit=fit)
    patch = Regularization().guess(case)
    patch.apply(case.recipe).build()
    return {change.path: change.after for change in patch}, patch


def mlp(*inner, head=1):
    return keras.Sequential([keras.Input((8,)), *inner, kl.Dense(head, name="head")])


def test_strong_penalties_become_mild_in_one_line():
    model = mlp(kl.Dense(4, kernel_regularizer=kr.L2(0.5), name="a"), kl.Dense(4, kernel_regularizer=kr.L2(0.1)))
    found, patch = guessed(model)
    assert found["layers/a/kernel_regularizer"]["config"] == {"l2": 1e-4}
    assert [len(line) for line in patch.lines] == [2]


@pytest.mark.parametrize("symptom", [Symptom.STRONG_REGULARIZATION, Symptom.REGULARIZATION_DOMINATES])
def test_a_usual_penalty_goes_down_only_where_it_was_found_too_strong(symptom):
    def model():
        return mlp(kl.Dense(4, kernel_regularizer=kr.L2(0.01), bias_regularizer=kr.L1(0.0005), name="a"))

    assert guessed(model())[0] == {}
    assert set(guessed(model(), symptom)[0]) == {"layers/a/kernel_regularizer", "layers/a/bias_regularizer"}


def test_both_parts_of_l1l2_are_judged_alone():
    found, _ = guessed(mlp(kl.Dense(4, kernel_regularizer=kr.L1L2(0.5, 0.001), name="a")))
    assert found["layers/a/kernel_regularizer"]["config"] == {"l1": 1e-5, "l2": 0.001}


def test_activity_layer_and_norm_constraint():
    model = mlp(
        kl.Dense(4, kernel_constraint=keras.constraints.MaxNorm(0.01), name="a"),
        kl.ActivityRegularization(l2=3.0, name="act"),
    )
    assert guessed(model)[0] == {"layers/act/l2": 1e-4, "layers/a/kernel_constraint": None}


@pytest.mark.parametrize("layer", [kl.Dropout, kl.GaussianDropout, kl.AlphaDropout])
def test_strong_dropout_becomes_mild(layer):
    assert guessed(mlp(layer(0.9, name="d"), kl.Dense(4)))[0] == {"layers/d/rate": 0.2}
    assert guessed(mlp(layer(0.5, name="d"), kl.Dense(4)))[0] == {}
    assert guessed(mlp(layer(0.5, name="d"), kl.Dense(4)), Symptom.UNDERFITTING)[0] == {"layers/d/rate": 0.2}


def test_dropout_inside_recurrent_layers():
    model = keras.Sequential(
        [keras.Input((5, 8)), kl.Bidirectional(kl.LSTM(4, dropout=0.8, recurrent_dropout=0.9), name="w"), kl.Dense(1)]
    )
    found, patch = guessed(model, x=np.ones((4, 5, 8)))
    assert len(found) == 4
    assert len(patch.lines) == 2


@pytest.mark.parametrize("kind", [TaskKind.REGRESSION, TaskKind.BINARY])
def test_dropout_on_the_output_goes(kind):
    model = keras.Sequential([keras.Input((8,)), kl.Dense(4), kl.Dense(1), kl.Dropout(0.9, name="d")])
    assert guessed(model, kind=kind)[0] == {"layers/d/skip": True}


def test_dropout_before_a_regression_output_goes_and_before_a_classifier_stays():
    def model(head=1):
        return mlp(kl.Dense(4), kl.Dropout(0.3, name="d"), head=head)

    assert guessed(model())[0] == {"layers/d/skip": True}
    assert guessed(model(), kind=TaskKind.BINARY)[0] == {}
    assert guessed(model(3))[0] == {}


def test_an_output_that_is_called_by_name_keeps_its_name():
    inputs = keras.Input((8,))
    ends = [kl.Dropout(0.4, name=name)(kl.Dense(1)(kl.Dense(4)(inputs))) for name in "ab"]
    model = keras.Model(inputs, ends)
    model.compile("sgd", {"a": "mse", "b": "mae"})
    y = {"a": np.ones((4, 1)), "b": np.ones((4, 1))}
    case = case_for(model, X, y, kinds=[TaskKind.REGRESSION] * 2)
    patch = Regularization().guess(case)
    assert {change.path: change.after for change in patch} == {"layers/a/rate": 0.0, "layers/b/rate": 0.0}
    built = patch.apply(case.recipe).build()
    built.fit(X, [y["a"], y["b"]], verbose=0)


def test_weight_decay():
    found, _ = guessed(mlp(kl.Dense(4)), optimizer=keras.optimizers.AdamW(weight_decay=0.5))
    assert found == {"compile/optimizer/weight_decay": 0.004}


def test_overfitting_gets_dropout_in_one_line_and_stops_early():
    found, patch = guessed(mlp(kl.Dense(4, name="a"), kl.Dense(4, name="b")), Symptom.OVERFITTING, x=MANY)
    assert set(found) == {"layers/a/after", "layers/b/after", "fit/patience"}
    assert len(patch.lines) == 2
    assert found["layers/a/after"][0]["config"]["rate"] == 0.3


def test_overfitting_on_few_rows_gets_a_penalty_in_one_line():
    found, patch = guessed(mlp(kl.Dense(4, name="a"), kl.Dense(4, name="b")), Symptom.OVERFITTING)
    assert set(found) == {f"layers/{name}/kernel_regularizer" for name in ("a", "b", "head")}
    assert len(patch.lines) == 1


def test_overfitting_linear_model_gets_a_penalty():
    found, _ = guessed(mlp(), Symptom.OVERFITTING, x=MANY, patience=3)
    assert set(found) == {"layers/head/kernel_regularizer"}


def test_overfitting_with_regularization_only_stops_early():
    model = mlp(kl.Dense(4, kernel_regularizer="l2"), kl.Dropout(0.2), kl.Dense(4))
    assert set(guessed(model, Symptom.OVERFITTING)[0]) == {"fit/patience"}


def test_underfitting_wins_over_overfitting():
    model = mlp(kl.Dropout(0.9, name="d"), kl.Dense(4))
    assert guessed(model, Symptom.OVERFITTING, Symptom.UNDERFITTING)[0] == {"layers/d/rate": 0.2}


def test_subclassed_model_only_stops_early():
    case = small_case("subclassed").case
    assert not Regularization().guess(case)


def test_custom_regularizers_stay():
    @keras.saving.register_keras_serializable("tests")
    class Mine(kr.Regularizer):
        def __call__(self, weights):
            return 9.0 * keras.ops.sum(weights**2)

        def get_config(self):
            return {}

    assert guessed(mlp(kl.Dense(4, kernel_regularizer=Mine())))[0] == {}
