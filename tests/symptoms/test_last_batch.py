from __future__ import annotations

import pytest

from autofix.symptoms.last_batch import judge
from tests.symptoms.conftest import data, dense, evidence, layer, stack


def seen(rows, batch=32, inner=(), **more):
    recipe = stack((8,), dense("hidden", 32), *inner, dense("output", 1, "sigmoid"), fit={"batch_size": batch})
    return judge(evidence(recipe, data(rows=(rows, 100, 100), **more)))


def norm(momentum=0.99):
    return layer("BatchNormalization", "norm", axis=-1, momentum=momentum)


@pytest.mark.parametrize(("rows", "batch"), [(800, 32), (810, 32), (803, 32), (31, 32), (33, 4), (0, 32)])
def test_full_batches_and_larger_rests_are_fine(rows, batch) -> None:
    assert seen(rows, batch) == ()


@pytest.mark.parametrize("rest", [1, 2])
def test_one_or_two_rows_are_a_note(rest) -> None:
    (found,) = seen(800 + rest)
    assert found.severity == 0.2
    assert found.numbers["last_batch"] == rest


@pytest.mark.parametrize(("momentum", "severity"), [(0.99, 0.3), (0.5, 0.45)])
def test_a_normalization_takes_them_into_its_averages(momentum, severity) -> None:
    (found,) = seen(801, inner=[norm(momentum)])
    assert found.severity == severity


@pytest.mark.parametrize(("batch", "many"), [(32, 0), (128, 1)])
def test_a_rest_counts_against_the_size_of_a_batch_where_it_is_normalized(batch, many) -> None:
    assert len(seen(1284 if batch == 128 else 804, batch, inner=[norm()])) == many


def test_the_rows_of_the_whole_epoch_count_where_they_are_known() -> None:
    assert seen(801, epoch_rows=960) == ()
    assert seen(800, epoch_rows=961) != ()
