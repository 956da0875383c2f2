"""The laws, held against every small repair: what is the user's stays the user's, and what is handed back is real."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import autofix
from autofix.change import Patch
from autofix.frozen import thaw
from autofix.recipe import Recipe
from tests import programs
from tests.programs import PROGRAMS, differences, run, snapshot

# Keras 3.15 saves variables in a way that NumPy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

CLAIMED = [name for name in PROGRAMS if name not in ("healthy", "hopeless")]
# Saving and training cost half a second each.
OF_EACH_KIND = (
    "softmax_trained", "tiny_rate", "labels_from_one", "nan_inputs", "raw_targets", "two_inputs", "two_outputs",
    "subclassed", "sequence",
)  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_nothing_of_the_users_is_touched(name):
    found = run(name)
    assert found.before["weights"] or found.given is not found.model
    assert differences(found.before, found.after) == []


@pytest.mark.parametrize("name", PROGRAMS)
def test_model_is_new_where_something_was_changed_and_the_users_own_where_not(name):
    found = run(name)
    if found.result.changes:
        assert found.result.model is not found.model
    elif found.given is found.model:
        assert found.result.model is found.model


@pytest.mark.parametrize("name", CLAIMED)
def test_patch_replays(name):
    found = run(name)
    fit = found.result.recipe.fit
    recipe = Recipe.of(found.given, fit=fit, example=_rows(found.x, 2))
    assert recipe == found.result.recipe
    replayed = found.result.patch.apply(recipe).build(example=_rows(found.x, 2))
    if found.given is found.model:  # what a function built may have no configuration
        assert _config(replayed) == _config(found.result.model)
    assert replayed.get_compile_config() == found.result.model.get_compile_config()


@pytest.mark.parametrize("name", CLAIMED)
def test_patch_survives_yaml_and_json(name):
    patch = run(name).result.patch
    assert patch
    for copy in (Patch.from_yaml(patch.to_yaml()), Patch.from_dict(json.loads(json.dumps(patch.to_dict())))):
        assert copy == patch
        assert [change.effect for change in copy] == [change.effect for change in patch]


@pytest.mark.parametrize("name", CLAIMED)
def test_every_line_says_what_and_why_and_what_it_is_worth(name):
    result = run(name).result
    for change in result.changes:
        assert change.why
        assert change.path in str(result) or len(result.patch.lines) < len(result.changes)
        assert not result.retrained or change.effect is not None
        assert change.effect is None or change.effect > 0


@pytest.mark.parametrize("name", PROGRAMS)
def test_result_is_plain_data(name):
    result = run(name).result
    document = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert document["status"] == result.status
    assert len(document["trials"]) == len(result.trials) > 0
    assert Recipe.from_dict(document["recipe"]) == result.recipe


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_run_is_counted_once(name):
    """What was only looked up again is no training run. The settings that are handed over are run once on all rows."""
    trained = [outcome for outcome in run(name).result.trials if outcome.steps]
    runs = [(json.dumps(outcome.patch.to_dict(), sort_keys=True), outcome.seed) for outcome in trained]
    assert len(runs) - len(set(runs)) <= 1


@pytest.mark.parametrize("name", CLAIMED)
def test_model_predicts_from_raw_inputs(name):
    found = run(name)
    outputs = found.result.model.predict(found.x, verbose=0)
    for output in keras.tree.flatten(outputs):
        assert len(output) == len(keras.tree.flatten(found.x)[0])
        assert np.isfinite(output).all()


@pytest.mark.parametrize("name", OF_EACH_KIND)
def test_model_is_saved_and_loaded_safely(name, tmp_path):
    found = run(name)  # before the next test trains it: an optimizer that was never used must load without a warning
    found.result.model.save(tmp_path / "repaired.keras")
    loaded = keras.models.load_model(tmp_path / "repaired.keras", safe_mode=True)
    ours, theirs = (model.predict(found.x, verbose=0) for model in (found.result.model, loaded))
    for mine, value in zip(keras.tree.flatten(ours), keras.tree.flatten(theirs), strict=True):
        np.testing.assert_allclose(mine, value, atol=1e-6)


@pytest.mark.parametrize("name", OF_EACH_KIND)
def test_model_is_compiled_and_fits_on(name):
    found = run(name)
    model = found.result.model
    kept = model.get_weights()
    fed = _as_fed(found)
    history = model.fit(found.x, fed, epochs=1, batch_size=64, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    assert any(not np.array_equal(old, new) for old, new in zip(kept, model.get_weights(), strict=True))
    model.set_weights(kept)
    model.compile_from_config(model.get_compile_config())


@pytest.mark.parametrize("name", CLAIMED)
def test_model_is_the_proven_one_or_its_settings_trained_on_all_rows(name):
    result = run(name).result
    assert result.after is not None

    def is_of(outcome: Any) -> bool:
        weights = result.model.get_weights()
        return outcome.weights is not None and all(map(np.array_equal, outcome.weights, weights))

    if any(is_of(outcome) for outcome in result.after.outcomes):
        return
    assert any("trained on all rows" in note for note in result.notes)
    (refitted,) = [outcome for outcome in result.trials if is_of(outcome)]
    assert refitted.patch == result.patch
    assert refitted.holdout.value >= result.after.mean - 0.1


@pytest.mark.parametrize("name", ["tiny_rate", "healthy"])
def test_diagnose_touches_nothing_either(name):
    keras.utils.set_random_seed(7)
    model, data, _, _, settings = PROGRAMS[name]()
    model.predict(data[0][:4], verbose=0)  # a compiled function of the user's own, to be kept
    before = snapshot(model, data)
    found = autofix.diagnose(model, data, progress=False, epochs=settings["epochs"], batch_size=settings["batch_size"])
    assert differences(before, snapshot(model, data)) == []
    stalled = any(item.severity >= 0.7 for item in found)
    assert stalled is (name == "tiny_rate")


def test_trained_optimizer_keeps_its_slots():
    """Momenta, second moments and the count of steps of a model in use."""
    found = run("softmax_trained")
    assert int(found.model.optimizer.iterations) > 0
    assert len(found.before["optimizer"]) > 2
    assert differences(found.before, found.after) == []


def test_the_snapshot_sees_every_kind_of_touch():
    """A law that cannot be broken is no law: each touch shows up under its own name."""
    model, data, _, _, _ = programs.tiny_rate()
    before = snapshot(model, data)
    touches: dict[str, Any] = {
        "weights": lambda: model.layers[0].kernel.assign_add(1e-7 + model.layers[0].kernel * 0),
        "optimizer": lambda: model.optimizer.iterations.assign_add(1),
        "variables": lambda: model.layers[1].seed_generator.next(),
        "trainable": lambda: setattr(model.layers[0], "trainable", False),
        "compile": lambda: setattr(model.optimizer, "learning_rate", 0.5),
        "arrays": lambda: data[0].__setitem__((0, 0), 99.0),
        "writable": lambda: data[0].setflags(write=False),
        "python random": random.random,
        "numpy random": lambda: np.random.random(),  # noqa: NPY002
    }
    for what, touch in touches.items():
        touch()
        after = snapshot(model, data)
        assert what in differences(before, after), what
        before = after


def test_tensorflows_own_generator_is_left_alone():
    model, (x, y), _, _, _ = programs.healthy()
    tf.random.set_seed(5)
    expected = [float(tf.random.uniform([])) for _ in range(2)]
    tf.random.set_seed(5)
    first = float(tf.random.uniform([]))
    autofix.diagnose(model, (x, y), epochs=1, progress=False)
    assert [first, float(tf.random.uniform([]))] == expected


def test_same_seed_same_repair():
    """Everything random comes from `seed`."""
    found = run("tiny_rate")
    keras.utils.set_random_seed(7)
    model, data, _, _, settings = programs.tiny_rate()
    random.seed(99)
    np.random.seed(99)  # noqa: NPY002
    again = autofix.repair(model, data, progress=False, **settings)
    ours, theirs = ([outcome.score.value for outcome in result.trials] for result in (found.result, again))
    assert ours == theirs
    assert [(c.path, c.after) for c in again.changes] == [(c.path, c.after) for c in found.result.changes]


def test_patch_replays_on_the_same_program_built_again():
    """Keras counts the optimizers of a process in their names; a patch must not depend on the count."""

    def build() -> keras.Model:
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, "softmax", name="head")], name="program")
        model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
        return model

    first, second = Recipe.of(build()), Recipe.of(build())
    replacement = {"module": "keras.optimizers", "class_name": "Adam", "config": {}, "registered_name": None}
    before = first.get("compile/optimizer")
    patch = Patch((autofix.Change("compile/optimizer", before, replacement, "optimizer", "because"),))
    assert patch.apply(first).get("compile/optimizer") == replacement
    assert patch.apply(second).get("compile/optimizer") == replacement


def test_names_of_the_users_layers_stay():
    found = run("nan_inputs")
    mine = {layer.name for layer in found.model.layers}
    assert mine <= {layer.name for layer in found.result.model.layers}


def test_change_log_is_rendered_from_the_patch():
    result = run("softmax_trained").result
    assert "softmax -> sigmoid" in str(result)
    assert "trained weights were kept" in str(result)
    assert str(result.verdict.value) in str(result)


@pytest.mark.parametrize("command", ["import autofix", "import autofix; autofix.__all__; dir(autofix)"])
def test_import_is_light(command):
    heavy = ["tensorflow", "keras", "optuna", "sklearn", "pandas"]
    code = f"{command}\nimport sys\nprint([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def _rows(tree: Any, count: int) -> Any:
    return keras.tree.map_structure(lambda array: array[:count], tree)


def _config(model: keras.Model) -> Any:
    return json.loads(json.dumps(keras.saving.serialize_keras_object(model), sort_keys=True, default=repr))


def _as_fed(found: programs.Run) -> Any:
    """The targets as the patched program is fed with them."""
    labels = thaw(found.result.patch.apply(found.result.recipe).transforms.get("labels"))
    if not labels:
        return found.y
    (order,) = labels.values()
    return np.array([order.index(label) for label in np.asarray(found.y).tolist()])
