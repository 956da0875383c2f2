"""The scikit-learn estimators: what scikit-learn asks of them, and that they repair."""

from __future__ import annotations

import joblib
import keras
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import autofix
from autofix.errors import FixYourCall
from autofix.sklearn import RepairingClassifier, RepairingRegressor
from tests.programs import TINY_RATE, blobs, differences, snapshot

L = keras.layers
# One candidate, one remedy, as in tests/programs.py.
QUICK = {"budget": autofix.Budget(trials=1), "strategies": ["learning_rate"], "random_state": 0}
WEIGHTS = (
    "a weight of 0 counts as a row: the row is in the batches, and what is normalized, held out and scored is all rows"
)
FAILS = {
    "check_sample_weight_equivalence_on_dense_data": WEIGHTS,
    "check_sample_weight_equivalence_on_sparse_data": WEIGHTS,
    "check_regressor_multioutput": "it asks for float64; predictions come in the precision of the model, float32",
}
# Run by default: what a wrapper most easily gets wrong. All of them are run by `-m slow`.
CHECKS = frozenset(
    {
        "check_dict_unchanged", "check_do_not_raise_errors_in_init_or_set_params", "check_estimator_cloneable",
        "check_estimators_fit_returns_self", "check_estimators_unfitted", "check_get_params_invariance",
        "check_n_features_in", "check_no_attributes_set_in_init", "check_parameters_default_constructible",
        "check_set_params", "check_classifiers_one_label", "check_valid_tag_types",
    }
)  # fmt: skip


# What both estimators share is checked for one of them.
OF_REGRESSORS = frozenset({"check_estimators_unfitted", "check_get_params_invariance"})
SLOW = pytest.mark.slow


def classify(meta, units=16, rate=0.05, loss="sparse_categorical_crossentropy"):
    layers = [L.Dense(units, "tanh"), L.Dense(meta["n_classes_"], "softmax")]
    model = keras.Sequential([keras.Input((meta["n_features_in_"],)), *layers])
    model.compile(keras.optimizers.Adam(rate), loss)
    return model


def regress(meta, rate=0.05):
    model = keras.Sequential([keras.Input((meta["n_features_in_"],)), L.Dense(16, "tanh"), L.Dense(meta["n_outputs_"])])
    model.compile(keras.optimizers.Adam(rate), "mse")
    return model


def checked(*estimators):
    """Every check of every estimator; those that take long are marked slow."""
    mark = parametrize_with_checks(list(estimators), expected_failed_checks=lambda estimator: FAILS)
    cases = []
    for case in mark.args[1]:
        estimator, check = getattr(case, "values", case)
        marks = list(getattr(case, "marks", ()))
        name, kind = check.func.__name__, type(estimator).__name__
        marks = marks if name in CHECKS and (kind == "RepairingClassifier" or name in OF_REGRESSORS) else [*marks, SLOW]
        cases.append(pytest.param(estimator, check, id=f"{kind}-{name}", marks=marks))
    return pytest.mark.parametrize(("estimator", "check"), cases)


@checked(RepairingClassifier(classify, epochs=10, **QUICK), RepairingRegressor(regress, epochs=10, **QUICK))
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def data():
    """Three clusters, with names for labels."""
    (x, y), _ = blobs()
    return x, np.array(["ash", "birch", "cedar"])[y]


@pytest.fixture(scope="module")
def repaired():
    """A classifier that was stuck at a learning rate of 1e-7, and a stranger's model that it was made from."""
    x, y = data()
    given = classify({"n_classes_": 3, "n_features_in_": 4}, 32, TINY_RATE)
    before = snapshot(given)
    classifier = RepairingClassifier(given, epochs=25, batch_size=16, **QUICK).fit(x, y)
    return classifier, given, before


def test_a_stuck_model_is_repaired_inside_fit(repaired):
    classifier, given, before = repaired
    x, y = data()
    assert classifier.result_.status == "repaired"
    assert [change.strategy for change in classifier.result_.changes] == ["learning_rate"]
    assert classifier.model_ is classifier.result_.model
    assert {item.symptom for item in classifier.diagnosis_} >= {autofix.Symptom.EXTREME_LEARNING_RATE}
    assert classifier.score(x, y) > 0.85
    assert differences(before, snapshot(given)) == []


def test_labels_and_probabilities_are_in_the_order_of_classes(repaired):
    classifier, _, _ = repaired
    x, _ = data()
    assert list(classifier.classes_) == ["ash", "birch", "cedar"]
    probabilities = classifier.predict_proba(x)
    assert probabilities.shape == (len(x), 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-5)
    assert list(classifier.classes_[probabilities.argmax(axis=1)]) == list(classifier.predict(x))


# What Keras warns of when it copies a model under NumPy 2, and one whose optimizer has done no step.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:Skipping variable loading:UserWarning")
def test_a_fitted_estimator_travels(repaired, tmp_path):
    classifier, _, _ = repaired
    x, _ = data()
    joblib.dump(classifier, tmp_path / "it.joblib")
    again = joblib.load(tmp_path / "it.joblib")
    np.testing.assert_allclose(again.predict_proba(x), classifier.predict_proba(x), rtol=1e-5)
    assert again.result_.changes == classifier.result_.changes
    assert again.result_.study is None
    assert classifier.result_.study is not None


def test_a_clone_is_unfitted_and_reads_the_same_model(repaired):
    classifier, given, _ = repaired
    twin = clone(classifier)
    assert twin.model is given
    assert twin.get_params(deep=False).keys() == classifier.get_params(deep=False).keys()
    assert twin.strategies == classifier.strategies
    with pytest.raises(NotFittedError):
        twin.predict(data()[0])


def test_a_healthy_model_is_trained_and_left_alone():
    x, y = data()
    classifier = RepairingClassifier(classify, epochs=20, random_state=0).fit(x, y)
    assert classifier.result_ is None
    assert classifier.score(x, y) > 0.85
    assert len(classifier.history_["loss"]) == 20
    twin = clone(classifier).fit(x, y)
    np.testing.assert_array_equal(twin.predict_proba(x), classifier.predict_proba(x))


def test_in_a_pipeline_and_a_grid_search():
    x, y = data()
    pipeline = make_pipeline(StandardScaler(), RepairingClassifier(classify, epochs=4, batch_size=8, **QUICK))
    grid = {"repairingclassifier__model_args": [{"units": 1}, {"units": 16}]}
    search = GridSearchCV(pipeline, grid, cv=2, refit=False, error_score="raise").fit(x, y)
    assert search.best_params_["repairingclassifier__model_args"] == {"units": 16}
    assert search.best_score_ > 0.8


@pytest.mark.slow
def test_cross_validation_repairs_every_fold():
    x, y = data()
    classifier = RepairingClassifier(classify, model_args={"units": 32, "rate": TINY_RATE}, epochs=25, **QUICK)
    assert cross_val_score(classifier, x, y, cv=3, error_score="raise").mean() > 0.85


@pytest.mark.parametrize(
    ("units", "activation", "loss"),
    [
        (1, None, keras.losses.BinaryCrossentropy(from_logits=True)),
        (2, "softmax", "categorical_crossentropy"),
        pytest.param(1, "sigmoid", "binary_crossentropy", marks=SLOW),
        pytest.param(2, None, keras.losses.SparseCategoricalCrossentropy(from_logits=True), marks=SLOW),
        pytest.param(1, "tanh", "mse", marks=SLOW),
    ],
)
def test_heads_of_all_kinds_are_read_and_fed_rightly(units, activation, loss):
    def build(meta):
        model = keras.Sequential([keras.Input((4,)), L.Dense(8, "tanh"), L.Dense(units, activation)])
        model.compile(keras.optimizers.Adam(0.05), loss)
        return model

    x, y = data()
    x, y = x[y != "cedar"], y[y != "cedar"]
    classifier = RepairingClassifier(build, epochs=15, batch_size=8, **QUICK).fit(x, y)
    assert classifier.score(x, y) > 0.8
    assert classifier.predict_proba(x).shape == (len(x), 2)


def test_a_model_that_cannot_even_train_is_repaired():
    def build(meta):
        return classify({**meta, "n_classes_": 2})

    x, y = data()
    settings = {"epochs": 25, "batch_size": 16, "budget": autofix.Budget(trials=2), "random_state": 0}
    classifier = RepairingClassifier(build, strategies=["output_layer", "loss"], **settings).fit(x, y)
    assert classifier.result_.status in ("repaired", "improved")
    assert classifier.score(x, y) > 0.85


@pytest.mark.slow
def test_an_error_that_no_repair_mends_is_the_error_of_fit():
    def build(meta):
        return classify({**meta, "n_classes_": 2})

    x, y = data()
    settings = {"epochs": 25, "batch_size": 16, "budget": autofix.Budget(trials=2), "random_state": 0}
    with pytest.raises(Exception, match=r"label|range|\[0, 2\)"):
        RepairingClassifier(build, strategies=["epochs"], **settings).fit(x, y)


@pytest.mark.parametrize("columns", [(0, 1), pytest.param(0, marks=SLOW)])
def test_a_regressor_keeps_the_shape_of_the_targets(columns):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(160, 3))
    y = x[:, columns]
    regressor = RepairingRegressor(regress, epochs=30, batch_size=16, **QUICK).fit(x, y, np.ones(len(x)))
    assert regressor.predict(x).shape == y.shape
    assert regressor.score(x, y) > 0.8


def test_wrong_models_are_refused():
    x, y = data()
    with pytest.raises(FixYourCall, match="build"):
        RepairingClassifier("a model").fit(x, y)
    with pytest.raises(FixYourCall, match="must build a compiled"):
        RepairingClassifier(lambda meta: None).fit(x, y)
    with pytest.raises(FixYourCall, match="at least two classes"):
        RepairingClassifier(classify).fit(x, ["ash"] * len(x))
