from __future__ import annotations

import pytest

from autofix.symptoms.bad_initialization import judge
from tests.symptoms.conftest import dense, evidence, falling, flat, initializer, layer, reading, run, stack


def seen(start, *, shape=(64,), units=64, activation="relu", depth=1):
    hidden = [dense(f"hidden_{i}", units, activation, kernel_initializer=start) for i in range(depth)]
    return judge(evidence(stack(shape, *hidden, dense("output", 10, "softmax"))))


@pytest.mark.parametrize(
    "start",
    [
        initializer("GlorotUniform"),
        initializer("HeNormal"),
        initializer("RandomNormal", mean=0.0, stddev=0.05),
        initializer("RandomNormal", mean=0.0, stddev=0.1),
        initializer("VarianceScaling", scale=2.0, mode="fan_in", distribution="normal"),
        initializer("Orthogonal", gain=1.0),
        "he_normal",
    ],
)
def test_usual_initializers_are_fine(start) -> None:
    assert seen(start) == ()


@pytest.mark.parametrize(
    "start", [initializer("Zeros"), initializer("Ones"), initializer("Constant", value=0.1), "zeros"]
)
def test_equal_weights_in_a_hidden_layer_are_a_stall(start) -> None:
    (found,) = seen(start)
    assert found.severity >= 0.7
    assert found.layer == "layers/hidden_0"


def test_a_zero_head_learns() -> None:
    recipe = stack((8,), dense("hidden", 8), dense("output", 3, "softmax", kernel_initializer=initializer("Zeros")))
    assert judge(evidence(recipe)) == ()


@pytest.mark.parametrize(
    ("start", "side"),
    [
        (initializer("RandomNormal", mean=0.0, stddev=1.0), "large"),
        (initializer("RandomUniform", minval=-5.0, maxval=5.0), "large"),
        (initializer("RandomUniform", minval=-1e-4, maxval=1e-4), "small"),
        (initializer("VarianceScaling", scale=100.0, mode="fan_in", distribution="normal"), "large"),
        (initializer("RandomNormal", mean=0.0, stddev=0.0), "small"),
    ],
)
def test_wrong_scales_are_found_with_their_fans(start, side) -> None:
    (found,) = seen(start)
    assert side in found.evidence
    assert (found.numbers["fan_in"], found.numbers["fan_out"]) == (64, 64)


def test_the_same_fault_in_many_layers_weighs_more() -> None:
    start = initializer("RandomNormal", mean=0.0, stddev=1.0)
    assert seen(start, depth=4)[0].severity > seen(start)[0].severity


def test_fans_are_counted_through_convolution_pooling_and_flatten() -> None:
    wide = initializer("RandomNormal", mean=0.0, stddev=1.0)
    recipe = stack(
        (28, 28, 1),
        layer(
            "Conv2D", "conv", filters=8, kernel_size=[3, 3], strides=[1, 1], padding="valid", kernel_initializer=wide
        ),
        layer("MaxPooling2D", "pool", pool_size=[2, 2], strides=[2, 2], padding="valid"),
        layer("Flatten", "flat"),
        dense("hidden", 16, kernel_initializer=wide),
        dense("output", 10, "softmax"),
    )
    fans = {item.layer: item.numbers["fan_in"] for item in judge(evidence(recipe))}
    assert fans == {"layers/hidden": 13 * 13 * 8}
    narrow = recipe.set("layers/conv/kernel_initializer", initializer("RandomNormal", mean=0.0, stddev=5.0))
    assert {item.layer: item.numbers["fan_in"] for item in judge(evidence(narrow))}["layers/conv"] == 9


def test_an_unknown_fan_in_takes_a_plain_case() -> None:
    recipe = stack((None,), layer("Mine", "own"), dense("hidden", 8), dense("output", 1, "sigmoid"))
    for std, many in ((1.0, 1), (0.3, 0)):
        start = initializer("RandomNormal", mean=0.0, stddev=std)
        found = judge(evidence(recipe.set("layers/hidden/kernel_initializer", start)))
        assert len(found) == many
        assert all(item.certainty < 0.7 for item in found)


@pytest.mark.parametrize(
    ("bias", "activation", "least"),
    [(-10.0, "relu", 0.7), (-3.0, "relu", 0.7), (-1.5, "relu", 0.4), (5.0, "sigmoid", 0.6), (2.0, "tanh", 0.4)],
)
def test_large_biases_are_found(bias, activation, least) -> None:
    start = initializer("Constant", value=bias)
    recipe = stack((8,), dense("hidden", 8, activation, bias_initializer=start), dense("output", 1, "sigmoid"))
    (found,) = judge(evidence(recipe))
    assert found.severity >= least


@pytest.mark.parametrize("bias", [0.0, 0.1, -0.5])
def test_small_biases_are_fine(bias) -> None:
    start = initializer("Constant", value=bias)
    assert judge(evidence(stack((8,), dense("hidden", 8, bias_initializer=start), dense("output", 1)))) == ()


def test_an_output_bias_may_carry_the_prior() -> None:
    start = initializer("Constant", value=-4.0)
    assert judge(evidence(stack((8,), dense("hidden", 8), dense("output", 1, "sigmoid", bias_initializer=start)))) == ()


@pytest.mark.parametrize(
    ("start", "activation", "least"),
    [
        (initializer("RandomNormal", mean=0.0, stddev=0.5), "relu", 0.7),
        (initializer("Orthogonal", gain=3.0), "relu", 0.7),
        (initializer("RandomNormal", mean=0.0, stddev=0.5), "tanh", 0.3),
        (initializer("Orthogonal", gain=1.0), "relu", None),
    ],
)
def test_a_recurrence_that_grows_is_found(start, activation, least) -> None:
    cell = layer("SimpleRNN", "rnn", units=32, activation=activation, recurrent_initializer=start)
    found = judge(evidence(stack((30, 1), cell, dense("output", 1, "linear"))))
    assert [item.severity >= least for item in found] == ([] if least is None else [True])


@pytest.mark.parametrize(("std", "many"), [(0.05, 0), (0.03, 1), (0.5, 0), (0.6, 1)])
def test_three_times_off_is_where_it_begins(std, many) -> None:
    assert len(seen(initializer("RandomNormal", mean=0.0, stddev=std))) == many


def test_severity_follows_the_factor_up_to_a_bound() -> None:
    found = [seen(initializer("RandomNormal", mean=0.0, stddev=std))[0].severity for std in (0.6, 6.0, 60.0, 1e12)]
    assert found == sorted(found)
    assert found[0] < 0.4
    assert 0.5 < found[1] < 0.7
    assert found[-1] == 0.85


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"weight_std": 0.0}, "the same before training"),
        ({"spread": 0.6}, "put out the same"),
        ({"weight_std": 50.0}, "too large"),
        ({"weight_std": 1e-5}, "too small"),
    ],
)
def test_a_run_shows_what_the_settings_do_not_tell(more, word) -> None:
    first = (reading(step=0, **more), reading("output", "sigmoid", step=0, **more))
    (found,) = judge(evidence(trace=run(flat(), first=first), score=0.5))
    assert found.layer == "layers/hidden_1"
    assert word in found.evidence
    assert found.severity >= 0.5
    assert judge(evidence(trace=run(falling(), first=first), score=0.95))[0].severity <= 0.4


def test_usual_first_readings_are_fine() -> None:
    first = (reading(step=0), reading("hidden_2", step=0, spread=0.0, std=0.0, mean=0.0))
    assert judge(evidence(trace=run(flat(), first=first), score=0.5)) == ()


def test_what_the_settings_told_is_not_told_again() -> None:
    recipe = stack((8,), dense("hidden_1", 32, kernel_initializer=initializer("Zeros")), dense("output", 1, "sigmoid"))
    first = (reading(step=0, weight_std=0.0),)
    assert len(judge(evidence(recipe, trace=run(flat(), first=first), score=0.5))) == 1
