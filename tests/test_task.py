"""What targets ask for, and the data in numbers."""

from __future__ import annotations

import json
import time
from dataclasses import asdict

import numpy as np
import pytest

from autofix.data import Data, ModelHints, OutputHint
from autofix.facts import Encoding, TaskKind
from autofix.task import facts_of, infer_inputs, infer_target

BINARY, MULTICLASS, MULTILABEL, REGRESSION = (
    TaskKind.BINARY,
    TaskKind.MULTICLASS,
    TaskKind.MULTILABEL,
    TaskKind.REGRESSION,
)
INDEX, ONE_HOT, MULTI_HOT, SIGNED, LABELS, VALUES = (
    Encoding.INDEX,
    Encoding.ONE_HOT,
    Encoding.MULTI_HOT,
    Encoding.SIGNED,
    Encoding.LABELS,
    Encoding.VALUES,
)
RNG = np.random.default_rng(0)
ROWS = 200


def head(units=1, activation="linear", loss="mean_squared_error", accuracy=False):
    shape = units if isinstance(units, tuple) else (units,)
    return OutputHint("out", shape, activation, loss, accuracy)


SIGMOID = head(1, "sigmoid", "binary_crossentropy")
SOFTMAX = head(10, "softmax", "sparse_categorical_crossentropy")
LINEAR = head()


def whole(k, start=0, dtype=np.int64):
    return (np.arange(ROWS) % k + start).astype(dtype)


CASES = {
    "0/1, sigmoid": (whole(2), SIGMOID, BINARY, INDEX, (0, 1)),
    "0/1 float column": (whole(2, dtype=np.float32)[:, None], SIGMOID, BINARY, INDEX, (0, 1)),
    "0/1, two units": (whole(2), head(2, "softmax", "sparse_categorical_crossentropy"), BINARY, INDEX, (0, 1)),
    "0/1, mse and linear": (whole(2), LINEAR, BINARY, INDEX, (0, 1)),
    "0/1, ten units": (whole(2), SOFTMAX, MULTICLASS, INDEX, (0, 1)),
    "only 0, classifier": (whole(1), SIGMOID, BINARY, INDEX, (0, 1)),
    "only 0, regressor": (whole(1), LINEAR, REGRESSION, VALUES, ()),
    "bools": (whole(2).astype(bool), LINEAR, BINARY, INDEX, (False, True)),
    "-1/1": (whole(2) * 2 - 1, head(1, "tanh", "hinge"), BINARY, SIGNED, (-1, 1)),
    "-1/1 float, sigmoid": ((whole(2) * 2.0 - 1), SIGMOID, BINARY, SIGNED, (-1, 1)),
    "1/2, one unit": (whole(2, 1), SIGMOID, BINARY, LABELS, (1, 2)),
    "0.2/0.7, one unit": (np.where(whole(2) > 0, 0.7, 0.2), SIGMOID, BINARY, LABELS, (0.2, 0.7)),
    "0..9, softmax": (whole(10), SOFTMAX, MULTICLASS, INDEX, tuple(range(10))),
    "1..10 under 10 units": (whole(10, 1), SOFTMAX, MULTICLASS, LABELS, tuple(range(1, 11))),
    "0..4, one linear unit, accuracy": (whole(5), head(accuracy=True), MULTICLASS, INDEX, tuple(range(5))),
    "0..4, one softmax unit, mse": (whole(5), head(1, "softmax"), MULTICLASS, INDEX, tuple(range(5))),
    "0..4, five linear units, mse": (whole(5), head(5), MULTICLASS, INDEX, tuple(range(5))),
    "0..4 under binary cross-entropy": (whole(5), SIGMOID, MULTICLASS, INDEX, tuple(range(5))),
    "counts": (RNG.poisson(3, ROWS), LINEAR, REGRESSION, VALUES, ()),
    "prices with accuracy": (np.arange(ROWS) * 1000 + 7, head(accuracy=True), REGRESSION, VALUES, ()),
    "prices under binary cross-entropy": (np.arange(ROWS) * 1000, SIGMOID, REGRESSION, VALUES, ()),
    "rare words of a large vocabulary": (
        np.arange(ROWS) * 7,
        head(5000, "softmax", "sparse_categorical_crossentropy"),
        MULTICLASS,
        LABELS,
        tuple(range(0, ROWS * 7, 7)),
    ),
    "floats": (RNG.normal(size=ROWS), LINEAR, REGRESSION, VALUES, ()),
    "one-hot": (np.eye(4)[whole(4)], head(4, "softmax", "categorical_crossentropy"), MULTICLASS, ONE_HOT, (0, 1, 2, 3)),
    "one-hot, two columns": (np.eye(2)[whole(2)], head(2, "sigmoid"), MULTICLASS, ONE_HOT, (0, 1)),
    "one-hot, one unit": (np.eye(3, dtype=bool)[whole(3)], LINEAR, MULTICLASS, ONE_HOT, (0, 1, 2)),
    "smoothed one-hot": (
        np.eye(4)[whole(4)] * 0.9 + 0.025,
        head(4, "softmax", "categorical_crossentropy"),
        MULTICLASS,
        ONE_HOT,
        (0, 1, 2, 3),
    ),
    "multi-hot": (
        RNG.integers(0, 2, (ROWS, 5)),
        head(5, "softmax", "categorical_crossentropy"),
        MULTILABEL,
        MULTI_HOT,
        (),
    ),
    "three quantities": (RNG.normal(size=(ROWS, 3)), head(3), REGRESSION, VALUES, ()),
    "three counts": (RNG.poisson(3, (ROWS, 3)), head(3), REGRESSION, VALUES, ()),
    "text": (np.array(["b", "a", "c"])[whole(3)], SOFTMAX, MULTICLASS, LABELS, ("a", "b", "c")),
    "two words": (np.array(["yes", "no"], dtype=object)[whole(2)], SIGMOID, BINARY, LABELS, ("no", "yes")),
    "labels / 255": (
        (whole(10) / 255).astype(np.float32),
        SOFTMAX,
        MULTICLASS,
        LABELS,
        tuple((np.arange(10) / 255).astype(np.float32).tolist()),
    ),
    "ratings in fifths": (whole(6) / 5, SIGMOID, REGRESSION, VALUES, ()),
    "tags per step": (
        RNG.integers(0, 4, (ROWS, 7)),
        head((7, 4), "softmax", "sparse_categorical_crossentropy"),
        MULTICLASS,
        INDEX,
        (0, 1, 2, 3),
    ),
    "tags per step, free length": (
        RNG.integers(0, 4, (ROWS, 7, 1)),
        head((None, 4), "softmax", "sparse_categorical_crossentropy"),
        MULTICLASS,
        INDEX,
        (0, 1, 2, 3),
    ),
    "one-hot per step": (
        np.eye(4)[RNG.integers(0, 4, (ROWS, 7))],
        head((7, 4), "softmax", "categorical_crossentropy"),
        MULTICLASS,
        ONE_HOT,
        (0, 1, 2, 3),
    ),
    "mask": (
        RNG.integers(0, 2, (ROWS, 5, 5, 1)),
        head((5, 5, 1), "sigmoid", "binary_crossentropy"),
        BINARY,
        INDEX,
        (0, 1),
    ),
    "image": (RNG.random((ROWS, 5, 5, 1)), head((5, 5, 1), "sigmoid", "binary_crossentropy"), REGRESSION, VALUES, ()),
    "tags behind a head that kept its time axis": (whole(3), head((7, 3), "softmax"), MULTICLASS, INDEX, (0, 1, 2)),
}


@pytest.mark.parametrize("case", CASES)
def test_kind_encoding_and_classes(case):
    y, hint, kind, encoding, classes = CASES[case]
    facts = infer_target("out", y, hint)
    assert (facts.kind, facts.encoding, facts.classes) == (kind, encoding, classes), facts.reason
    assert facts.shape == y.shape[1:]
    assert facts.reason
    json.dumps([facts.classes, facts.counts, facts.minimum, facts.mean])
    if kind in (BINARY, MULTICLASS):
        assert len(facts.counts) == len(classes)
        labels = y.size if encoding is not ONE_HOT else y.size // y.shape[-1]
        assert sum(facts.counts) == labels


def test_counts_are_in_the_order_of_the_classes():
    y = np.array(["b", "b", "a", "c", "c", "c"])
    assert infer_target("out", y, SOFTMAX).counts == (1, 2, 3)
    assert infer_target("out", np.array([1, 1, 1, 0]), SIGMOID).counts == (1, 3)
    assert infer_target("out", np.array([[1, 1], [0, 1], [0, 0]]), SIGMOID).counts == (1, 2)


def test_targets_that_are_the_inputs_are_quantities():
    x = RNG.integers(0, 2, (ROWS, 12)).astype(np.float32)
    hint = head(12, "sigmoid", "binary_crossentropy")
    assert infer_target("out", x, hint).kind is MULTILABEL
    assert infer_target("out", x.copy(), hint, inputs=(x,)).kind is REGRESSION


def test_statistics_of_quantities_ignore_what_is_not_finite():
    y = np.array([[1.0, 10.5], [3.0, np.nan], [np.inf, 11.5]])
    facts = infer_target("out", y, head(2))
    assert facts.mean == (2.0, 11.0)
    assert facts.std == (1.0, 0.5)
    assert facts.missing == pytest.approx(2 / 6)
    assert (facts.minimum, facts.maximum) == (1.0, 11.5)


def test_input_statistics():
    x = np.array([[1.0, 5.0, np.nan], [3.0, 5.0, 2.0], [5.0, 5.0, np.inf]])
    (facts,) = infer_inputs([x], ["x"])
    assert facts.feature_mean == (3.0, 5.0, 2.0)
    assert facts.feature_std == pytest.approx((np.std([1, 3, 5]), 0.0, 0.0))
    assert (facts.minimum, facts.maximum) == (1.0, 5.0)
    finite = x[np.isfinite(x)]
    assert facts.mean == pytest.approx(finite.mean())
    assert facts.std == pytest.approx(finite.std())
    assert facts.missing == pytest.approx(2 / 9)
    assert (facts.missing_features, facts.constant, facts.integral) == (1, 2, True)
    assert infer_inputs([x[:, :1] + 0.5], ["x"])[0].integral is False


def test_input_statistics_per_last_axis_and_only_of_the_given_rows():
    x = RNG.normal(size=(50, 6, 3)) * [1, 2, 3]
    rows = np.arange(10, 30)
    (facts,) = infer_inputs([x], ["x"], rows)
    assert facts.shape == (6, 3)
    assert facts.feature_std == pytest.approx(tuple(x[rows].std(axis=(0, 1))))
    assert facts.std == pytest.approx(x[rows].std())


@pytest.mark.parametrize("x", [np.full((20, 3), np.nan), np.full((20, 3), 1e308), np.zeros((20, 5000)), np.zeros(20)])
def test_extreme_inputs_give_plain_numbers(x):
    (facts,) = infer_inputs([x], [])
    document = asdict(facts)
    assert "NaN" not in json.dumps(document)
    assert "Infinity" not in json.dumps(document)
    assert len(facts.feature_mean) == (0 if x.shape[-1] == 5000 else 1 if x.ndim == 1 else 3)


def of(x, y, hint=SIGMOID):
    hints = ModelHints(("x",), (x.shape[1:],), (hint,))
    return facts_of(Data.of((x, y), hints=hints, seed=0), hints, measure_signal=False)


def test_sorted_labels_and_duplicates():
    x = RNG.normal(size=(ROWS, 3))
    y = whole(2)
    assert of(x, np.sort(y)).sorted_labels
    assert of(x, np.sort(y)[::-1].copy()).sorted_labels
    assert not of(x, y).sorted_labels
    assert not of(x, RNG.permutation(y)).sorted_labels
    assert of(x, y).duplicates == 0.0
    assert of(np.tile(x[:20], (10, 1)), y).duplicates > 0.7


def test_quantities_may_come_sorted():
    x = RNG.normal(size=(ROWS, 3))
    rising = np.sort(RNG.normal(size=ROWS))
    assert of(x, rising, LINEAR).sorted_labels
    assert of(x, rising[::-1].copy()[:, None], LINEAR).sorted_labels
    assert not of(x, RNG.permutation(rising), LINEAR).sorted_labels
    assert not of(x, np.ones(ROWS) * 0.5, LINEAR).sorted_labels


def test_what_occurs_twice_is_counted():
    x = RNG.normal(size=(ROWS, 3)).astype("float32")
    facts = of(np.hstack([x, x[:, :1]]), whole(2))
    assert facts.inputs[0].repeated == 1
    assert (facts.repeats, facts.conflicts) == (0.0, 0.0)
    facts = of(np.tile(x[:20], (10, 1)), RNG.integers(0, 2, ROWS))
    assert facts.repeats > 0.9
    assert facts.conflicts > 0.2
    assert facts.epoch_rows == ROWS


def test_statistics_come_from_training_rows_and_counts_from_all():
    x = RNG.normal(size=(ROWS, 3))
    hints = ModelHints(("x",), ((3,),), (LINEAR,))
    data = Data.of((x, x[:, 0]), hints=hints, seed=0)
    facts = facts_of(data, hints, measure_signal=False)
    train = data.splits[0].train
    assert facts.inputs[0].mean == pytest.approx(x[train].mean())
    assert facts.targets[0].mean[0] == pytest.approx(x[train, 0].mean())
    assert facts.rows == (len(train), len(data.splits[0].validation), len(data.splits[0].holdout))
    assert sum(of(x, whole(2)).targets[0].counts) == ROWS
    assert facts.signal is None


def test_the_yardstick_is_part_of_the_facts():
    x = RNG.normal(size=(ROWS, 3))
    hints = ModelHints(("x",), ((3,),), (SIGMOID,))
    facts = facts_of(Data.of((x, (x[:, 0] > 0).astype(int)), hints=hints, seed=0), hints)
    assert facts.signal is not None
    assert facts.signal > 0.9
    assert facts.chance == 0.5


def test_small_data_is_quick():
    x, y = RNG.normal(size=(1000, 20)), np.arange(1000) % 2
    of(x, y)
    start = time.perf_counter()
    of(x, y)
    assert time.perf_counter() - start < 0.1
