from __future__ import annotations

import pytest

from autofix.symptoms.input_shape import accepts, judge, reading
from tests.symptoms.conftest import column, data, evidence


@pytest.mark.parametrize(
    ("model", "given", "meant"),
    [
        ((28, 28, 1), (784,), (28, 28, 1)),
        ((784,), (28, 28), (784,)),
        ((784,), (28, 28, 1), (784,)),
        ((None, 8), (80,), (10, 8)),
        ((12, 5), (60, 1), (12, 5)),
        ((28, 28, 1), (28, 28, 3), None),
        ((3, 32, 32), (32, 32, 3), None),
        ((8, 6), (6, 8), None),
        ((10,), (8,), None),
        ((None, None, 3), (300,), None),
        ((0,), (0, 4), None),
    ],
)
def test_reading_is_the_one_reshape_that_keeps_the_order(model, given, meant) -> None:
    assert reading(model, given) == meant


@pytest.mark.parametrize(
    ("model", "given"),
    [((8,), (8,)), ((None, 8), (5, 8)), ((28, 28, 1), (28, 28)), ((8,), (8, 1)), ((1,), ()), ((None,), (40,))],
)
def test_what_keras_feeds_as_it_is_is_no_fault(model, given) -> None:
    assert accepts(model, given)
    assert judge(evidence(facts=data(inputs=[column(given)]), input_shapes=(model,))) == ()


def test_flat_images_are_told_how_to_be_read(finds) -> None:
    (found,) = judge(evidence(facts=data(inputs=[column((784,))]), input_shapes=((28, 28, 1),)))
    assert found.numbers["reading"] == (28, 28, 1)
    assert "(784,)" in found.evidence
    assert "(28, 28, 1)" in found.evidence


def test_channels_in_the_wrong_place_need_a_transpose() -> None:
    (found,) = judge(evidence(facts=data(inputs=[column((3, 32, 32))]), input_shapes=((32, 32, 3),)))
    assert "transpose" in found.evidence
    assert found.numbers.get("reading") is None


def test_a_missing_input_is_counted() -> None:
    (found,) = judge(evidence(input_shapes=((8,), (3,))))
    assert "2 inputs, the data 1" in found.evidence


def test_a_model_that_declares_nothing_is_not_judged() -> None:
    assert judge(evidence(input_shapes=())) == ()
