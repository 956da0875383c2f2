from __future__ import annotations

import pytest

from autofix.symptoms.misplaced_dropout import judge
from tests.symptoms.conftest import classes, column, data, dense, evidence, falling, layer, quantity, run, stack

HEAD = dense("output", 1, "sigmoid")


def drop(rate=0.5, kind="Dropout"):
    return layer(kind, "drop", rate=rate)


def seen(*entries, shape=(8,), target=None, **more):
    facts = data(target or classes(400, 400), inputs=[column(shape)])
    return judge(evidence(stack(shape, *entries), facts, **more))


@pytest.mark.parametrize(
    "entries",
    [
        (dense("hidden", 32), drop(), HEAD),
        (drop(0.2), dense("hidden", 32), HEAD),
        (dense("hidden", 32), layer("BatchNormalization", "norm"), drop(), HEAD),
        (dense("hidden", 32), drop(), dense("last", 16), layer("BatchNormalization", "norm"), HEAD),
        (dense("hidden", 4), drop(0.2), HEAD),
        (dense("hidden", 32), HEAD, drop(0.0)),
    ],
)
def test_usual_places_are_fine(entries) -> None:
    assert seen(*entries) == ()


@pytest.mark.parametrize(
    ("entries", "place", "severity"),
    [
        ((dense("hidden", 32), HEAD, drop(0.2)), "head", 0.6),
        ((dense("hidden", 32), dense("out", 3, "linear"), drop(), layer("Softmax", "soft")), "head", 0.6),
        ((dense("hidden", 32), drop(), layer("BatchNormalization", "norm"), HEAD), "normalization", 0.3),
        ((dense("hidden", 8), drop(), HEAD), "narrow", 0.5),
        ((dense("hidden", 4), layer("ReLU", "relu"), drop(0.3), HEAD), "narrow", 0.5),
        ((drop(0.1), layer("Embedding", "words"), layer("Flatten", "flat"), HEAD), "embedding", 0.7),
    ],
)
def test_each_fault_has_its_severity(entries, place, severity) -> None:
    (found,) = seen(*entries)
    assert found.numbers["place"] == place
    assert found.severity == severity
    assert found.layer == "layers/drop"


def test_dropout_before_a_regression_output_is_a_note() -> None:
    regressor = (dense("hidden", 32), drop(), dense("output", 1, "linear"))
    (found,) = seen(*regressor, target=quantity())
    assert found.numbers["place"] == "regression"
    assert found.severity <= 0.4
    assert seen(dense("hidden", 32), drop(0.1), dense("output", 1, "linear"), target=quantity()) == ()


def test_pooling_puts_other_values_in_place() -> None:
    conv = layer("Conv2D", "conv", filters=8, kernel_size=(3, 3), activation="relu", kernel_initializer="he_normal")
    pool = layer("MaxPooling2D", "pool", pool_size=(2, 2), strides=(2, 2))
    (found,) = seen(conv, drop(0.3), pool, layer("Flatten", "flat"), HEAD, shape=(8, 8, 1))
    assert found.numbers["place"] == "pooling"
    assert found.severity <= 0.4


def test_a_run_that_learned_gets_a_note() -> None:
    (found,) = seen(dense("hidden", 32), HEAD, drop(), trace=run(falling()), score=0.95)
    assert found.severity <= 0.4
