"""Settings that come as values do what a program compiled for them would do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from autofix.change import Patch
from autofix.outcome import Status
from autofix.recipe import Recipe
from autofix.session import Session
from autofix.trainer.hot import Hot, Knobs
from autofix.trainer.program import Program
from autofix.trainer.start import Weights
from tests.trainer.hot_changes import EVEN, HOT, UNEVEN, far, layer, penalised

L, R = keras.layers, keras.regularizers
ORDER = np.arange(60)
# 32-bit numbers; a division by 255 is a multiplication here.
TOLERANCE = 2e-6


@pytest.fixture
def one(session) -> Session:
    return session(penalised(), far(), EVEN, shuffle=False)


def trained(one: Session, recipe: Recipe) -> tuple[Any, ...]:
    """Losses, gradient norms, weights and predictions of the program that the trainer takes for a recipe."""
    program, knobs, weights = one.trainer.store.get(recipe, 1)
    return trained_by(program, one, recipe, knobs, weights)


def trained_by_its_own(one: Session, recipe: Recipe) -> tuple[Any, ...]:
    """The same of a program that is compiled for this very recipe."""
    program = Program(recipe, one.trainer.feed.batch(recipe))
    assert program.step._scales == {}
    found = trained_by(program, one, recipe, Hot(recipe).split(recipe)[1], one.trainer.store.get(recipe, 1)[2])
    program.close()
    return found


def trained_by(program: Program, one: Session, recipe: Recipe, knobs: Knobs, weights: Weights) -> tuple[Any, ...]:
    program.reset(weights, knobs, one.trainer.feed.batch(recipe).weight)
    batch = int(recipe.fit["batch_size"])
    starts = np.arange(0, 60, batch)
    losses, norms = program.run(ORDER, starts, np.minimum(starts + batch, 60), 0)
    return losses, norms, *program.weights(), *program.predict(ORDER)


def same_as_a_program_of_its_own(one: Session, recipe: Recipe) -> None:
    """Runs the user's program first, then the changed one in the same compiled program, and in one of its own."""
    trained(one, one.recipe)
    mine = trained(one, recipe)
    (program,) = one.trainer.store.programs()
    assert (one.trainer.traces, program.traces) == (1, 1)
    for found, wanted in zip(mine, trained_by_its_own(one, recipe), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=TOLERANCE)


@pytest.mark.parametrize("change", [name for name in HOT if not HOT[name][0].startswith("fit/")])
def test_hot_is_as_good_as_cold(change, one):
    same_as_a_program_of_its_own(one, one.recipe.set(*HOT[change]))


def test_everything_at_once_is_too(one):
    recipe = one.recipe
    for change in ("learning rate", "initializer", "no L2", "L1L2 in proportion", "standardized", "batch size"):
        recipe = recipe.set(*HOT[change])
    same_as_a_program_of_its_own(one, recipe)


def test_nothing_of_a_hot_run_is_left_in_the_next(one):
    first = trained(one, one.recipe)
    for path, value in HOT.values():
        trained(one, one.recipe.set(path, value))
    again = trained(one, one.recipe)
    assert one.trainer.traces == 1
    for before, after in zip(first[:-1], again[:-1], strict=True):
        assert np.array_equal(before, after, equal_nan=True)
    np.testing.assert_allclose(first[-1], again[-1], atol=1e-6)  # predictions: compiled or not


def test_class_weights_are_as_good_as_those_of_a_program_of_its_own(session):
    one = session(penalised(), far(), UNEVEN, shuffle=False)
    assert max(one.facts.targets[0].counts) >= 3 * min(one.facts.targets[0].counts)
    same_as_a_program_of_its_own(one, one.recipe.set("fit/class_weight", {"0": 1.0, "1": 9.0, "2": 2.0}))


@pytest.mark.parametrize("form", ["list", "by name"])
def test_one_of_two_inputs_is_scaled(form, session, table):
    left, right = keras.Input((4,), name="table"), keras.Input((2,), name="other")
    joined = L.Concatenate(name="joined")([left, right])
    model = keras.Model([left, right], L.Dense(3, "softmax", name="head")(L.Dense(4, "tanh", name="hidden")(joined)))
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    arrays = [40 + 20 * table(), 7 + 3 * table(60, 2, seed=1)]
    x = arrays if form == "list" else {"other": arrays[1], "table": arrays[0]}
    one = session(model, x, EVEN, shuffle=False)
    same_as_a_program_of_its_own(one, one.recipe.set("layers/other/after", [layer("Rescaling", scale=0.1, name="s")]))


def test_pixels_are_scaled_as_numbers(session):
    """Bytes are fed as they are; a scale turns them into 32-bit numbers as the layer would."""
    x = np.random.default_rng(0).integers(0, 256, size=(60, 3, 3, 1)).astype("uint8")
    inputs = keras.Input((3, 3, 1), name="table")
    model = keras.Model(inputs, L.Dense(3, "softmax", name="head")(L.Flatten(name="flat")(inputs)))
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    one = session(model, x, EVEN, shuffle=False)
    same_as_a_program_of_its_own(one, one.recipe.set(*HOT["one factor and an offset"]))


def test_scaled_model_that_is_handed_over_scales_by_itself(one):
    recipe = one.recipe.set(*HOT["standardized"])
    outcome = one.trainer.run(recipe, Patch(), holdout=True)
    assert one.trainer.run(one.recipe, Patch()).status is outcome.status is Status.DONE
    assert one.trainer.traces == 1
    program, knobs, _ = one.trainer.store.get(recipe, 0)
    program.reset(outcome.weights, knobs)
    built = one.trainer.build(outcome, recipe)
    assert "Normalization" in {type(item).__name__ for item in built.layers}
    np.testing.assert_allclose(built.predict(far(), verbose=0), program.predict(ORDER)[0], atol=TOLERANCE)


# ------------------------------------------------------------------------------------- what must not be lost


def cell() -> keras.Model:
    shape = [keras.Input((5, 2)), L.LSTM(3, recurrent_regularizer=R.L2(1.0), name="odd"), L.Dense(3, "softmax")]
    return keras.Sequential(shape)


def attention() -> keras.Model:
    inputs = keras.Input((5, 2))
    seen = L.MultiHeadAttention(2, 2, kernel_regularizer=R.L2(1.0), name="odd")(inputs, inputs)
    return keras.Model(inputs, L.Dense(3, "softmax")(L.Flatten()(seen)))


def depthwise() -> keras.Model:
    layers = [L.SeparableConv1D(2, 2, depthwise_regularizer=R.L2(1.0), name="odd"), L.Flatten(), L.Dense(3, "softmax")]
    return keras.Sequential([keras.Input((5, 2)), *layers])


class Own(L.Layer):
    """Uses its regularizer in a way of its own."""

    def __init__(self, kernel_regularizer: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    def build(self, shape: Any) -> None:
        self.kernel = self.add_weight(shape=(shape[-1], 3), name="kernel")

    def call(self, inputs: Any) -> Any:
        if self.kernel_regularizer is not None:
            self.add_loss(self.kernel_regularizer(self.kernel))
        return inputs @ self.kernel

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "kernel_regularizer": keras.saving.serialize_keras_object(self.kernel_regularizer),
        }


def own() -> keras.Model:
    return keras.Sequential([keras.Input((5, 2)), Own(R.L2(1.0), name="odd"), L.Flatten(), L.Dense(3, "softmax")])


ODD: dict[Callable[[], keras.Model], str] = {
    cell: "recurrent_regularizer",
    attention: "kernel_regularizer",
    depthwise: "depthwise_regularizer",
    own: "kernel_regularizer",
}


@pytest.mark.parametrize("build", ODD, ids=lambda build: build.__name__)
def test_penalty_that_cannot_be_a_value_is_not_lost(build, session, table):
    """A layer that keeps its regularizer elsewhere than its kernel's is run by a program of its own."""
    model = build()
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    one = session(model, table(60, 10).reshape(60, 5, 2), EVEN, shuffle=False)
    recipe = one.recipe.set(f"layers/odd/{ODD[build]}", None)
    trained(one, one.recipe)
    for found, wanted in zip(trained(one, recipe), trained_by_its_own(one, recipe), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=TOLERANCE)


class Pairs(keras.Model):
    """As in Keras' own guide: written for data without sample weights."""

    def train_step(self, data: Any) -> dict[str, Any]:
        x, y = data
        return super().train_step((x, y))


def test_train_step_that_takes_pairs_gets_pairs(session, table):
    """Whether class weights are likely or not: the program as it came must run as it came."""
    inputs = keras.Input((4,))
    model = Pairs(inputs, L.Dense(3, "softmax")(inputs))
    model.compile("sgd", "sparse_categorical_crossentropy")
    one = session(model, table(), UNEVEN)
    outcome = one.trainer.run(one.recipe, Patch())
    assert outcome.status is Status.DONE, outcome.error
