from __future__ import annotations

import pytest

from autofix.symptoms.linear_hidden_layers import judge
from tests.symptoms.conftest import column, data, dense, evidence, falling, layer, plain, run, stack

HEAD = dense("output", 1, "sigmoid")


def seen(*entries, shape=(8,), **more):
    return judge(evidence(stack(shape, *entries), data(inputs=[column(shape)]), **more))


def conv(name, filters, activation="relu"):
    return layer("Conv2D", name, filters=filters, kernel_size=(3, 3), activation=activation)


@pytest.mark.parametrize(
    "entries",
    [
        (dense("hidden", 32), HEAD),
        (HEAD,),
        (dense("hidden", 32, "linear"), layer("ReLU", "relu"), HEAD),
        (
            dense("hidden", 32, "linear"),
            layer("BatchNormalization", "norm"),
            layer("Activation", "a", activation="elu"),
            HEAD,
        ),
        (dense("wide", 32), dense("waist", 2, "linear"), dense("back", 32), HEAD),
        (dense("hidden", 32, "linear"), layer("LayerNormalization", "norm"), HEAD),
        (dense("hidden", 32, "linear"), layer("Mine", "mine"), HEAD),
    ],
)
def test_something_that_bends_is_enough(entries) -> None:
    assert seen(*entries) == ()


def test_a_stack_of_linear_layers_is_one_map() -> None:
    drop = layer("Dropout", "drop", rate=0.2)
    (found,) = seen(dense("one", 32, "linear"), drop, dense("two", 32, "linear"), HEAD)
    assert found.severity == 0.6
    assert found.numbers["wholly"] is True
    assert found.numbers["layers"] == ("layers/one", "layers/two")


def test_one_linear_layer_among_others_is_a_note() -> None:
    (found,) = seen(dense("one", 32, "linear"), dense("two", 32), HEAD)
    assert found.severity <= 0.4
    assert found.layer == "layers/one"


def test_convolutions_count_and_pooling_by_maximum_bends() -> None:
    end = (layer("Flatten", "flat"), HEAD)
    average = layer("AveragePooling2D", "pool", pool_size=(2, 2))
    maximum = layer("MaxPooling2D", "pool", pool_size=(2, 2))
    assert seen(conv("one", 8, "linear"), average, conv("two", 8), *end, shape=(16, 16, 1)) != ()
    assert seen(conv("one", 8, "linear"), maximum, conv("two", 8), *end, shape=(16, 16, 1)) == ()


@pytest.mark.parametrize(
    ("first", "second", "severity"), [("relu", "relu", 0.2), ("relu", "elu", 0.2), ("tanh", "sigmoid", 0.35)]
)
def test_two_activations_in_a_row_are_a_note(first, second, severity) -> None:
    (found,) = seen(dense("hidden", 32, first), layer("Activation", "again", activation=second), HEAD)
    assert found.severity == severity
    assert found.layer == "layers/again"


def test_the_output_is_the_matter_of_the_contract() -> None:
    assert seen(dense("hidden", 32), dense("out", 3, "relu"), layer("Softmax", "soft")) == ()


def test_a_run_that_learned_gets_a_note() -> None:
    (found,) = seen(dense("hidden", 32, "linear"), HEAD, trace=run(falling()), score=0.95)
    assert found.severity <= 0.4
    assert judge(evidence(plain())) == ()
