"""Which settings come as values, so that changing one needs no compiled program of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest

from autofix.recipe import Recipe
from autofix.recipe.views import input_paths
from autofix.session import Session
from autofix.trainer.hot import Hot
from tests.trainer.hot_changes import BEFORE, EVEN, HOT, MEAN, RATE, VARIANCE, far, layer, penalised, regularizer

L = keras.layers
COLD: dict[str, tuple[str, Any]] = {
    "activation": ("layers/hidden/activation", "relu"),
    "units": ("layers/hidden/units", 7),
    "optimizer": ("compile/optimizer", keras.saving.serialize_keras_object(keras.optimizers.Adam(0.1))),
    "momentum": ("compile/optimizer/momentum", 0.9),
    "clipping": ("compile/optimizer/clipnorm", 1.0),
    "loss": ("compile/loss", "categorical_crossentropy"),
    "labels": ("transforms/labels", {"head": [0, 1, 2]}),
    "frozen": ("layers/hidden/trainable", False),
    "another kind of regularizer": ("layers/hidden/kernel_regularizer", regularizer("L1", l1=0.05)),
    "L1L2 out of proportion": ("layers/middle/kernel_regularizer", regularizer("L1L2", l1=0.03, l2=0.02)),
    "half of L1L2": ("layers/middle/kernel_regularizer", regularizer("L1L2", l1=0.03, l2=0.0)),
    "a regularizer where there was none": ("layers/head/kernel_regularizer", regularizer("L2", l2=0.1)),
    "a penalty on what a layer puts out": ("layers/middle/activity_regularizer", regularizer("L2", l2=0.1)),
    "class weights where classes are even": ("fit/class_weight", {"0": 1.0, "1": 2.0}),
    "inverted": (BEFORE, [layer("Normalization", mean=MEAN, variance=VARIANCE, invert=True, name="scaled")]),
    "factors in a list": (BEFORE, [layer("Rescaling", scale=[0.1, 0.2, 0.3, 0.4], name="small")]),
    "offsets in a list": (BEFORE, [layer("Rescaling", scale=0.1, offset=[1, 2, 3, 4], name="small")]),
    "a scale of zero": (BEFORE, [layer("Rescaling", scale=0.0, name="small")]),
    "a scale that is not known": (BEFORE, [layer("Normalization", name="scaled")]),
    "another layer behind the input": (BEFORE, [layer("LayerNormalization", name="scaled")]),
    "scaled elsewhere": ("layers/hidden/after", [layer("Rescaling", scale=0.5, name="small")]),
}


@pytest.fixture
def one(session) -> Session:
    return session(penalised(), far(), EVEN, shuffle=False)


def key(hot: Hot, recipe: Recipe) -> str:
    return hot.key(hot.split(recipe)[0])


def hot_of(one: Session) -> Hot:
    return Hot(one.recipe, one.facts.inputs)


@pytest.mark.parametrize("change", HOT)
def test_what_needs_no_program_of_its_own(change, one):
    hot = hot_of(one)
    assert key(hot, one.recipe.set(*HOT[change])) == key(hot, one.recipe)


@pytest.mark.parametrize("change", COLD)
def test_what_does(change, one):
    hot = hot_of(one)
    assert key(hot, one.recipe.set(*COLD[change])) != key(hot, one.recipe)


def test_schedule_is_no_learning_rate(one):
    schedule = keras.saving.serialize_keras_object(keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5))
    hot, decaying = hot_of(one), one.recipe.set(RATE, schedule)
    assert key(hot, decaying) != key(hot, one.recipe)
    assert hot.split(decaying)[1].rate is None


def test_class_weights_come_as_values_where_they_are_likely(one):
    weighted, plain = Hot(one.recipe, one.facts.inputs, weighted=True), hot_of(one)
    balanced = one.recipe.set("fit/class_weight", {"0": 1.0, "1": 2.0})
    assert key(weighted, balanced) == key(weighted, one.recipe)
    assert key(plain, balanced) != key(plain, one.recipe)


def test_second_layer_behind_the_input_stays(one):
    hot, behind = hot_of(one), layer("GaussianNoise", stddev=0.1, name="noise")
    alone = one.recipe.set(BEFORE, [behind])
    scaled = one.recipe.set(BEFORE, [layer("Rescaling", scale=0.1, name="small"), behind])
    assert key(hot, scaled) == key(hot, alone) != key(hot, one.recipe)
    assert hot.split(scaled)[1].scales["table"].factor.tolist() == pytest.approx([0.1] * 4)


@pytest.mark.parametrize(
    ("shape", "axis", "size", "hot"),
    [((3, 4), -1, 4, True), ((3, 4), 2, 4, True), ((3, 4), [2], 4, True), ((3, 4), 1, 3, False), ((4, 4), 1, 4, False)],
    ids=["last", "last by number", "last in a list", "another", "another of that size"],
)  # fmt: skip
def test_only_the_last_axis_is_standardized_as_a_value(shape, axis, size, hot, session, table):
    inputs = keras.Input(shape, name="table")
    model = keras.Model(inputs, L.Dense(3, "softmax", name="head")(L.Flatten(name="flat")(inputs)))
    model.compile("sgd", "sparse_categorical_crossentropy")
    one = session(model, 50 + table(60, 12 if shape == (3, 4) else 16).reshape(60, *shape), EVEN)
    found = hot_of(one)
    scaled = layer("Normalization", axis=axis, mean=[1.0] * size, variance=[2.0] * size, name="scaled")
    assert (key(found, one.recipe.set(BEFORE, [scaled])) == key(found, one.recipe)) is hot


def test_indices_that_are_looked_up_are_not_scaled(session):
    model = keras.Sequential(
        [keras.Input((5,), dtype="int32", name="table"), L.Embedding(300, 2), L.Flatten(), L.Dense(3, "softmax")]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    one = session(model, np.random.default_rng(0).integers(0, 300, size=(60, 5)), EVEN)
    hot = hot_of(one)
    assert hot.scaled == {}
    scaled = one.recipe.set(BEFORE, [layer("Rescaling", scale=0.1, name="small")])
    assert key(hot, scaled) != key(hot, one.recipe)


def test_inputs_of_about_unit_size_are_spared_the_operations(session, table):
    assert hot_of(session(penalised(), table(), EVEN)).scaled == {}


def test_inputs_that_are_not_numbers_are_not_scaled(one):
    facts = tuple(replace(item, dtype="object") for item in one.facts.inputs)
    assert Hot(one.recipe, facts).scaled == {}
    assert list(Hot(one.recipe, one.facts.inputs).scaled) == list(input_paths(one.recipe))
