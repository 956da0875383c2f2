from __future__ import annotations

import pytest

from autofix.symptoms.shape_broadcast import judge, stretched
from tests.symptoms.conftest import data, dense, evidence, falling, layer, quantity, run, stack

OWN = {"module": "mine", "class_name": "Own", "config": {}, "registered_name": "mine>Own"}
FUNCTION = {"module": "builtins", "class_name": "function", "config": "own", "registered_name": "function"}


def seen(target, output, loss="mse", **more):
    end = [layer("Reshape", "end", target_shape=output)] if len(output) != 1 else []
    recipe = stack((8,), dense("hidden", 32), dense("output", output[-1] if output else 1, "linear"), *end,
                   compiled={"loss": loss})  # fmt: skip
    return judge(evidence(recipe, data(quantity(shape=target)), output_shapes=(output,), **more))


# As measured on Keras 3.15: the mean squared error of 64 rows against NumPy's.
@pytest.mark.parametrize(
    ("target", "prediction", "squeezes", "mixes"),
    [
        ((), (1,), True, None),
        ((1,), (), True, None),
        ((), (1,), False, True),
        ((1,), (), False, True),
        ((1,), (3,), True, False),
        ((3,), (1,), True, False),
        ((), (3,), True, None),  # fails
        ((), (1, 1), True, True),
        ((), (5, 1), True, True),
        ((1,), (5, 1), True, False),
        ((5,), (5, 1), True, None),
        ((5,), (5, 1), False, None),  # fails
        ((1, 3), (5, 3), True, False),
        ((2,), (3,), True, None),  # fails
        ((None,), (4,), True, None),
    ],
)
def test_shapes_meet_as_keras_lets_them(target, prediction, squeezes, mixes) -> None:
    found = stretched(target, prediction, squeezes=squeezes)
    assert (None if found is None else found.mixes_rows) is mixes


@pytest.mark.parametrize("loss", ["mse", "mae", FUNCTION])
def test_keras_mends_one_axis_for_its_losses_and_for_functions(loss) -> None:
    assert seen((), (1,), loss) == ()


def test_a_loss_class_of_its_own_mixes_the_rows() -> None:
    (found,) = seen((), (1,), OWN)
    assert found.severity >= 0.6
    assert found.certainty < 0.9
    assert found.numbers["mixes_rows"] is True
    assert seen((1,), (1,), OWN) == ()


def test_two_axes_too_many_mix_the_rows_under_any_loss() -> None:
    (found,) = seen((), (1, 1))
    assert found.severity == 0.9
    assert "[n] meet outputs of shape [n, 1, 1]" in found.evidence


def test_columns_that_are_repeated_are_told_and_a_note_where_they_may_be_meant() -> None:
    (found,) = seen((1,), (3,))
    assert found.severity == 0.6
    (found,) = seen((1,), (3,), FUNCTION)
    assert found.severity <= 0.4


@pytest.mark.parametrize("loss", ["binary_crossentropy", "sparse_categorical_crossentropy"])
def test_losses_that_refuse_are_the_matter_of_the_contract(loss) -> None:
    assert seen((), (1, 1), loss) == ()


def test_a_run_that_learned_gets_a_note() -> None:
    (found,) = seen((), (1,), OWN, trace=run(falling()), score=0.8)
    assert found.severity <= 0.4
