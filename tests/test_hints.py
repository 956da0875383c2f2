"""What a live model says about the data it expects."""

import keras
import pytest

from autofix.recipe import Recipe
from autofix.recipe.hints import hints_of

L = keras.layers


def test_inputs_are_named_after_their_layers():
    sequential = keras.Sequential([keras.Input((4,), name="flowers"), L.Dense(2, "softmax")])
    first, second = keras.Input((3,), name="first"), keras.Input((2,), name="second")
    functional = keras.Model([first, second], L.Dense(1, name="sum")(L.Concatenate()([first, second])))
    for model in (sequential, functional):
        model.compile("adam", "mse")
    assert hints_of(sequential, Recipe.of(sequential)).inputs == ("flowers",)
    assert hints_of(functional, Recipe.of(functional)).inputs == ("first", "second")
    assert hints_of(functional, Recipe.of(functional)).outputs[0].name == "sum"


@pytest.mark.parametrize(
    ("metrics", "told"), [(["accuracy"], True), (["mae"], False), ([keras.metrics.AUC()], True), (None, False)]
)
def test_accuracy_like_metrics_are_heard(metrics, told):
    model = keras.Sequential([keras.Input((4,)), L.Dense(1)])
    model.compile("adam", "mse", metrics=metrics)
    assert hints_of(model, Recipe.of(model)).outputs[0].accuracy is told
