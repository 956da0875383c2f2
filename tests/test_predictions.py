"""What is kept of predictions: counts of classes and labels, pairs of quantities, nothing of what is not finite."""

from __future__ import annotations

import json

import numpy as np
import pytest

from autofix.decoding import Link
from autofix.facts import Encoding, TargetFacts, TaskKind
from autofix.metrics import balanced_accuracy
from autofix.predictions import MOST_CLASSES, MOST_PAIRS, NO_CLASS, OTHERS, Predictions


def target(kind: TaskKind, encoding: Encoding, classes: tuple = (), shape: tuple[int, ...] = ()) -> TargetFacts:
    return TargetFacts("out", shape, "int64", kind, encoding, classes, (), 0.0, 1.0, (), (), 0.0, "")


def multiclass(k: int) -> TargetFacts:
    return target(TaskKind.MULTICLASS, Encoding.INDEX, tuple(range(k)))


def test_classes_are_counted():
    true, outputs = np.array([0, 1, 2, 2]), np.eye(3)[[0, 2, 2, 1]]
    made = Predictions.of(multiclass(3), true, outputs, Link.PROBABILITY)
    assert made.classes == ("0", "1", "2")
    assert made.counts == ((1, 0, 0), (0, 0, 1), (0, 1, 1))
    assert made.rows == 4


def test_binary_by_one_unit_with_text_labels():
    facts = target(TaskKind.BINARY, Encoding.LABELS, ("no", "yes"))
    true = np.array(["no", "yes", "yes"])
    made = Predictions.of(facts, true, np.array([[0.2], [0.7], [0.4]]), Link.PROBABILITY)
    assert made.classes == ("no", "yes")
    assert made.counts == ((1, 0), (1, 1))


def test_many_classes_are_counted_together():
    rng = np.random.default_rng(0)
    true = np.concatenate([np.arange(100), rng.integers(0, 20, 500)])
    outputs = np.eye(100)[true]
    made = Predictions.of(multiclass(100), true, outputs, Link.PROBABILITY)
    assert len(made.classes) == MOST_CLASSES
    assert made.classes[-1] == OTHERS
    assert sum(map(sum, made.counts)) == 600
    assert sum(made.counts[place][place] for place in range(MOST_CLASSES)) == 600


def test_columns_that_stand_for_no_class():
    facts = target(TaskKind.MULTICLASS, Encoding.INDEX, (0, 1, 3))
    made = Predictions.of(facts, np.array([0, 1, 3]), np.eye(4)[[0, 2, 3]], Link.PROBABILITY)
    assert made.classes == ("0", "1", "3", NO_CLASS)
    assert made.counts[1] == (0, 0, 0, 1)


def test_labels_are_counted_each():
    facts = target(TaskKind.MULTILABEL, Encoding.MULTI_HOT, (), (2,))
    true = np.array([[0, 1], [1, 1], [0, 0]])
    made = Predictions.of(facts, true, np.array([[0.9, 0.8], [0.9, 0.1], [0.1, 0.2]]), Link.PROBABILITY)
    assert made.is_multilabel
    assert made.counts == ((1, 1, 0, 1), (1, 0, 1, 1))


def test_quantities_in_pairs_evenly_spread():
    true = np.arange(2000.0)
    made = Predictions.of(target(TaskKind.REGRESSION, Encoding.VALUES), true, (true + 1)[:, np.newaxis], Link.VALUE)
    assert len(made.pairs) == MOST_PAIRS
    assert made.pairs[0] == (0.0, 1.0)
    assert made.pairs[-1] == (1999.0, 2000.0)


def test_nothing_is_counted_of_what_is_not_finite():
    made = Predictions.of(multiclass(2), np.array([0, 1]), np.array([[np.nan, 1.0], [0.0, 1.0]]), Link.PROBABILITY)
    assert not made.finite
    assert made.counts == ()


def test_counts_of_seeds_give_the_mean_of_their_scores():
    rng = np.random.default_rng(1)
    true = rng.integers(0, 3, 60)
    parts, scores = [], []
    for _ in range(3):
        said = np.where(rng.random(60) < 0.7, true, rng.integers(0, 3, 60))
        parts.append(Predictions.of(multiclass(3), true, np.eye(3)[said], Link.PROBABILITY))
        scores.append(balanced_accuracy(true, said))
    joined = Predictions.joined(parts)
    assert joined.rows == 180
    recalls = [row[place] / sum(row) for place, row in enumerate(joined.counts)]
    assert np.mean(recalls) == pytest.approx(np.mean(scores))


def test_other_classes_are_not_added_up():
    one = Predictions("out", 1, classes=("a",), counts=((1,),))
    other = Predictions("out", 1, classes=("b",), counts=((1,),))
    assert Predictions.joined([one, other]) == one


def test_through_json():
    for made in (
        Predictions.of(multiclass(3), np.array([0, 1, 2]), np.eye(3), Link.PROBABILITY),
        Predictions("price", 2, pairs=((1.0, 2.0), (3.0, 4.0))),
    ):
        assert Predictions.from_dict(json.loads(json.dumps(made.to_dict()))) == made
