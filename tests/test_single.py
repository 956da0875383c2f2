"""What one column says by itself."""

from __future__ import annotations

import numpy as np
import pytest

from autofix.facts import TaskKind
from autofix.single import single_columns, without

X = np.random.default_rng(0).normal(size=(800, 4))
CLASSES = (X[:, 2] > 0).astype(int)


def scores(x, wanted, kind):
    return [round(column.score, 2) for column in single_columns([x], wanted, kind, 0)]


def test_the_column_that_decides_scores_and_the_others_do_not():
    found = scores(X, CLASSES, TaskKind.BINARY)
    assert found[2] > 0.97
    assert max(found[:2] + found[3:]) < 0.6


@pytest.mark.parametrize("make", [lambda v: 3 * v + 1, lambda v: np.exp(v), lambda v: np.round(v, 1)])
def test_quantities_are_told_from_any_monotone_column(make):
    found = scores(make(X), X[:, 1], TaskKind.REGRESSION)
    assert found[1] > 0.95
    assert max(found[0], *found[2:]) < 0.2


def test_a_flag_and_a_rare_class_count():
    rare = (np.arange(800) % 20 == 0).astype(int)
    assert scores(np.c_[X, rare], rare, TaskKind.BINARY)[4] == 1.0


def test_a_rare_class_is_not_outvoted_by_false_alarms():
    rare = (np.arange(800) % 20 == 0).astype(int)
    flag = rare | (np.arange(800) % 10 == 1)
    assert scores(np.c_[X, flag], rare, TaskKind.BINARY)[4] > 0.9


@pytest.mark.parametrize("x", [X[:, :1], X[:, :, None], np.zeros((800, 600)), X.astype(str)])
def test_what_is_no_table_is_passed_over(x):
    assert single_columns([x], CLASSES, TaskKind.BINARY, 0) == ()


def test_few_rows_and_constant_columns_say_nothing():
    assert single_columns([X[:50]], CLASSES[:50], TaskKind.BINARY, 0) == ()
    assert single_columns([np.ones((800, 3))], CLASSES, TaskKind.BINARY, 0) == ()


def test_columns_are_taken_out_of_their_input():
    first, second = single_columns([X[:, :2], X[:, 2:]], CLASSES, TaskKind.BINARY, 0)[:2]
    assert [part.shape for part in without([X[:, :2], X[:, 2:]], [first])] == [(800, 1), (800, 2)]
    assert [part.shape for part in without([X[:, :2], X[:, 2:]], [first, second])] == [(800, 2)]
