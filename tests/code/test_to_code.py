"""Scripts of repairs: what they build is the patched recipe, whatever the model and whatever was changed."""

import json
import textwrap
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import __main__
from autofix.change import Change, Patch
from autofix.code import to_code
from autofix.code.layout import Call, flat, lines, literal
from autofix.code.naming import is_counted, numbered, snake
from autofix.code.signatures import COMPUTED, signature
from autofix.recipe import Recipe
from autofix.recipe.build import fresh_seeds
from autofix.registry import strategies
from autofix.testing.cases import CASES, diagnosis, small_case
from tests.quality.cases import discover

GALLERY = {case.name: case for case in discover(["broken"])}


def ran(recipe: Recipe, code: str) -> dict[str, Any]:
    """The names of a script; the user's own classes are in `__main__`, as the script expects."""
    for name, value in recipe.objects.items():
        if name.isidentifier():
            setattr(__main__, name, value)
    names: dict[str, Any] = {"__name__": "script"}
    exec(compile(code, "script", "exec"), names)  # noqa: S102 (written by `to_code`)
    return names


# What Keras sets by itself is not written.
NOISE = ("data_format", 'dtype="float32"', "strides=", "trainable=True", "seed=", 'name="dense')


def assert_builds(recipe: Recipe, patch: Patch, rows: Any) -> str:
    code = to_code(recipe, patch)
    model = ran(recipe, code)["build_model"]()
    if not model.built:
        model(rows)
    want = numbered(Recipe.of(patch.apply(recipe).build(example=rows)))
    # A recipe is built from one seed, whatever seeds the program gave its layers; a script keeps those.
    got = fresh_seeds(numbered(Recipe.of(model)))
    for section in ("architecture", "compile"):
        assert json.dumps(got[section], sort_keys=True, indent=1) == json.dumps(want[section], sort_keys=True, indent=1)
    return code


@pytest.mark.parametrize("name", CASES)
def test_small_recipes_with_every_strategys_guess(name):
    small = small_case(name)
    rows = [array[:2] for array in small.x] if isinstance(small.x, list) else small.x[:2]
    assert_builds(small.case.recipe, Patch(), rows)
    for strategy in strategies(None):
        found = tuple(diagnosis(symptom) for symptom in sorted(strategy.treats, key=lambda item: item.name))
        patch = strategy.guess(replace(small.case, diagnoses=found))
        if patch:
            code = assert_builds(small.case.recipe, patch, rows)
            assert name == "two_outputs" or not any(noise in code for noise in NOISE)
            assert f"  {len(patch.lines)}. " in code


# One script of the gallery is trained with its fault inside.
@pytest.mark.filterwarnings("ignore::UserWarning:keras")
@pytest.mark.parametrize("name", GALLERY)
def test_gallery(name):
    script = GALLERY[name].load()
    train, _ = script.data(0)
    recipe = Recipe.of(script.model(0), fit=script.fit)
    change = Change("fit/epochs", recipe.get("fit/epochs"), 99, "test", "The run lasts too short.")
    code = assert_builds(recipe, Patch((change,)), np.asarray(train[0])[:2])
    assert max(len(line) for line in code.splitlines()) <= 100
    assert "epochs=99," in code
    assert code == to_code(recipe, Patch((change,)))


def test_a_layer_is_called_once_its_inputs_are_there():
    import keras

    inputs = keras.Input((8,))
    shared = keras.layers.Dense(8, name="shared")
    outputs = shared(keras.layers.Dense(8, activation="relu")(shared(inputs)))
    model = keras.Model(inputs, outputs)
    model.compile("sgd", "mse")
    code = assert_builds(Recipe.of(model), Patch(), np.zeros((2, 8)))
    assert code.count("shared_layer(") == 2


def test_script_fits_given_arrays():
    small = small_case("dead_relu_mlp")
    recipe = small.case.recipe
    changes = (
        Change("fit/batch_size", 1, 64, "batch_size", "Steps are noisy."),
        Change("fit/patience", None, 2, "epochs", "It trains for long."),
        Change("fit/class_weight", None, {"0": 0.5, "1": 6.0}, "class_weight", "Class 1 is rare."),
        Change("fit/oversample", False, True, "class_weight", "Class 1 is rare."),
        Change("transforms/labels", None, {"dense": ["no", "yes"]}, "targets", "Labels are words."),
    )
    names = ran(recipe, to_code(recipe, Patch(changes)))
    y = np.where(small.y == 1, "yes", "no")
    model = names["build_model"]()
    history = names["fit_model"](model, (small.x, y), (small.x, y))
    assert len(history.history["val_loss"]) == 1
    assert names["encode"](["yes", "no"]).tolist() == [1, 0]
    assert names["decode"](np.array([[0.9], [0.1]])).tolist() == ["yes", "no"]
    x, kept = names["oversampled"](small.x, names["encode"](y))
    assert np.bincount(kept).tolist() == [88, 88]
    assert len(x) == len(kept)
    with pytest.raises(NotImplementedError, match="your own arrays"):
        names["load_data"]()


def test_changes_are_marked_where_they_are_and_explained_once():
    recipe = small_case("sigmoid_mlp").case.recipe
    paths = [f"layers/{item['config']['name']}/activation" for item in recipe.architecture["config"]["layers"][1:3]]
    why = 'The gradient vanishes """ on its way.'
    patch = Patch(tuple(Change(path, "sigmoid", "relu", "activation", why, effect=0.25) for path in paths))
    code = to_code(recipe, patch, ["Scores are of one seed."], metric="r2")
    assert code.count('# [1] activation was "sigmoid"') == 2
    assert code.count("The gradient vanishes") == 1
    assert "Without it: r2 falls by 0.250." in " ".join(code.split())
    assert "Note: Scores are of one seed." in code
    compile(code, "script", "exec")


def test_kept_weights_and_frozen_layers_are_told():
    recipe = small_case("gated").case.recipe
    assert 'keras.saving.load_model("repaired.keras")' in to_code(recipe, Patch(), retrained=False)
    assert "trainable=False keep the weights" in " ".join(to_code(recipe, Patch()).split())


def test_own_classes_are_imported_from_where_they_live():
    document = small_case("custom_layer").case.recipe.to_dict()
    for item in document["architecture"]["config"]["layers"]:
        if item["class_name"] == "Scaled":
            item |= {"module": "my_package.layers", "registered_name": "Scaled"}
    code = to_code(Recipe.from_dict(document), Patch())
    assert "from my_package.layers import Scaled" in code
    assert 'bent = keras.saving.get_registered_object("autofix_testing>bent")' in code


def test_result_gives_its_script():
    from autofix.result import RepairResult, Verdict

    small = small_case("regression")
    result = RepairResult(
        Verdict.HEALTHY, None, Patch(), (), None, None, None, "r2", (), None, small.case.recipe, notes=("Few rows.",)
    )
    assert result.to_code() == to_code(small.case.recipe, Patch(), ["Few rows."], metric="r2")


def test_long_calls_take_a_line_an_argument_and_numbers_fill_theirs():
    call = Call("f", (("name", literal("a" * 40)), (None, literal([float(n) for n in range(30)])), ("x", literal({}))))
    wanted = f"""
    y = f(
        name="{"a" * 40}",
        [
            0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0,
            17.0, 18.0, 19.0, 20.0, 21.0, 22.0, 23.0, 24.0, 25.0, 26.0, 27.0, 28.0, 29.0,
        ],
        x={{}},
    )
    """
    assert lines(call, lead="y = ") == textwrap.dedent(wanted).strip().splitlines()
    assert flat(literal({"a": (1,), 2: None, "b": float("nan")})) == '{"a": (1,), 2: None, "b": float("nan")}'
    assert flat(literal('say "hi"')) == "'say \"hi\"'"


@pytest.mark.parametrize(
    ("group", "name", "argument", "default"),
    [
        ("layers", "Dense", "activation", None),
        ("layers", "Convolution2D", "strides", (1, 1)),
        ("layers", "GlobalAveragePooling2D", "keepdims", False),
        ("layers", "Dropout", "trainable", True),
        ("optimizers", "SGD", "learning_rate", 0.01),
        ("optimizers/schedules", "ExponentialDecay", "staircase", False),
        ("losses", "Huber", "delta", 1.0),
        ("initializers", "he_normal", "seed", None),
        ("layers", "LayerNormalization", "epsilon", 0.001),
    ],
)
def test_signatures_are_those_of_the_installed_keras(group, name, argument, default):
    import inspect

    import keras

    module = keras
    for part in group.split("/"):
        module = getattr(module, part)
    own = inspect.signature(getattr(module, name)).parameters
    read = signature(group, name)
    assert read.defaults[argument] == default
    named = [key for key, item in own.items() if item.kind is not item.VAR_KEYWORD]
    assert list(read.names)[: len(named)] == named
    for key in named:
        given = read.defaults.get(key, inspect.Parameter.empty)
        assert given is COMPUTED or given == own[key].default


def test_unknown_names_have_no_signature():
    assert signature("layers", "Danse") is None
    assert signature("no_such_group", "Dense") is None


@pytest.mark.parametrize(
    ("class_name", "name", "counted"),
    [("Dense", "dense", True), ("Dense", "dense_12", True), ("Dense", "dense_a", False), ("Conv2D", "conv2d_1", True)],
)
def test_counted_names(class_name, name, counted):
    assert is_counted(class_name, name) is counted


def test_names_are_made_as_keras_makes_them():
    from keras.src.utils.naming import to_snake_case

    for name in ("Dense", "ReLU", "Conv2D", "GlobalAveragePooling2D", "LSTM", "PReLU", "UpSampling2D", "GRUCell"):
        assert snake(name) == to_snake_case(name)
