"""Patches as algebra: what applies, undoes, joins, falls apart into lines, and survives a file."""

from __future__ import annotations

import contextlib
import copy
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autofix.change import Change, Patch
from autofix.errors import FixYourCall, StaleChange
from autofix.frozen import FrozenDict, canonical, freeze, thaw
from autofix.recipe import Recipe


def layer(name: str, **config) -> dict:
    return {"module": "keras.layers", "class_name": "Dense", "config": {"name": name, **config}}


START = Recipe(
    architecture=FrozenDict(
        {
            "class_name": "Sequential",
            "config": {
                "layers": [
                    layer("a", units=4, activation="relu"),
                    {"class_name": "Sequential", "config": {"name": "in", "layers": [layer("b", units=2)]}},
                    {"class_name": "Bidirectional", "config": {"name": "w", "layer": layer("lstm", dropout=0.5)}},
                ]
            },
        }
    ),
    compile=FrozenDict({"optimizer": {"class_name": "SGD", "config": {"learning_rate": 0.1}}, "loss": "mse"}),
)
ADAM = {"class_name": "Adam", "config": {"learning_rate": 0.001, "beta": 0.9}}
SCHEDULE = {"class_name": "Decay", "config": {"first": 0.5, "steps": 10}}
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
plain = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)
PATHS = {
    "fit/epochs": st.integers(1, 4),
    "fit/patience": st.none() | st.integers(1, 4),
    "compile/loss": st.sampled_from(["mse", "mae", {"class_name": "Huber", "config": {}}]),
    "compile/optimizer": st.sampled_from([ADAM, thaw(START.get("compile/optimizer"))]),
    "compile/optimizer/learning_rate": st.sampled_from([0.1, 0.01, SCHEDULE]),
    "compile/optimizer/learning_rate/first": st.sampled_from([0.5, 0.6]),
    "compile/optimizer/beta": st.sampled_from([0.9, 0.5]),
    "layers/a/units": st.integers(1, 4),
    "layers/a/skip": st.booleans(),
    "layers/in/layers/b/units": st.integers(1, 4),
    "layers/w/layer/dropout": st.sampled_from([0.5, 0.2]),
    "layers/in/layers/b/after": st.sampled_from([[], [layer("c")], [layer("d")]]),
    "transforms/labels": st.none() | st.just({"out": ["no", "yes"]}),
}
edits = st.lists(st.sampled_from(sorted(PATHS)).flatmap(lambda path: st.tuples(st.just(path), PATHS[path])), max_size=8)
whys = st.lists(st.sampled_from(["one", "two"]), min_size=8, max_size=8)


def made(recipe: Recipe, wanted, reasons=("why",) * 8) -> Patch:
    """A patch that makes the edits one after the other, those left out that change nothing or are not there."""
    changes = []
    for (path, after), why in zip(wanted, reasons, strict=False):
        if recipe.has(path) and canonical(recipe.get(path)) != canonical(freeze(after)):
            changes.append(Change(path, recipe.get(path), after, "s", why))
            recipe = recipe.set(path, after)
    return Patch(tuple(changes))


@given(edits)
def test_inverse_restores(wanted):
    patch = made(START, wanted)
    patched = patch.apply(START)
    assert patch.inverse().apply(patched) == START
    assert patch.inverse().inverse() == patch


@given(edits, edits)
def test_then_does_both(first, second):
    one = made(START, first)
    middle = one.apply(START)
    two = made(middle, second)
    joint = one.then(two)
    assert joint.apply(START) == two.apply(middle)
    assert joint.inverse().apply(joint.apply(START)) == START


@given(edits, edits, edits)
def test_then_is_associative_in_what_it_does(first, second, third):
    one = made(START, first)
    two = made(one.apply(START), second)
    three = made(two.apply(one.apply(START)), third)
    assert one.then(two).then(three).apply(START) == one.then(two.then(three)).apply(START)


@given(edits)
def test_then_touches_unrelated_paths_once(wanted):
    wanted = [(path, after) for path, after in wanted if not path.startswith("compile/optimizer")]
    joint = Patch().then(made(START, wanted))
    paths = [change.path for change in joint]
    assert len(paths) == len(set(paths))
    assert joint.then(joint.inverse()) == Patch()
    if joint:
        with pytest.raises(StaleChange, match="Diagnose the model again"):
            joint.apply(joint.apply(START))


@given(edits, whys)
def test_every_line_can_go_alone(wanted, reasons):
    patch = Patch().then(made(START, wanted, reasons))
    assert [change for line in patch.lines for change in line] == list(patch)
    for line in patch.lines:
        rest = patch.without(line)
        rest.apply(START)
        for second in rest.lines:
            rest.without(second).apply(START)
    assert patch.without(patch.changes) == Patch()
    assert patch.without(()) == patch


def test_without_an_optimizer_its_learning_rate_is_changed_where_it_was():
    patch = made(START, [("compile/optimizer", ADAM), ("compile/optimizer/learning_rate", 0.01)])
    (rest,) = patch.without(patch.lines[0])
    assert (rest.before, rest.after) == (0.1, 0.01)


def test_without_an_optimizer_changes_of_what_it_alone_has_go_too():
    patch = made(START, [("compile/optimizer", ADAM), ("compile/optimizer/beta", 0.5)])
    assert patch.without(patch.lines[0]) == Patch()


def test_an_optimizer_that_comes_later_takes_the_learning_rate_with_it():
    first = made(START, [("compile/optimizer", ADAM), ("compile/optimizer/learning_rate", 0.01)])
    second = made(first.apply(START), [("compile/optimizer", {**ADAM, "config": {"learning_rate": 0.5}})])
    assert [change.path for change in first.then(second)] == ["compile/optimizer"]


@given(edits, whys)
def test_cost_counts_lines(wanted, reasons):
    patch = made(START, wanted, reasons)
    assert 0 <= patch.cost <= sum(change.cost for change in patch)
    assert bool(patch) == (patch.cost > 0)


def test_layers_of_one_remedy_are_one_line():
    changes = [
        Change(f"layers/{name}/after", [], [layer(f"{name}_norm", axis=-1)], "normalization", "why") for name in "ab"
    ]
    other = Change("layers/c/after", [], [layer("c_norm", axis=1)], "normalization", "why")
    assert [len(line) for line in Patch((*changes, other)).lines] == [2, 1]


def test_odd_values_behind_a_layer_still_make_lines():
    odd = [Change("layers/a/after", [], value, "s", "why") for value in ("text", 5, [5], [{"config": 5}])]
    assert len(Patch(tuple(odd)).lines) == 4


def test_stale_change_says_what_came():
    with pytest.raises(StaleChange, match=r"fit/epochs must be 3 .* where it is 10"):
        Patch((Change("fit/epochs", 3, 4, "s", "why"),)).apply(START)


def test_effect_is_no_part_of_equality():
    assert Change("p", 1, 2, "s", "w", effect=0.1) == Change("p", 1, 2, "s", "w")


patches = st.lists(
    st.builds(Change, st.text(), plain, plain, st.text(), st.text(), st.none() | st.floats(allow_nan=False))
).map(lambda changes: Patch(tuple(changes)))


@given(patches)
def test_yaml_and_json_round_trip(patch):
    assert Patch.from_yaml(patch.to_yaml()) == patch
    assert Patch.from_dict(json.loads(json.dumps(patch.to_dict()))) == patch


HOSTILE = [
    "",
    "[]",
    "5",
    "changes",
    "changes: 5",
    "changes: text",
    "changes: {a: 1}",
    "changes: [5]",
    "changes: [{path: a}]",
    "changes: [{path: a, before: 1, after: 2, strategy: s, why: w, extra: 1}]",
    "changes: [{path: 5, before: 1, after: 2, strategy: s, why: w}]",
    "changes: [{path: a, before: 1, after: 2, strategy: s, why: w, effect: much}]",
    "changes: [{path: a, before: 2020-01-01, after: 2, strategy: s, why: w}]",
    "changes: [{path: a, before: !!binary aGk=, after: 2, strategy: s, why: w}]",
    "changes: [{path: a, before: !!set {x}, after: 2, strategy: s, why: w}]",
    "changes: [{[1, 2]: 3}]",
    "changes: [{{a: 1}: 3}]",
    "!!python/object/apply:os.system ['touch /tmp/autofix_was_here']",
    "changes: !!python/object/apply:os.system ['touch /tmp/autofix_was_here']",
    "changes: [{path: !!python/name:os.system '', before: 1, after: 2, strategy: s, why: w}]",
    "a: &a [1]\nchanges: *a",
    "[" * 5000,
    "changes: " + "[" * 300 + "]" * 300,
    "\x00",
    "changes: [0x_]",
    "a: 1\na: 2",
    "--- {}\n--- {}",
    "%TAG ! tag:a,2020:\n--- !x {}",
    "changes: [{? }]",
    "changes: 9999-99-99",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_yaml_is_refused(text, tmp_path):
    with pytest.raises(FixYourCall):
        Patch.from_yaml(text)


def test_alias_bomb_is_refused_at_once():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    with pytest.raises(FixYourCall, match="alias"):
        Patch.from_yaml("\n".join([*lines, "changes: *a11"]))


@given(st.text())
def test_any_text_is_a_patch_or_refused(text):
    with contextlib.suppress(FixYourCall):
        assert Patch.from_yaml(text) == Patch()


@given(plain)
def test_any_document_is_a_patch_or_refused(document):
    for candidate in (document, {"changes": document}, {"changes": [document]}):
        with contextlib.suppress(FixYourCall):
            Patch.from_dict(candidate)


@given(plain)
def test_freeze_and_thaw(value):
    frozen = freeze(value)
    assert thaw(frozen) == json.loads(json.dumps(value))
    assert freeze(frozen) == frozen
    assert freeze(thaw(frozen)) == frozen
    assert hash(freeze({"value": value})) == hash(freeze({"value": thaw(frozen)}))
    assert copy.deepcopy(FrozenDict({"value": value})) == {"value": value}


def test_frozen_dict_cannot_be_written_to():
    frozen = FrozenDict({"a": {"b": [1]}})
    with pytest.raises(AttributeError, match="build a new one"):
        frozen.a = 1
    with pytest.raises(TypeError):
        frozen["a"] = 1
    with pytest.raises(TypeError):
        frozen["a"]["b"][0] = 2
    thaw(frozen)["a"]["b"].append(2)
    assert frozen == {"a": {"b": [1]}}


def test_what_was_frozen_does_not_change_with_its_source():
    source = {"a": [1]}
    frozen = FrozenDict(source)
    source["a"].append(2)
    assert frozen == {"a": [1]}


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes", 1j, np.datetime64("2020-01-01"), np.complex64(1)])
def test_only_plain_data_can_be_frozen(value):
    with pytest.raises(TypeError, match="plain data"):
        freeze({"value": value})


@pytest.mark.parametrize(
    ("value", "plain_value"),
    [
        (np.float32(0.5), 0.5),
        (np.float64(0.1), 0.1),
        (np.longdouble(0.5), 0.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.str_("x"), "x"),
        (np.arange(2), (0, 1)),
        (np.array(2.5), 2.5),
    ],
)
def test_numpy_becomes_python(value, plain_value):
    frozen = freeze(value)
    assert frozen == plain_value
    assert type(frozen) is type(plain_value)


def test_equality_with_foreign_mappings():
    assert FrozenDict({"a": 1}) != {"a": object()}
    assert FrozenDict({"a": 1}) != 5
    assert FrozenDict({"a": 1}) == {"a": 1}


# ------------------------------------------------------------------------------------------------- names


def named(*names: str, inside: str | None = None) -> Recipe:
    """A stack of dense layers called like this, in a nested model if `inside` names it."""
    found = [layer(name, units=4, activation="sigmoid") for name in names]
    if inside:
        found = [{"class_name": "Sequential", "config": {"name": inside, "layers": found}}]
    return Recipe(FrozenDict({"class_name": "Sequential", "config": {"layers": found}}), START.compile)


def relu(path: str) -> Patch:
    return Patch((Change(f"layers/{path}/activation", "sigmoid", "relu", "activation", "because"),))


def test_layers_that_keras_counted_are_found_by_their_place():
    made = relu("dense_4").made_for(named("dense_3", "dense_4"))
    again = Patch.from_yaml(made.to_yaml())
    assert again.apply(named("dense_7", "dense_8")) == relu("dense_8").apply(named("dense_7", "dense_8"))
    # A name that is there by chance is another layer's.
    assert again.apply(named("dense_4", "dense_5")) == relu("dense_5").apply(named("dense_4", "dense_5"))
    inner = relu("sequential_1/layers/dense").made_for(named("dense", inside="sequential_1"))
    assert (
        inner.apply(named("dense_2", inside="sequential_5")).get("layers/sequential_5/layers/dense_2/activation")
        == "relu"
    )


@pytest.mark.parametrize("others", [("dense_7",), ("dense_7", "dense_8", "dense_9"), ("dense_7", "head")])
def test_another_program_is_none_that_was_counted_anew(others):
    made = relu("dense_4").made_for(named("dense_3", "dense_4"))
    with pytest.raises(FixYourCall, match="dense_4"):
        made.apply(named(*others))


def test_names_that_the_user_gave_are_kept_to():
    made = relu("block_1").made_for(named("block_1", "block_2"))
    swapped = named("block_2", "block_1")
    assert made.apply(swapped) == relu("block_1").apply(swapped)


def test_labels_and_losses_follow_the_name_of_their_output():
    labels = Change("transforms/labels", None, {"dense_4": [1, 2]}, "labels", "because")
    made = Patch((labels,)).made_for(named("dense_3", "dense_4"))
    assert made.apply(named("dense", "dense_1")).get("transforms/labels") == {"dense_1": (1, 2)}


def test_layers_of_a_patch_must_be_paths():
    with pytest.raises(FixYourCall, match="layers"):
        Patch.from_dict({"changes": [], "layers": [1]})
