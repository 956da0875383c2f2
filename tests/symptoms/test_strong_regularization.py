from __future__ import annotations

import pytest

from autofix.symptoms.strong_regularization import coefficients, judge
from tests.symptoms.conftest import classes, data, dense, evidence, layer, optimizer, plain, quantity, stack

DIGITS = data(classes(*(80,) * 10))


def l2(strength):
    return {"module": "keras.regularizers", "class_name": "L2", "config": {"l2": strength}}


def penalized(regularizer, facts=DIGITS):
    hidden = [dense(f"hidden_{units}", units, kernel_regularizer=regularizer) for units in (96, 48)]
    return judge(evidence(stack((64,), *hidden, dense("output", 10, "softmax")), facts))


@pytest.mark.parametrize("regularizer", [None, l2(1e-5), l2(1e-4), l2(1e-3)])
def test_usual_penalties_are_fine(regularizer) -> None:
    assert penalized(regularizer) == ()


def test_the_default_strength_is_a_note_and_half_is_too_much() -> None:
    (note,) = penalized(l2(0.01))
    (strong,) = penalized(l2(0.5))
    assert note.severity <= 0.4
    assert 0.6 <= strong.severity < 0.7
    assert strong.numbers["ratio"] > 20


def test_a_penalty_is_measured_against_what_there_is_to_explain() -> None:
    assert penalized(l2(0.1)) != ()
    assert penalized(l2(0.1), data(quantity(0.0, 40.0))) == ()


def test_l1_counts() -> None:
    assert penalized({"class_name": "L1", "config": {"l1": 0.1}}) != ()


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("l2", (0.0, 0.01)),
        ("l1_l2", (0.01, 0.01)),
        ({"class_name": "L1L2", "config": {"l1": 0.1, "l2": 0.2}}, (0.1, 0.2)),
        ({"class_name": "Mine", "config": {"strength": 3}}, (0.0, 0.0)),
        (None, (0.0, 0.0)),
    ],
)
def test_coefficients_are_read_in_all_their_forms(written, read) -> None:
    assert coefficients(written) == read


@pytest.mark.parametrize(("rate", "least"), [(0.5, None), (0.6, None), (0.7, 0.4), (0.8, 0.6), (0.9, 0.6)])
def test_dropout_is_judged_by_its_rate(rate, least) -> None:
    recipe = stack((8,), dense("hidden", 32), layer("Dropout", "drop", rate=rate), dense("output", 1, "sigmoid"))
    found = judge(evidence(recipe))
    assert [item.severity >= least for item in found] == ([] if least is None else [True])


def test_the_place_of_a_dropout_is_the_matter_of_another_rule() -> None:
    recipe = stack((8,), dense("hidden", 32), dense("output", 1, "sigmoid"), layer("Dropout", "drop", rate=0.9))
    assert judge(evidence(recipe)) == ()


def test_dropout_inside_a_recurrent_layer_counts() -> None:
    cell = layer("LSTM", "lstm", units=8, dropout=0.0, recurrent_dropout=0.9)
    assert judge(evidence(stack((9, 3), cell, dense("output", 1, "sigmoid")))) != ()


@pytest.mark.parametrize(("decay", "many"), [(None, 0), (0.004, 0), (0.3, 0), (10.0, 1)])
def test_weight_decay_beyond_any_use_counts(decay, many) -> None:
    assert len(judge(evidence(plain(compiled={"optimizer": optimizer("AdamW", weight_decay=decay)})))) == many


def test_weight_decay_grows_with_its_size() -> None:
    found = [
        judge(evidence(plain(compiled={"optimizer": optimizer("AdamW", 0.001, weight_decay=decay)})))[0].severity
        for decay in (1.5, 5.0, 50.0)
    ]
    assert found == sorted(found)
    assert 0.5 < found[0] < found[-1] == 0.65
