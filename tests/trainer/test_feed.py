"""From the user's arrays to tensors: labels encoded, rows weighted, rare classes repeated, epochs as long as theirs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autofix.arrange import view
from autofix.data import Data
from autofix.errors import FixYourData
from autofix.frozen import FrozenDict
from autofix.hints import ModelHints, OutputHint
from autofix.isolation.arrays import mapped
from autofix.recipe import Recipe
from autofix.recipe.document import FIT_DEFAULTS
from autofix.task import facts_of
from autofix.trainer.feed import Feed, as_tensor


@pytest.fixture
def feed() -> Callable[..., Feed]:
    def build(x: Any, y: Any, weight: Any = None, *, units: int = 3, apart: Any = None) -> Feed:
        hints = ModelHints(
            ("x",), (x.shape[1:],), (OutputHint("kind", (units,), "softmax", "sparse_categorical_crossentropy", True),)
        )
        data = Data.of((x, y) if weight is None else (x, y, weight), validation_data=apart, hints=hints, seed=0)
        return Feed(data, facts_of(data, hints, measure_signal=False))

    return build


def recipe(labels: Any = None, **fit: Any) -> Recipe:
    settings = FrozenDict({**FIT_DEFAULTS, **fit})
    return Recipe(FrozenDict({"config": {}}), FrozenDict(), settings, FrozenDict({"labels": labels}))


RNG = np.random.default_rng


def test_labels_are_fed_as_they_are_unless_the_recipe_encodes_them(feed, table):
    y = np.arange(60) % 3 + 1
    one = feed(table(), y)
    assert one.batch(recipe()).y.numpy().tolist() == y.tolist()
    encoded = one.batch(recipe({"kind": [1, 2, 3]})).y
    assert encoded.numpy().tolist() == (y - 1).tolist()
    assert encoded.dtype.name == "int32"


def test_text_labels_need_encoding(feed, table):
    y = np.array(["a", "b", "c"])[np.arange(60) % 3]
    one = feed(table(), y)
    with pytest.raises(FixYourData, match="'kind' are text"):
        one.batch(recipe())
    assert one.batch(recipe({"kind": ["a", "b", "c"]})).y.numpy().tolist() == (np.arange(60) % 3).tolist()


def test_floats_come_in_32_bits_and_integers_as_they_are(feed, table):
    one = feed(table().astype("float64"), np.arange(60) % 3)
    assert one.batch(recipe()).x.dtype.name == "float32"
    assert one.batch(recipe()).y.dtype.name == "int64"


def test_class_weight_is_looked_up_by_class_and_multiplies_the_users_own(feed, table):
    y, own = np.arange(60) % 3, RNG(0).uniform(0.5, 2, 60)
    balance = {"0": 1.0, "2": 9.0}
    factor = np.array([1.0, 1.0, 9.0])[y]
    assert feed(table(), y).batch(recipe()).weight is None
    alone = feed(table(), y).batch(recipe(class_weight=balance)).weight
    np.testing.assert_allclose(alone, factor)
    both = feed(table(), y, own).batch(recipe(class_weight=balance)).weight
    np.testing.assert_allclose(both, factor * own, rtol=1e-6)
    np.testing.assert_allclose(feed(table(), y, own).batch(recipe()).weight, own, rtol=1e-6)


def test_class_weight_of_labels_that_are_one_hot(feed, table):
    y = np.arange(60) % 3
    weight = feed(table(), np.eye(3)[y]).batch(recipe(class_weight={"1": 4.0})).weight
    np.testing.assert_allclose(weight, np.array([1.0, 4.0, 1.0])[y])


def test_order_shuffles_by_seed_and_keeps_to_its_rows(feed, table):
    one = feed(table(), np.arange(60) % 3, apart=(table(), np.arange(60) % 3))
    rows = one.data.splits[0].train
    assert one.order(recipe(shuffle=False), rows, RNG(0)).tolist() == rows.tolist()
    first = one.order(recipe(), rows, RNG(1))
    assert first.tolist() != rows.tolist()
    assert sorted(first.tolist()) == rows.tolist()
    assert first.tolist() == one.order(recipe(), rows, RNG(1)).tolist()


def test_epoch_is_as_long_as_the_users_own_though_rows_are_held_out(feed, table):
    one = feed(table(), np.arange(60) % 3)
    rows = one.data.splits[0].train
    assert len(rows) < 60
    order = one.order(recipe(), rows, RNG(0))
    assert len(order) == 60
    counts = np.bincount(order, minlength=60)[rows]
    assert counts.min() >= 1
    assert counts.max() - counts.min() <= 1
    assert set(order) == set(rows)


def test_oversampling_evens_the_classes_out_within_the_training_rows(feed, table):
    y = (np.arange(60) % 10 == 0).astype(int)
    one = feed(table(), y, apart=(table(), y))
    rows = one.data.splits[0].train
    order = one.order(recipe(oversample=True), rows, RNG(0))
    assert set(order) == set(rows)
    counts = np.bincount(y[order])
    assert counts[0] == counts[1] == 54


def test_users_arrays_are_not_written_to(feed, table):
    x, y = table(), np.arange(60) % 3
    one = feed(x, y)
    one.batch(recipe({"kind": [0, 1, 2]}, class_weight={"0": 2.0}))
    assert np.array_equal(x, table())
    assert np.array_equal(y, np.arange(60) % 3)
    assert x.flags.writeable


@pytest.mark.parametrize(("dtype", "shared"), [("float32", True), ("int64", True), ("float64", False)])
def test_array_mapped_for_this_process_is_not_copied(tmp_path, dtype, shared):
    """Several processes share its memory; another type of float needs a copy."""
    path = tmp_path / "rows.npy"
    np.save(path, np.arange(6000).reshape(2000, 3).astype(dtype))
    array = mapped(str(path))
    tensor = as_tensor(array)
    seen = np.from_dlpack(tensor)
    assert np.shares_memory(seen, array) is shared
    assert np.array_equal(tensor, array)
    sliced = as_tensor(array[1::2])  # begins where no tensor may
    assert not np.shares_memory(np.from_dlpack(sliced), array)
    assert np.array_equal(sliced, array[1::2])


def test_users_own_mapped_array_is_copied(tmp_path):
    """It may change while a run goes on."""
    path = tmp_path / "rows.npy"
    np.save(path, np.ones((2000, 3), "float32"))
    array = view(np.load(path, mmap_mode="c"))
    assert not np.shares_memory(np.from_dlpack(as_tensor(array)), array)
