"""Decoding of sound and faulty heads, and scores in the user's own labels and units."""

from __future__ import annotations

import json
import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from autofix.data import OutputHint
from autofix.errors import FixYourCall
from autofix.facts import Encoding, TaskKind
from autofix.labels import from_index, to_index
from autofix.metrics import R2_FLOOR, balanced_accuracy, balanced_log_loss, r2
from autofix.scoring import Link, Score, decode, scorer_of
from autofix.task import infer_target

P, L, S, V = Link.PROBABILITY, Link.LOGIT, Link.SIGNED, Link.VALUE
RNG = np.random.default_rng(0)


def target(y, units=1, activation="linear", loss="mean_squared_error"):
    shape = units if isinstance(units, tuple) else (units,)
    return infer_target("out", np.asarray(y), OutputHint("out", shape, activation, loss, accuracy=False))


def classes(y, units=10):
    return target(y, units, "softmax", "sparse_categorical_crossentropy")


INDEX2 = target([0, 1] * 20, 1, "sigmoid", "binary_crossentropy")
SIGN = target([-1, 1] * 20)
TEXT2 = target(["no", "yes"] * 20)
INDEX3 = classes([0, 1, 2] * 20, 3)
FROM_ONE = classes([1, 2, 3] * 20, 3)
TEXT3 = classes(["a", "b", "c"] * 20, 3)
HOT3 = classes(np.eye(3)[[0, 1, 2] * 20], 3)
FRACTIONS = classes(np.array([0, 1, 2] * 20, dtype=np.float32) / 255, 3)
BOOLS = target([False, True] * 20)


@pytest.mark.parametrize(
    ("facts", "outputs", "link", "expected"),
    [
        (INDEX2, [[0.2], [0.8]], P, [0, 1]),
        (INDEX2, [0.2, 0.8], P, [0, 1]),
        (INDEX2, [[-3.0], [0.1]], L, [0, 1]),
        (INDEX2, [[-0.3], [0.1]], S, [0, 1]),
        (INDEX2, [[0.4], [7.0]], V, [0, 1]),
        (INDEX2, [[1.0], [1.0]], P, [1, 1]),  # softmax on one unit
        (INDEX2, [[0.9, 0.1], [0.3, 0.7]], P, [0, 1]),  # two units
        (INDEX2, [[2.0, -1.0], [-5.0, 4.0]], L, [0, 1]),
        (INDEX2, [[0.1, 0.2, 0.7], [0.1, 0.8, 0.1]], P, [2, 1]),  # a column without a class
        (SIGN, [[-0.9], [0.4]], S, [-1, 1]),
        (SIGN, [[-0.9], [0.4]], V, [-1, 1]),
        (SIGN, [[0.3], [0.6]], P, [-1, 1]),
        (TEXT2, [[0.3], [0.6]], P, ["no", "yes"]),
        (TEXT2, [[0.3], [0.6]], V, ["no", "yes"]),
        (BOOLS, [[0.3], [0.6]], P, [False, True]),
        (INDEX3, [[0.1, 0.8, 0.1], [0.0, 0.0, 1.0]], P, [1, 2]),
        (INDEX3, [[1.4], [9.0], [-3.0]], V, [1, 2, 0]),  # one unit: rounded and clipped
        (INDEX3, [[0.2], [0.9]], P, [0, 1]),
        (INDEX3, [[-9.0], [9.0]], L, [0, 1]),
        (INDEX3, [[0.4, 0.6], [0.6, 0.4]], P, [1, 0]),  # fewer units than classes
        (INDEX3, [[0, 0, 0, 5.0], [0, 3, 0, 0]], L, [3, 1]),  # wider than needed
        (FROM_ONE, [[0.1, 0.8, 0.1], [1, 0, 0]], P, [2, 1]),  # columns are classes in order
        (FROM_ONE, [[0, 0.1, 0.8, 0.1], [1, 0, 0, 0]], P, [2, 0]),  # columns are the labels themselves
        (FROM_ONE, [[2.2], [0.1]], V, [2, 1]),
        (TEXT3, [[0, 0, 1.0], [1, 0, 0]], L, ["c", "a"]),
        (TEXT3, [[0, 0, 1.0, 9.0], [1, 0, 0, 0]], P, ["c", "a"]),
        (HOT3, [[0, 0, 1.0], [1, 0, 0]], V, [2, 0]),
        (FRACTIONS, [[0, 1.0, 0]], P, [np.float32(1) / np.float32(255)]),
        (FRACTIONS, [[0.0079]], V, [np.float32(2) / np.float32(255)]),
    ],
)
def test_predictions_are_the_users_labels(facts, outputs, link, expected):
    predicted, probabilities = decode(np.array(outputs), facts, link)
    assert predicted.tolist() == np.asarray(expected).tolist()
    if probabilities is not None:
        assert probabilities.shape == (len(expected), len(facts.classes))
        assert np.allclose(probabilities.sum(axis=1), 1.0)


def test_probabilities_belong_to_the_classes():
    assert np.allclose(decode(np.array([[0.2]]), INDEX2, P)[1], [[0.8, 0.2]])
    assert np.allclose(decode(np.array([[0.0]]), INDEX2, L)[1], [[0.5, 0.5]])
    assert np.allclose(decode(np.array([[0.2, 0.3, 0.1, 0.4]]), FROM_ONE, P)[1], [[0.375, 0.125, 0.5]])
    assert np.allclose(decode(np.array([[0.0, -0.5, -0.5]]), INDEX3, S)[1], [[0.5, 0.25, 0.25]])
    assert np.allclose(decode(np.array([[1.0, 1.0, 0.0]]), INDEX3, V)[1], [[0.5, 0.5, 0.0]])


def test_outputs_per_step_are_flattened():
    y = RNG.integers(0, 3, (30, 4))
    facts = classes(y, (4, 3))
    predicted, probabilities = decode(np.eye(3)[y], facts, P)
    assert np.array_equal(predicted, y.reshape(-1))
    assert probabilities is not None
    assert probabilities.shape == (120, 3)
    assert scorer_of("auto", [facts]).score([y], [np.eye(3)[y]], [P]).value == 1.0
    kept = np.repeat(np.eye(3)[y[:, :1]], 4, axis=1)
    assert np.array_equal(decode(kept, INDEX3, P)[0], y[:, 0])  # a head that kept its time axis


def test_multilabel_and_quantities():
    y = RNG.integers(0, 2, (40, 3))
    facts = target(y, 3, "sigmoid", "binary_crossentropy")
    assert np.array_equal(decode(y * 0.8, facts, P)[0], y)
    assert np.array_equal(decode(y * 2.0 - 1, facts, L)[0], y)
    assert decode(np.ones((40, 1)), facts, P)[0].shape == (40, 3)
    values = RNG.normal(size=40)
    flat, column = target(values), target(values[:, None])
    assert decode(values[:, None], flat, V)[0].shape == (40,)
    assert decode(values, column, V)[0].shape == (40, 1)
    assert decode(np.repeat(values[:, None, None], 5, axis=1), column, V)[0] == pytest.approx(values[:, None])
    assert scorer_of("auto", [flat]).score([values], [np.ones((40, 7))], [V]).value <= 0.0


ENCODINGS = (INDEX2, SIGN, TEXT2, BOOLS, INDEX3, FROM_ONE, TEXT3, HOT3, FRACTIONS)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_decode_of_encoded_labels_is_the_identity(data):
    facts = data.draw(st.sampled_from(ENCODINGS))
    k = len(facts.classes)
    index = np.array(data.draw(st.lists(st.integers(0, k - 1), min_size=1, max_size=30)))
    labels = from_index(index, facts)
    written = np.eye(k)[index] if facts.encoding is Encoding.ONE_HOT else labels
    assert np.array_equal(to_index(written, facts), index)
    for link, outputs in ((P, np.eye(k)[index]), (L, 9 * np.eye(k)[index] - 4), (S, 2 * np.eye(k)[index] - 1)):
        assert np.array_equal(decode(outputs, facts, link)[0], labels)
    if facts.kind is TaskKind.BINARY:
        assert np.array_equal(decode(index[:, None], facts, P)[0], labels)


def test_labels_nobody_announced_have_no_class():
    assert to_index(np.array([0, 7, 1, -1]), INDEX2).tolist() == [0, -1, 1, -1]
    assert to_index(np.array(["no", "maybe"]), TEXT2).tolist() == [0, -1]
    assert to_index(np.array([2.5, 3.0]), FROM_ONE).tolist() == [-1, 2]
    just_beside = np.array([1.0, 2.0]) / 255 * np.array([1 + 1e-7, 1 - 1e-7])
    assert to_index(just_beside, FRACTIONS).tolist() == [1, 2]


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 999), link=st.sampled_from([P, L, S, V]), kind=st.sampled_from(["binary", "classes", "values"])
)
def test_the_score_does_not_depend_on_the_order_of_rows(seed, link, kind):
    rng = np.random.default_rng(seed)
    y = {"binary": np.arange(40) % 2, "classes": np.arange(40) % 3, "values": rng.normal(size=40)}[kind]
    facts = {"binary": INDEX2, "classes": INDEX3, "values": target(y)}[kind]
    outputs = rng.random((40, 3 if kind == "classes" else 1))
    order = rng.permutation(40)
    scorer = scorer_of("auto", [facts])
    one = scorer.score([y], [outputs], [link])
    two = scorer.score([y[order]], [outputs[order]], [link])
    assert one.value == pytest.approx(two.value, abs=1e-12)
    assert one.tie == pytest.approx(two.tie, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=50))
def test_balanced_accuracy_is_scikit_learns(pairs):
    true, predicted = np.array(pairs).T
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = sk.balanced_accuracy_score(true, predicted)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert balanced_accuracy(true, predicted) == pytest.approx(expected)


def test_r2_is_scikit_learns_and_bounded():
    true, predicted = RNG.normal(size=(50, 3)) * [1, 5, 9], RNG.normal(size=(50, 3))
    assert r2(true, predicted) == pytest.approx(sk.r2_score(true, predicted, multioutput="variance_weighted"))
    assert r2(np.ones(5), np.ones(5)) == 1.0
    assert r2(np.ones(5), np.zeros(5)) == 0.0
    assert r2(true, np.full((50, 3), 1e200)) == r2(true, np.full((50, 3), 1e5)) == R2_FLOOR


def test_balanced_log_loss_weighs_classes_alike():
    true = np.array([0] * 98 + [1] * 2)
    share = np.tile([0.5, 0.5], (100, 1))
    assert balanced_log_loss(true, share) == pytest.approx(math.log(2))
    assert balanced_log_loss(true, np.tile([0.98, 0.02], (100, 1))) > math.log(2)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("facts", [INDEX2, INDEX3, TEXT2])
def test_outputs_that_are_not_finite_get_the_floor(bad, facts):
    y = from_index(np.arange(40) % len(facts.classes), facts)
    outputs = np.zeros((40, len(facts.classes)))
    outputs[3] = bad
    scorer = scorer_of("auto", [facts])
    score = scorer.score([y], [outputs], [L])
    assert score.value == scorer.floor == 0.0
    assert score.rank < scorer.score([y], [np.zeros((40, len(facts.classes)))], [L]).rank
    json.dumps(score.to_dict(), allow_nan=False)
    values = RNG.normal(size=40)
    assert scorer_of("auto", [target(values)]).score([values], [np.full((40, 1), bad)], [V]).value == R2_FLOOR
    mae = scorer_of("neg_mean_absolute_error", [target(values)])
    assert mae.score([values], [np.full((40, 1), bad)], [V]).value == mae.floor < -1e20


def test_the_tie_orders_equal_values_and_nothing_else():
    y = np.array([0, 1, 0, 1])
    scorer = scorer_of("auto", [INDEX2])
    sure, unsure = (scorer.score([y], [np.where(y > 0, p, 1 - p)], [P]) for p in (0.9, 0.6))
    wrong = scorer.score([y], [np.array([0.01, 0.99, 0.01, 0.49])], [P])
    assert sure.value == unsure.value == 1.0
    assert sure.rank > unsure.rank > wrong.rank
    assert Score(0.5, 0.0, ()).rank > Score(0.499, 1.0, ()).rank
    assert Score(0.502, -1e9, ()).rank > Score(0.5, 0.0, ()).rank


def test_several_outputs_are_averaged():
    y, values = np.arange(40) % 2, RNG.normal(size=40)
    scorer = scorer_of("auto", [INDEX2, target(values)])
    score = scorer.score([y, values], [y[:, None], np.full(40, values.mean())], [P, V])
    assert score.parts == pytest.approx((1.0, 0.0))
    assert score.value == pytest.approx(0.5)
    assert Score.from_dict(json.loads(json.dumps(score.to_dict()))) == score


@pytest.mark.parametrize(
    ("name", "expected"),
    [("accuracy", 0.75), ("f1", 0.8), ("f1_macro", 11 / 15), ("roc_auc", 1.0), ("neg_log_loss", None), ("recall", 1.0)],
)
def test_scikit_learn_scorers_by_name(name, expected):
    y = np.array(["no", "no", "yes", "yes"])
    outputs = np.array([[0.1], [0.55], [0.6], [0.9]])
    facts = target(np.repeat(y, 10), 1, "sigmoid", "binary_crossentropy")
    score = scorer_of(name, [facts]).score([y], [outputs], [P])
    wanted = -sk.log_loss(y, np.hstack([1 - outputs, outputs])) if expected is None else expected
    assert score.value == pytest.approx(wanted)


def test_scikit_learn_scorers_of_quantities_and_many_classes():
    values = RNG.normal(size=(40, 1))
    scorer = scorer_of("neg_mean_absolute_error", [target(values)])
    assert scorer.score([values], [values + 2], [V]).value == pytest.approx(-2.0)
    assert (scorer.perfect, scorer.floor < -1e20) == (0.0, True)
    y = np.arange(40) % 3
    assert scorer_of("roc_auc_ovr", [INDEX3]).score([y], [np.eye(3)[y]], [P]).value == 1.0
    assert scorer_of("roc_auc_ovr", [INDEX3]).score([y % 2], [np.eye(3)[y]], [P]).value == 0.0  # undefined: the floor
    assert scorer_of("f1_macro", [INDEX3]).score([y], [y[:, None]], [V]).value == 1.0


def test_a_metric_that_does_not_exist_or_suit_is_refused():
    with pytest.raises(FixYourCall, match="Did you mean 'f1_macro'"):
        scorer_of("f1_makro", [INDEX2])
    with pytest.raises(FixYourCall, match="Received: metric=3"):
        scorer_of(3, [INDEX2])
    y = np.arange(40) % 3
    with pytest.raises(FixYourCall, match="multiclass targets"):
        scorer_of("roc_auc", [INDEX3]).score([y], [np.eye(3)[y]], [P])


def test_a_users_function_sees_labels_and_units():
    seen = []

    def share_right(y_true, y_pred):
        seen.append((y_true, y_pred))
        return (y_true == y_pred).mean()

    y = np.array(["no", "yes", "yes", "no"])
    scorer = scorer_of(share_right, [TEXT2])
    assert scorer.name == "share_right"
    assert scorer.score([y], [np.array([0.1, 0.9, 0.2, 0.3])], [P]).value == 0.75
    assert seen[0][1].tolist() == ["no", "yes", "no", "no"]
    assert math.isinf(scorer.perfect)
    hot = np.eye(3)[[0, 1, 2]]
    assert scorer_of(share_right, [HOT3]).score([hot], [hot], [P]).value == 1.0
    with pytest.raises(FixYourCall, match="ZeroDivisionError"):
        scorer_of(lambda a, b: 1 / 0, [TEXT2]).score([y], [np.zeros(4)], [P])
    assert scorer_of(lambda a, b: float("nan"), [TEXT2]).score([y], [np.zeros(4)], [P]).value < -1e20


def test_chance_is_the_best_constant():
    y = np.array([0] * 30 + [1] * 10)
    values = RNG.normal(size=40)
    labels = np.stack([y, np.zeros(40, dtype=int), np.arange(40) % 2], axis=1)
    assert scorer_of("auto", [INDEX2]).chance([y]) == 0.5
    assert scorer_of("auto", [INDEX3]).chance([np.arange(40) % 3]) == pytest.approx(1 / 3)
    assert scorer_of("auto", [target(values)]).chance([values]) == pytest.approx(0.0)
    assert scorer_of("auto", [target(labels, 3)]).chance([labels]) == pytest.approx((0.5 + 1 + 0.5) / 3)
    assert scorer_of("accuracy", [INDEX2]).chance([y]) == 0.75
    assert scorer_of("neg_log_loss", [INDEX2]).chance([y]) == pytest.approx(-0.5623, abs=1e-3)
    assert scorer_of("neg_median_absolute_error", [target(values)]).chance([values]) is not None
