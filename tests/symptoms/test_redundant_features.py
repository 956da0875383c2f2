from __future__ import annotations

import pytest

from autofix.symptoms.redundant_features import judge
from tests.symptoms.conftest import column, data, dense, evidence, falling, layer, plain, run, stack


def seen(*inputs, recipe=None, **more):
    return judge(evidence(recipe, data(inputs=inputs), **more))


def test_features_that_vary_are_fine() -> None:
    assert seen(column()) == ()


@pytest.mark.parametrize(
    ("constant", "repeated", "severity"), [(1, 0, 0.2), (0, 1, 0.25), (1, 2, 0.25), (3, 3, 0.4), (8, 0, 0.9)]
)
def test_some_are_a_note_and_all_are_a_stall(constant, repeated, severity) -> None:
    (found,) = seen(column(constant=constant, repeated=repeated))
    assert found.severity == severity
    assert found.numbers["features"] == 8


def test_one_of_two_inputs_may_be_dead_and_the_other_carry_on() -> None:
    (found,) = seen(column(constant=8, name="a"), column(name="b"))
    assert found.severity == 0.5
    assert "'a'" in found.evidence


@pytest.mark.parametrize(("constant", "many"), [(3, 0), (30, 0), (32, 1), (63, 1)])
def test_the_rim_of_a_picture_is_usual(constant, many) -> None:
    recipe = stack((64,), dense("hidden", 8), dense("output", 1, "sigmoid"))
    assert len(seen(column((64,), constant=constant), recipe=recipe)) == many


def test_word_numbers_are_no_features() -> None:
    words = layer("Embedding", "words", input_dim=10, output_dim=4)
    recipe = stack((8,), words, layer("Flatten", "flat"), dense("output", 1, "sigmoid"))
    assert seen(column(constant=8), recipe=recipe) == ()


def test_a_run_that_learned_gets_a_note() -> None:
    (found,) = seen(column(constant=8), recipe=plain(), trace=run(falling()), score=0.95)
    assert found.severity <= 0.4
