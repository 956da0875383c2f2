"""What a model predicts: collapse, range and recalls."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from autofix.decoding import Link
from autofix.facts import TargetFacts
from autofix.hints import OutputHint
from autofix.look import Look, Predicted
from autofix.probes.predictions import Predictions
from autofix.probes.recalls import Recalls
from autofix.targets import infer_target


def target(
    y: np.ndarray, units: int, activation: str = "softmax", loss: str = "categorical_crossentropy"
) -> TargetFacts:
    return infer_target("out", y, OutputHint("out", (units,), activation, loss, True))


def read(raw: Any, y: np.ndarray, facts: TargetFacts, link: Link = Link.PROBABILITY) -> Any:
    look = Look(predicted=Predicted((np.asarray(raw, "float64"),), (y,), (facts,), (link,)))
    (found,), (recalls,) = Predictions().measure(look), Recalls().measure(look)
    return replace(found, recalls=recalls)


Y = np.arange(30) % 3


def test_one_class_for_every_row():
    found = read(np.tile([0.2, 0.7, 0.1], (30, 1)), Y, target(Y, 3))
    assert found.constant == 1.0
    assert found.spread == pytest.approx(0.0, abs=1e-12)
    assert found.recalls == (0.0, 1.0, 0.0)
    assert (found.minimum, found.maximum, found.finite) == (0.1, 0.7, True)


def test_right_answers():
    found = read(np.eye(3)[Y], Y, target(Y, 3))
    assert found.constant == pytest.approx(1 / 3)
    assert found.recalls == (1.0, 1.0, 1.0)


@pytest.mark.parametrize("labels", [np.array([1, 2, 3]), np.array(["a", "b", "c"])], ids=["numbers", "text"])
def test_labels_of_the_users_own(labels):
    y = labels[Y]
    wrong = np.eye(3)[np.where(Y == 2, 1, Y)]
    found = read(wrong, y, target(y, 3, loss="sparse_categorical_crossentropy"))
    assert found.recalls == (1.0, 1.0, 0.0)
    assert found.constant == pytest.approx(2 / 3)


def test_one_hot_targets():
    y = np.eye(3)[Y]
    found = read(np.eye(3)[np.where(Y == 0, 2, Y)], y, target(y, 3))
    assert found.recalls == (0.0, 1.0, 1.0)


def test_one_unit_that_is_always_one():
    y = Y % 2
    found = read(np.ones((30, 1)), y, target(y, 1, "softmax", "binary_crossentropy"))
    assert found.constant == 1.0
    assert found.recalls == (0.0, 1.0)


def test_quantities_that_never_vary():
    y = np.random.default_rng(0).normal(300, 50, size=30)
    facts = target(y, 1, "linear", "mean_squared_error")
    assert read(np.full((30, 1), 300.0), y, facts, Link.VALUE).constant == 1.0
    assert read(y[:, None] + 5, y, facts, Link.VALUE).constant == 0.0
    assert read(y[:, None], y, facts, Link.VALUE).recalls == ()


def test_outputs_that_are_not_finite_are_said_so():
    raw = np.eye(3)[Y]
    raw[4, 1] = np.nan
    found = read(raw, Y, target(Y, 3))
    assert not found.finite
    assert np.isfinite([found.spread, found.minimum, found.maximum, found.constant]).all()


def test_several_labels_a_row():
    y = (np.random.default_rng(0).random((30, 3)) > 0.5).astype(int)
    facts = target(y, 3, "sigmoid", "binary_crossentropy")
    assert read(np.full((30, 3), 0.9), y, facts).constant == 1.0
    assert read(y.astype(float), y, facts).constant == 0.0
