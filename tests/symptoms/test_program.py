from __future__ import annotations

import pytest

from autofix.frozen import FrozenDict
from autofix.recipe import Recipe
from autofix.symptoms._program import fans, incoming, learning_rate, optimizer, present, routes, shapes, total_steps
from tests.symptoms.conftest import dense, initializer, layer, plain, stack


def conv(name="conv", **more):
    config = {"filters": 8, "kernel_size": [3, 3], "strides": [1, 1], "padding": "valid", "groups": 1, **more}
    return layer("Conv2D", name, **config)


@pytest.mark.parametrize(
    ("shape", "entry", "expected"),
    [
        ((28, 28, 3), conv(), (26, 26, 8)),
        ((28, 28, 3), conv(padding="same", strides=[2, 2]), (14, 14, 8)),
        ((28, 28, 3), conv(dilation_rate=[2, 2]), (24, 24, 8)),
        ((None, None, 3), conv(), (None, None, 8)),
        ((28, 28, 3), conv(data_format="channels_first"), None),
        ((28, 28, 3), layer("MaxPooling2D", "p", pool_size=[2, 2], strides=None, padding="valid"), (14, 14, 3)),
        ((28, 28, 3), layer("GlobalAveragePooling2D", "p"), (3,)),
        ((28, 28, 3), layer("Flatten", "f"), (2352,)),
        ((None, 3), layer("Flatten", "f"), (None,)),
        ((12,), layer("Reshape", "r", target_shape=[3, 4]), (3, 4)),
        ((12,), layer("Reshape", "r", target_shape=[3, -1]), None),
        ((40,), layer("Embedding", "e", input_dim=9, output_dim=4), (40, 4)),
        ((40, 3), layer("LSTM", "l", units=6, return_sequences=True), (40, 6)),
        ((40, 3), layer("LSTM", "l", units=6), (6,)),
        ((8,), layer("RepeatVector", "r", n=5), (5, 8)),
        ((8,), layer("Mine", "m"), None),
    ],
)
def test_shapes_follow_the_layers(shape, entry, expected) -> None:
    name = entry["config"]["name"]
    assert shapes(stack(shape, entry))[f"layers/{name}"] == expected


@pytest.mark.parametrize(("merge", "width"), [("concat", 12), ("sum", 6)])
def test_both_directions_may_be_joined(merge, width) -> None:
    inner = {"class_name": "LSTM", "config": {"name": "f", "units": 6, "return_sequences": False}}
    assert shapes(stack((40, 3), layer("Bidirectional", "b", layer=inner, merge_mode=merge)))["layers/b"] == (width,)


def test_fans_count_the_receptive_field() -> None:
    recipe = stack((28, 28, 4), conv(groups=2))
    view = present(recipe)[-1]
    assert fans(view, incoming(view, shapes(recipe))) == (18, 72)
    assert fans(view, None) is None


def nested(*inner):
    base = {"class_name": "Sequential", "config": {"name": "base", "layers": [
        layer("InputLayer", "inner", batch_shape=[None, 8]), *inner,
    ]}}  # fmt: skip
    return stack((8,), base, dense("output", 1, "sigmoid"))


def test_a_route_leads_into_a_nested_model() -> None:
    ((entry, factor, _),) = routes(nested(layer("Rescaling", "r", scale=0.5, offset=0.0), dense("first", 4)))[0].entries
    assert entry.path == "layers/base/layers/first"
    assert factor == 0.5
    assert shapes(nested(dense("first", 4)))["layers/output"] == (1,)


def test_two_inputs_have_a_route_each() -> None:
    def tensor(*history):
        return {"class_name": "__keras_tensor__", "config": {"shape": [None], "keras_history": list(history)}}

    def fed(entry, *sources):
        return {**entry, "inbound_nodes": [{"args": [[tensor(name, 0, 0) for name in sources]], "kwargs": {}}]}

    entries = [
        {**layer("InputLayer", "a", batch_shape=[None, 5]), "inbound_nodes": []},
        {**layer("InputLayer", "b", batch_shape=[None, 9]), "inbound_nodes": []},
        fed(layer("Embedding", "words", input_dim=9, output_dim=4), "b"),
        fed(layer("Flatten", "flat"), "words"),
        fed(layer("Concatenate", "both", axis=-1), "a", "flat"),
        fed(dense("output", 1), "both"),
    ]
    ends = {"input_layers": [["a", 0, 0], ["b", 0, 0]], "output_layers": [["output", 0, 0]]}
    document = {"class_name": "Functional", "config": {"name": "m", "layers": entries, **ends}}
    recipe = Recipe(FrozenDict(document), plain().compile)
    assert [[entry[0].name for entry in route.entries] for route in routes(recipe)] == [["output"], ["words"]]
    assert shapes(recipe)["layers/both"] == (41,)


def test_a_layer_left_out_is_passed() -> None:
    recipe = stack((8,), layer("BatchNormalization", "norm"), dense("hidden", 4), dense("output", 1))
    bare = recipe.set("layers/norm/skip", True)
    assert routes(recipe)[0].entries[0][0].name == "norm"
    assert routes(bare)[0].entries[0][0].name == "hidden"
    assert "layers/norm" not in {view.path for view in present(bare)}


def test_a_subclassed_model_has_neither() -> None:
    recipe = Recipe(FrozenDict({"class_name": "Mine", "config": {}}), plain().compile)
    assert shapes(recipe) == {}
    assert routes(recipe) == ()
    assert present(recipe) == ()


def test_an_optimizer_that_is_no_optimizer_has_no_rate() -> None:
    for value in (None, 3, {"class_name": "Adam", "config": None}):
        recipe = plain(compiled={"optimizer": value})
        assert isinstance(optimizer(recipe)[0], str)
        assert learning_rate(recipe) in (None, 0.001)


def test_steps_are_counted_up() -> None:
    assert total_steps(plain(fit={"batch_size": 32, "epochs": 3}), 65) == (3, 9)
    assert total_steps(plain(fit={"batch_size": None, "epochs": None}), 1) == (1, 1)


def test_initializers_do_not_matter_here() -> None:
    assert shapes(stack((8,), dense("hidden", 4, kernel_initializer=initializer("Zeros"))))["layers/hidden"] == (4,)
