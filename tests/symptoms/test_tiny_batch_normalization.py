from __future__ import annotations

import pytest

from autofix.symptoms.tiny_batch_normalization import judge
from tests.symptoms.conftest import column, data, dense, evidence, falling, layer, run, stack


def seen(batch, rows=800, score=None, **config):
    norm = layer("BatchNormalization", "norm", **{"axis": -1, **config})
    recipe = stack((8,), dense("hidden", 32), norm, dense("output", 1, "sigmoid"), fit={"batch_size": batch})
    trace = run(falling()) if score else None
    return judge(evidence(recipe, data(rows=(rows, 100, 100)), trace, score))


@pytest.mark.parametrize("batch", [5, 8, 32, None])
def test_a_few_rows_are_enough(batch) -> None:
    assert seen(batch) == ()


@pytest.mark.parametrize(("batch", "severity"), [(1, 0.9), (2, 0.55), (3, 0.4), (4, 0.3)])
def test_the_fewer_values_the_worse(batch, severity) -> None:
    (found,) = seen(batch)
    assert found.severity == severity
    assert found.numbers["values"] == batch
    assert found.layer == "layers/norm"


def test_more_rows_than_there_are_do_not_count() -> None:
    (found,) = seen(32, rows=1)
    assert found.severity == 0.9


def test_a_last_batch_of_one_row_is_a_note() -> None:
    (found,) = seen(32, rows=801)
    assert found.severity <= 0.4
    assert seen(32, rows=802) == ()


def test_a_picture_brings_its_own_values() -> None:
    conv = layer("Conv2D", "conv", filters=4, kernel_size=(3, 3), padding="same", activation="relu")
    norm = layer("BatchNormalization", "norm", axis=-1)
    flat = layer("GlobalAveragePooling2D", "pool")
    recipe = stack((8, 8, 1), conv, norm, flat, dense("output", 1, "sigmoid"), fit={"batch_size": 1})
    assert judge(evidence(recipe, data(inputs=[column((8, 8, 1))]))) == ()


def test_a_frozen_normalization_looks_at_no_batch() -> None:
    assert seen(1, trainable=False) == ()


def test_a_run_that_learned_gets_a_note() -> None:
    (found,) = seen(2, score=0.95)
    assert found.severity <= 0.4
