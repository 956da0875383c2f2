"""Where a run starts: the user's weights where they mean something, fresh ones by seed where not."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from autofix.change import Patch
from autofix.recipe import Recipe

L = keras.layers


def starts(session: Any, seed: int, recipe: Recipe | None = None) -> dict[str, np.ndarray]:
    """The weights a run starts from, seen through one at a learning rate of zero, by the name of their layer."""
    recipe = (recipe or session.recipe).set("compile/optimizer/learning_rate", 0.0).set("fit/epochs", 1)
    outcome = session.trainer.run(recipe, Patch(), seed=seed, holdout=True)
    assert outcome.weights is not None, outcome.error
    model = session.trainer.build(outcome, recipe)
    layers = model._flatten_layers(include_self=False)
    return {
        f"{layer.name}/{v.name}": v.numpy() for layer in layers if not hasattr(layer, "layers") for v in layer.weights
    }


def equal(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> set[str]:
    assert one.keys() == other.keys()
    return {name for name in one if np.array_equal(one[name], other[name])}


def of(model: keras.Model) -> dict[str, np.ndarray]:
    layers = model._flatten_layers(include_self=False)
    return {
        f"{layer.name}/{v.name}": v.numpy() for layer in layers if not hasattr(layer, "layers") for v in layer.weights
    }


KERNELS = {"hidden/kernel", "head/kernel"}


def test_fresh_model_starts_from_its_own_draw_for_seed_zero_and_anew_for_others(mlp, session):
    model = mlp()
    one = session(model)
    assert equal(starts(one, 0), of(model)) >= KERNELS
    assert not equal(starts(one, 1), of(model)) & KERNELS
    assert not equal(starts(one, 1), starts(one, 2)) & KERNELS


def test_same_seed_same_weights_in_another_session(mlp, session):
    model = mlp()
    first = starts(session(model), 5)
    np.random.seed(3)  # noqa: NPY002
    assert equal(first, starts(session(model), 5)) >= KERNELS


def test_initializers_of_the_recipe_are_drawn_from(mlp, session):
    one = session(mlp())
    wide = one.recipe.set(
        "layers/hidden/kernel_initializer",
        {
            "module": "keras.initializers",
            "class_name": "RandomNormal",
            "config": {"stddev": 50.0},
            "registered_name": None,
        },
    )
    for seed in (0, 1):
        assert starts(one, seed, wide)["hidden/kernel"].std() > 10
    assert np.array_equal(starts(one, 0, wide)["head/kernel"], starts(one, 0)["head/kernel"])


def test_frozen_layer_keeps_its_weights_for_every_seed(mlp, session):
    model = mlp()
    model.get_layer("hidden").trainable = False
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    one = session(model)
    for seed in (0, 1, 2):
        assert "hidden/kernel" in equal(starts(one, seed), of(model))
    assert "head/kernel" not in equal(starts(one, 1), of(model))


def test_everything_frozen_is_a_mistake_and_keeps_nothing(mlp, session):
    model = mlp()
    model.trainable = False
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    one = session(model)
    thawed = one.recipe.set("layers/hidden/trainable", True).set("layers/head/trainable", True)
    assert not equal(starts(one, 1, thawed), of(model)) & KERNELS


def pretrained(mlp: Any) -> keras.Model:
    """Trained elsewhere and compiled anew: the optimizer has done nothing yet, but the biases have moved."""
    model = mlp()
    for layer in model.layers:
        layer.bias.assign(layer.bias + 0.3)
    return model


def test_pretrained_weights_are_kept_for_every_seed(mlp, session):
    model = pretrained(mlp)
    one = session(model)
    for seed in (0, 1):
        assert equal(starts(one, seed), of(model)) >= KERNELS


def test_pretrained_base_keeps_its_weights_and_its_new_head_does_not(mlp, session):
    model = mlp()
    model.get_layer("hidden").bias.assign(np.full(8, 0.3))
    one = session(model)
    kept = equal(starts(one, 1), of(model))
    assert "hidden/kernel" in kept
    assert "head/kernel" not in kept


def test_pretrained_layer_keeps_its_weights_behind_an_inserted_one(mlp, session):
    model = pretrained(mlp)
    one = session(model)
    layer = {"module": "keras.layers", "class_name": "LayerNormalization", "config": {"name": "extra"}}
    wider = one.recipe.set("layers/hidden/after", [layer])
    found = starts(one, 1, wider)
    assert np.array_equal(found["hidden/kernel"], model.get_layer("hidden").kernel.numpy())
    assert np.array_equal(found["head/kernel"], model.get_layer("head").kernel.numpy())
    assert "extra/gamma" in found


def test_fitted_model_starts_fresh(mlp, session, table):
    model = mlp()
    model.fit(table(), np.arange(60) % 3, epochs=1, verbose=0)
    one = session(model)
    for seed in (0, 1):
        assert not equal(starts(one, seed), of(model)) & KERNELS


def test_keep_keeps_all_weights_for_every_seed(mlp, session, table):
    model = mlp()
    model.fit(table(), np.arange(60) % 3, epochs=1, verbose=0)
    one = session(model, weights="keep")
    for seed in (0, 1):
        assert len(equal(starts(one, seed), of(model))) == 4


def test_reset_draws_anew_even_for_seed_zero(mlp, session):
    model = pretrained(mlp)
    one = session(model, weights="reset")
    assert not equal(starts(one, 0), of(model)) & KERNELS


def test_batch_normalization_of_a_fresh_model_starts_at_zero_and_one(mlp, session):
    one = session(mlp(between=[L.BatchNormalization(name="norm")]))
    recipe = one.recipe.set("compile/optimizer/learning_rate", 0.0).set("layers/norm/momentum", 1.0)
    found = one.trainer.run(recipe, Patch(), seed=1, holdout=True)
    moving = one.trainer.build(found, recipe).get_layer("norm")
    assert np.array_equal(moving.moving_mean.numpy(), np.zeros(8))
    assert np.array_equal(moving.moving_variance.numpy(), np.ones(8))


def test_statistics_of_a_frozen_pretrained_normalization_are_kept(mlp, session):
    model = mlp(between=[L.BatchNormalization(name="norm")])
    norm = model.get_layer("norm")
    norm.moving_mean.assign(np.full(8, 0.7))
    norm.trainable = False
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    assert np.array_equal(starts(session(model), 1)["norm/moving_mean"], np.full(8, 0.7, "float32"))


@pytest.mark.parametrize("policy", ["auto", "keep", "reset"])
def test_adapted_normalization_survives_every_rebuild(session, table, policy):
    x = table() * 50 + 300
    scaling = L.Normalization(name="scaling")
    scaling.adapt(x)
    model = keras.Sequential([keras.Input((4,)), scaling, L.Dense(3, "softmax", name="head")])
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    one = session(model, x, np.arange(60) % 3, weights=policy)
    for seed in (0, 1):
        outcome = one.trainer.run(one.recipe, Patch(), seed=seed, holdout=True)
        built = one.trainer.build(outcome, one.recipe)
        scaled = built.get_layer("scaling")(x).numpy()
        np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-4)
        np.testing.assert_allclose(scaled.std(axis=0), 1, atol=1e-3)
        assert one.trainer.run(one.recipe, Patch(), seed=seed).score.value > 0.2


def test_adapted_normalization_survives_where_everything_is_frozen_by_mistake(session, table):
    x = table() * 50 + 300
    scaling = L.Normalization(name="scaling")
    scaling.adapt(x)
    model = keras.Sequential([keras.Input((4,)), scaling, L.Dense(3, "softmax", name="head")])
    model.trainable = False
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    one = session(model, x, np.arange(60) % 3)
    found = starts(one, 1, one.recipe.set("layers/head/trainable", True))
    np.testing.assert_allclose(found["scaling/mean"], scaling.mean.numpy().ravel(), rtol=1e-5)
    assert not np.array_equal(found["head/kernel"], model.get_layer("head").kernel.numpy())


def test_the_users_weights_are_copies(mlp, session):
    model = mlp()
    one = session(model)
    before = of(model)
    one.trainer.run(one.recipe, Patch(), seed=0)
    assert len(equal(of(model), before)) == 4
    assert one.trainer.start.trained is False


def test_running_statistics_of_a_fitted_model_start_anew_unless_frozen(mlp, session):
    """They belong to weights that are drawn again, and may have gone to NaN with them."""
    model = mlp(between=(L.BatchNormalization(name="free"), L.BatchNormalization(name="frozen")))
    model.get_layer("frozen").trainable = False
    for layer in (model.get_layer("free"), model.get_layer("frozen")):
        layer.moving_mean.assign(np.full(layer.moving_mean.shape, 7.0))
    model.optimizer.build(model.trainable_variables)
    model.optimizer.iterations.assign(5)
    found = starts(session(model), 0)
    assert np.all(found["frozen/moving_mean"] == 7.0)
    assert np.all(found["free/moving_mean"] < 1.0)
