"""Initial weights that are drawn without building the model again are those that building it would draw."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from autofix.recipe import Recipe
from autofix.trainer.draw import draw
from autofix.trainer.leaves import leaves

L = keras.layers


def drawn(model: keras.Model, seed: int = 1, **changes: Any) -> dict[str, np.ndarray] | None:
    model.compile("sgd", "mse")
    recipe = Recipe.of(model)
    for path, value in changes.items():
        recipe = recipe.set(path.replace("__", "/"), value)
    found = draw(recipe, model, leaves(model), seed)
    return None if found is None else dict(zip([v.path for v in model.weights], found, strict=True))


def network(*layers: Any, shape: tuple[int, ...] = (40,)) -> keras.Model:
    return keras.Sequential([keras.Input(shape), *layers])


PLAIN = {
    "dense": lambda: network(L.Dense(50, kernel_initializer="he_normal", bias_initializer="ones")),
    "convolution": lambda: network(L.Conv2D(20, 3), L.Conv2D(30, 3), shape=(12, 12, 2)),
    "embedding": lambda: keras.Sequential([keras.Input((5,), dtype="int32"), L.Embedding(200, 30)]),
    "normalization": lambda: network(L.BatchNormalization(gamma_initializer="zeros"), L.LayerNormalization()),
    "nested": lambda: network(network(L.Dense(50, "relu")), L.Dense(30)),
}


@pytest.mark.parametrize("kind", PLAIN)
def test_distribution_is_that_of_a_model_that_is_built(kind):
    model = PLAIN[kind]()
    found, built = drawn(model), {v.path: v.numpy() for v in model.weights}
    assert found.keys() == built.keys()
    for path, value in found.items():
        assert (value.shape, value.dtype) == (built[path].shape, built[path].dtype)
        assert value.std() == pytest.approx(built[path].std(), rel=0.25, abs=1e-9)
        assert value.mean() == pytest.approx(built[path].mean(), abs=0.03)
        assert not value.std() or not np.allclose(value, built[path])


def test_seed_decides_and_layers_differ():
    model = network(L.Dense(40), L.Dense(40))
    first, same, other = drawn(model, 1), drawn(model, 1), drawn(model, 2)
    kernels = [path for path in first if path.endswith("kernel")]
    assert all(np.array_equal(first[path], same[path]) for path in first)
    assert not any(np.array_equal(first[path], other[path]) for path in kernels)
    assert not np.array_equal(first[kernels[0]], first[kernels[1]])


def test_initializers_are_those_of_the_recipe_without_their_seeds():
    model = network(L.Dense(50, kernel_initializer=keras.initializers.RandomNormal(stddev=0.1, seed=3), name="a"))
    (kernel, *_), (again, *_) = (list(drawn(model, seed).values()) for seed in (1, 2))
    assert not np.array_equal(kernel, again)
    wide = keras.saving.serialize_keras_object(keras.initializers.RandomNormal(stddev=5.0))
    assert next(iter(drawn(model, layers__a__kernel_initializer=wide).values())).std() > 4
    assert next(iter(drawn(model, layers__a__kernel_initializer="zeros").values())).std() == 0


class Own(L.Layer):
    def build(self, shape: Any) -> None:
        self.kernel = self.add_weight(shape=(shape[-1], 3), name="kernel", initializer="ones")

    def call(self, inputs: Any) -> Any:
        return inputs @ self.kernel


@pytest.mark.parametrize(
    ("layer", "shape"),
    [(L.LSTM(3), (5, 2)), (L.Bidirectional(L.GRU(2)), (5, 2)), (Own(), (4,)), (L.Normalization(), (4,))],
    ids=["recurrent", "wrapped", "custom", "adapted"],
)
def test_layers_with_a_way_of_their_own_are_left_to_a_build(layer, shape):
    assert drawn(network(L.Dense(2), layer, shape=shape)) is None


def test_nothing_is_drawn_from_the_generators_of_the_process():
    import random

    model = network(L.Dense(4))
    random.seed(5)
    expected = random.random()
    random.seed(5)
    drawn(model)
    assert random.random() == expected
