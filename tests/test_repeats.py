"""Rows and columns that occur twice."""

from __future__ import annotations

import time

import numpy as np
import pytest

from autofix.data import ModelHints, OutputHint
from autofix.repeats import conflicting, repeated_columns, repeated_rows, row_keys
from autofix.targets import infer_target

RNG = np.random.default_rng(0)
TABLE = RNG.normal(size=(1_000, 6)).astype("float32")
ROWS = np.arange(1_000)
HINTS = ModelHints(("x",), ((6,),), (OutputHint("out", (1,), "sigmoid", "binary_crossentropy", accuracy=True),))


def target(y):
    is_class = y.dtype.kind == "i"
    hint = HINTS.outputs[0] if is_class else OutputHint("out", (1,), "linear", "mean_squared_error", accuracy=False)
    return infer_target("out", y, hint)


def test_columns_that_repeat_are_counted():
    assert repeated_columns(TABLE) == 0
    assert repeated_columns(np.hstack([TABLE, TABLE[:, :2], TABLE[:, :1]])) == 3
    assert repeated_columns(TABLE[:, :1]) == 0


def test_constant_columns_do_not_repeat():
    assert repeated_columns(np.hstack([TABLE, np.ones((1_000, 3), "float32")])) == 0


def test_rare_flags_that_agree_on_a_few_rows_are_two_columns():
    flags = np.zeros((10_000, 2), "float32")
    flags[::20] = 1.0  # each row of the first look
    flags[1, 0] = flags[7, 1] = 1.0
    flags[::40, :] = 0.0
    assert repeated_columns(flags) == 0


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint8", "float16"])
def test_equal_rows_have_equal_keys_and_others_do_not(dtype):
    whole = RNG.integers(0, 200, size=(20_000, 4)).astype(dtype)
    keys = row_keys([whole], np.arange(20_000))
    _, first = np.unique(whole, axis=0, return_inverse=True)
    assert len(np.unique(keys)) == len(np.unique(first))
    pairs = np.unique(np.stack([keys, first.reshape(-1).astype(np.uint64)]), axis=1)
    assert pairs.shape[1] == len(np.unique(keys))


def test_rows_must_agree_in_all_inputs():
    other = np.arange(1_000.0)[:, None]
    twice = np.concatenate([TABLE, TABLE])
    assert repeated_rows([twice], ROWS, ROWS + 1_000) == 1.0
    assert repeated_rows([twice, np.concatenate([other, other + 0.5])], ROWS, ROWS + 1_000) == 0.0
    assert repeated_rows([TABLE], ROWS[:800], ROWS[800:]) == 0.0
    assert repeated_rows([TABLE], ROWS, ROWS[:0]) == 0.0


def test_the_share_of_copies_is_told():
    mixed = np.concatenate([TABLE, TABLE[:300], RNG.normal(size=(700, 6)).astype("float32")])
    assert repeated_rows([mixed], ROWS, ROWS + 1_000) == pytest.approx(0.3)


def test_classes_that_contradict_each_other_are_counted():
    y = (TABLE[:, 0] > 0).astype(int)
    x = np.concatenate([TABLE, TABLE, TABLE])
    labels = np.concatenate([y, y, y])
    assert conflicting([x], labels, target(labels), np.arange(3_000)) == 0.0
    labels[:300] = 1 - labels[:300]
    assert conflicting([x], labels, target(labels), np.arange(3_000)) == pytest.approx(0.1)
    assert conflicting([TABLE], y, target(y), ROWS) == 0.0


def test_quantities_contradict_each_other_beyond_rounding():
    y = TABLE[:, 0].astype(float)
    x, values = np.concatenate([TABLE, TABLE]), np.concatenate([y, y + 1e-3])
    assert conflicting([x], values, target(values), np.arange(2_000)) == 0.0
    values[:200] += 5.0
    assert conflicting([x], values, target(values), np.arange(2_000)) == pytest.approx(0.2, abs=0.01)


def test_a_million_rows_take_no_time():
    x = np.zeros((1_000_000, 20), "float32")
    x[:, 0] = np.arange(1_000_000)
    y = np.arange(1_000_000) % 2
    facts = target(y)
    began = time.perf_counter()
    repeated_columns(x)
    repeated_rows([x], np.arange(900_000), np.arange(900_000, 1_000_000))
    conflicting([x], y, facts, np.arange(900_000))
    # A fifth of a second on two quiet cores.
    assert time.perf_counter() - began < 2.0
