"""Recipes: paths, files, and the way from a model and back without touching it."""

from __future__ import annotations

import json
import random
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import layers as kl

from autofix.change import Change, Patch
from autofix.errors import FixYourCall, FixYourModel
from autofix.frozen import FrozenDict, canonical, freeze, thaw
from autofix.recipe import Recipe, heads, layers
from autofix.recipe.views import input_paths
from autofix.testing import CASES, small_case

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
plain = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)
# Names as Keras takes them, none of which is one of our own words.
names = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=6)
configs = st.dictionaries(names, plain, max_size=3)


def entry(name: str, config: dict, inner: list | None = None) -> dict:
    if inner is None:
        return {"class_name": "Dense", "config": {**config, "name": name}}
    return {"class_name": "Sequential", "config": {"name": name, "layers": inner}}


@st.composite
def recipes(draw) -> tuple[Recipe, list[str]]:
    """A recipe, and every path in it that holds a value."""
    paths: list[str] = []

    def level(prefix: str, depth: int) -> list[dict]:
        found = []
        for name in draw(st.lists(names, min_size=1, max_size=3, unique=True)):
            path = f"{prefix}layers/{name}"
            if depth and draw(st.booleans()):
                found.append(entry(name, {}, level(path + "/", depth - 1)))
            else:
                config = draw(configs)
                config.pop("name", None)
                found.append(entry(name, config))
                paths.extend(f"{path}/{key}" for key in config)
                paths.append(f"{path}/after")
        return found

    architecture = {"class_name": "Sequential", "config": {"name": "model", "layers": level("", 2)}}
    optimizer = draw(configs)
    fit = draw(configs)
    paths += [f"compile/optimizer/{key}" for key in optimizer if key not in ("class_name", "config")]
    paths += [f"fit/{key}" for key in fit]
    compiled = {"optimizer": {"class_name": "SGD", "config": optimizer}}
    return Recipe(FrozenDict(architecture), FrozenDict(compiled), FrozenDict(fit)), paths


@given(recipes(), plain, st.data())
def test_set_then_get(made, value, data):
    recipe, paths = made
    path = data.draw(st.sampled_from(paths))
    if path.endswith("/after"):
        value = data.draw(st.lists(st.just(entry("new", {})), max_size=2))
    fingerprint = recipe.fingerprint()
    changed = recipe.set(path, value)
    assert changed.get(path) == freeze(value)
    assert recipe.fingerprint() == fingerprint
    assert (changed.fingerprint() == fingerprint) == (canonical(recipe.get(path)) == canonical(freeze(value)))
    assert changed.set(path, recipe.get(path)) == recipe
    for other in paths:
        if other != path:
            assert changed.get(other) == recipe.get(other)


@given(recipes())
def test_json_round_trip(made):
    recipe, paths = made
    again = Recipe.from_dict(json.loads(json.dumps(recipe.to_dict())))
    assert again == recipe
    assert again.fingerprint() == recipe.fingerprint()
    assert hash(again) == hash(recipe)
    assert all(again.has(path) for path in paths)


@given(plain)
def test_any_document_is_a_recipe_or_refused(document):
    sections = {"architecture": document, "compile": {}, "fit": {}, "transforms": {}}
    for candidate in (document, sections):
        try:
            assert Recipe.from_dict(candidate).to_dict() == thaw(freeze(candidate))
        except FixYourCall as error:
            assert "not a recipe" in str(error)  # noqa: PT017


@given(st.text())
def test_any_path_is_there_or_refused(path):
    recipe = small_case("nested").case.recipe
    for call in (lambda: recipe.get(path), lambda: recipe.set(path, 1)):
        try:
            call()
        except FixYourCall as error:
            assert path in str(error) or repr(path) in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("layer/dense/units", "'layers'"),
        ("layers/encode/layers/dense", "'encoder'"),
        ("layers/encoder/layers/frist/units", "Did you mean 'first'"),
        ("layers/encoder/layers/leak/negative_slop", "'negative_slope'"),
        ("compile/optimiser/learning_rate", "'optimizer'"),
        ("layers/encoder/units", "there is no 'units'"),
        ("layers/encoder/name/deeper", "there is no 'deeper'"),
    ],
)
def test_wrong_paths_are_explained(path, hint):
    with pytest.raises(FixYourCall, match=hint):
        small_case("nested").case.recipe.get(path)


def snapshot(model: keras.Model) -> str:
    """Everything a call could change, as text."""
    return repr(
        [
            model.get_config() if not isinstance(model, keras.Sequential) else [la.get_config() for la in model.layers],
            [weights.tolist() for weights in model.get_weights()],
            [np.asarray(variable).tolist() for variable in model.optimizer.variables],
            [np.asarray(variable).tolist() for variable in model.non_trainable_variables],
            model.compiled,
            model.train_function,
        ]
    )


def numpy_state() -> list[int]:
    return np.random.get_state()[1].tolist()  # noqa: NPY002 - the global generator is what must stay as it is


def functional() -> keras.Model:
    left, right = keras.Input((4,), name="left"), keras.Input((3,), name="right")
    tower = keras.Sequential([keras.Input((4,)), kl.Dense(5, "relu"), kl.Dropout(0.5), kl.Dense(5)], name="tower")
    joined = kl.Concatenate(name="joined")([tower(left), kl.Dense(2, name="small")(right)])
    kind = kl.Activation("softmax", name="kind")(kl.Dense(3, name="logits")(joined))
    size = kl.Dense(1, name="size")(kl.Dense(6, name="wide")(joined))
    model = keras.Model([left, right], [kind, size])
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), ["sparse_categorical_crossentropy", "mse"])
    return model


def test_reading_and_building_leave_the_model_and_global_randomness_alone():
    model = functional()
    x = [np.ones((8, 4)), np.ones((8, 3))]
    model.fit(x, [np.zeros(8), np.ones(8)], verbose=0)
    before, states = snapshot(model), (random.getstate(), numpy_state())
    recipe = Recipe.of(model)
    recipe.set("layers/wide/units", 9).build(seed=3)
    assert snapshot(model) == before
    assert (random.getstate(), numpy_state()) == states


@pytest.mark.parametrize("name", CASES)
def test_a_built_model_has_the_recipe_it_was_built_from(name):
    small = small_case(name)
    recipe = small.case.recipe
    built = recipe.build(seed=1, example=small.x)
    again = Recipe.of(built, fit=recipe.fit, example=small.x)
    assert _without_seeds(again.to_dict()) == _without_seeds(recipe.to_dict())


def _without_seeds(node):
    if isinstance(node, dict):
        return {key: _without_seeds(value) for key, value in node.items() if key not in ("seed", "metrics")}
    return [_without_seeds(item) for item in node] if isinstance(node, list) else node


@pytest.mark.parametrize("name", CASES)
def test_seed_decides_the_weights(name):
    small = small_case(name)
    first, same, other = (small.case.recipe.build(seed=seed, example=small.x).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, same, strict=True))
    assert any(not np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_graph_of_a_functional_model():
    recipe = Recipe.of(functional())
    inner = [view for view in layers(recipe) if view.path.startswith("layers/tower/")]
    feeds = {view.name: view.feeds_on for view in layers(recipe)}
    assert feeds[inner[0].name] == ("layers/left",)
    assert feeds["joined"] == (inner[-1].path, "layers/small")
    assert input_paths(recipe) == ("layers/left", "layers/right")
    kind, size = heads(recipe)
    assert (kind.layer.name, kind.activation, kind.activation_path) == ("logits", "softmax", "layers/kind/activation")
    assert (size.layer.name, size.width, size.activation) == ("size", 1, "linear")


def test_head_behind_a_nested_model():
    tower = keras.Sequential([keras.Input((4,)), kl.Dense(3, name="last")], name="tower")
    model = keras.Sequential([keras.Input((4,)), tower, kl.Softmax()])
    model.compile("sgd", "categorical_crossentropy")
    (head,) = heads(Recipe.of(model))
    assert (head.layer.path, head.activation) == ("layers/tower/layers/last", "softmax")


def test_nested_model_with_two_ends():
    inner_in = keras.Input((4,))
    inner = keras.Model(inner_in, [kl.Dense(2, name="one")(inner_in), kl.Dense(3, name="two")(inner_in)], name="fork")
    outer = keras.Input((4,))
    one, two = inner(outer)
    model = keras.Model(outer, kl.Concatenate(name="both")([kl.Dense(1, name="a")(two), kl.Dense(1, name="b")(one)]))
    model.compile("sgd", "mse")
    feeds = {view.name: view.feeds_on for view in layers(Recipe.of(model))}
    assert feeds["a"] == ("layers/fork/layers/two",)
    assert feeds["b"] == ("layers/fork/layers/one",)


BATCH_NORM = {"module": "keras.layers", "class_name": "BatchNormalization", "config": {"name": "norm"}}
DOUBLE = {
    "module": "keras.layers",
    "class_name": "Rescaling",
    "config": {"name": "double", "scale": 2.0, "offset": 0.0},
}


@pytest.mark.parametrize("path", ["layers/small", "layers/logits", "layers/joined", "layers/kind", "layers/left"])
def test_layer_behind_another(path):
    recipe = Recipe.of(functional())
    built = recipe.set(f"{path}/after", [DOUBLE, BATCH_NORM]).build()
    behind = built.get_layer("double")
    assert behind.input is built.get_layer(path.removeprefix("layers/")).output
    assert built.get_layer("norm").input is behind.output
    assert [tuple(out.shape) for out in built.outputs] == [tuple(out.shape) for out in recipe.build().outputs]
    assert len(built.get_weights()) == len(recipe.build().get_weights()) + 4


def test_layer_behind_an_output_changes_what_comes_out():
    recipe = Recipe.of(functional())
    x = [np.ones((2, 4)), np.ones((2, 3))]
    doubled = recipe.set("layers/size/after", [DOUBLE]).build(seed=4)(x)[1]
    assert np.allclose(doubled, 2 * recipe.build(seed=4)(x)[1])


def test_layer_inside_a_nested_model_and_one_left_out():
    recipe = Recipe.of(functional())
    dropout = next(view for view in layers(recipe) if view.class_name == "Dropout")
    dense = next(view for view in layers(recipe) if view.class_name == "Dense")
    patched = recipe.set(f"{dropout.path}/skip", True).set(f"{dense.path}/after", [BATCH_NORM])
    names_found = [layer.name for layer in patched.build().get_layer("tower").layers]
    assert "norm" in names_found
    assert dropout.name not in names_found
    assert patched.set(f"{dropout.path}/skip", False).set(f"{dense.path}/after", []) == recipe


def test_softmax_left_out_of_an_output():
    recipe = Recipe.of(functional()).set("layers/kind/skip", True)
    x = [np.ones((2, 4)), np.ones((2, 3))]
    assert not np.allclose(np.sum(recipe.build()(x)[0], axis=1), 1.0)


def test_uncompiled_model_is_refused():
    with pytest.raises(FixYourModel, match="must be compiled"):
        Recipe.of(keras.Sequential([keras.Input((2,)), kl.Dense(1)]))


def test_impossible_configuration_is_refused_in_our_words():
    recipe = small_case("regression").case.recipe
    with pytest.raises(FixYourModel, match="Keras cannot build"):
        recipe.set("layers/" + layers(recipe)[1].name + "/units", -1).build()


def test_the_same_program_gives_the_same_recipe_however_often_it_was_run():
    def program() -> keras.Model:
        model = keras.Sequential([keras.Input((2,), name="x"), kl.Dense(1, name="y")], name="model")
        optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.RMSprop(0.1))
        model.compile(optimizer, "mse")
        return model

    first, second = Recipe.of(program()), Recipe.of(program())
    assert first == second
    assert first.get("compile/optimizer/inner_optimizer/learning_rate") == 0.1


def test_a_chosen_optimizer_name_stays():
    model = keras.Sequential([keras.Input((2,)), kl.Dense(1)])
    model.compile(keras.optimizers.SGD(name="mine_2"), "mse")
    assert Recipe.of(model).get("compile/optimizer/name") == "mine_2"


def test_loading_runs_no_code():
    document = small_case("regression").case.recipe.to_dict()
    document["architecture"]["config"]["layers"].append(
        {
            "module": "keras.layers",
            "class_name": "Lambda",
            "config": {
                "name": "evil",
                "function": {"class_name": "__lambda__", "config": {"code": "4wAAAAA=", "defaults": None}},
            },
        }
    )
    with pytest.raises(FixYourModel):
        Recipe.from_dict(document).build()


def test_a_patch_adds_no_code_to_a_model_that_has_some():
    mine = kl.Lambda(lambda x: x * 2.0, output_shape=(2,), name="mine")
    model = keras.Sequential([keras.Input((2,)), mine, kl.Dense(1)])
    model.compile("sgd", "mse")
    recipe = Recipe.of(model)
    assert recipe.build().predict(np.ones((1, 2)), verbose=0).shape == (1, 1)
    other = keras.saving.serialize_keras_object(kl.Lambda(lambda x: x * 3.0, output_shape=(2,), name="other"))
    change = Change("layers/mine/after", (), (other,), "activation", "It adds code.")
    with pytest.raises(FixYourModel, match="Lambda"):
        Patch((change,)).apply(recipe).build()


@pytest.mark.filterwarnings("ignore::UserWarning")  # Keras says that the layers are not built
def test_subclassed_model_that_counts_as_built_gets_the_weights_that_its_layers_still_lack():
    """`build` of a model without a `build` of its own leaves them to the first call."""

    class Late(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.hidden, self.head = keras.layers.Dense(4), keras.layers.Dense(1)

        def call(self, inputs: Any) -> Any:
            return self.head(self.hidden(inputs))

    def build() -> keras.Model:
        model = Late()
        model.build((None, 3))
        model.compile("sgd", "mse")
        return model

    example = np.ones((2, 3), "float32")
    recipe = Recipe.of(build, example=example)
    assert len(recipe.build(seed=0, example=example).weights) == 4
