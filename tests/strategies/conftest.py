"""Small real programs as cases: recipe and facts made the cheap way, and what every patch must survive."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from autofix.change import Patch
from autofix.contract import losses, tails, violations
from autofix.facts import DataFacts
from autofix.hints import OutputHint
from autofix.recipe import Recipe
from autofix.strategy import Case
from autofix.symptom import Diagnosis, Symptom
from autofix.targets import infer_target
from autofix.task import infer_inputs

L = keras.layers


def make_case(
    model: keras.Model, x: Any, y: Any, *, accuracy: bool = True, symptoms: Sequence[Symptom] = (), fit: Any = None
) -> Case:
    """A case of a compiled model and its arrays; several inputs or outputs come as lists."""
    xs, ys = (list(part) if isinstance(part, list) else [part] for part in (x, y))
    recipe = Recipe.of(model, fit=fit, example=xs[0][:2])
    if not model.built or not model.outputs:
        model(xs[0][:2])
    outputs = model.outputs or [model(xs[0][:2])]
    shapes = tuple(tuple(tensor.shape[1:]) for tensor in outputs)
    names = list(getattr(model, "output_names", None) or ["output"])
    found, views = tails(recipe, len(ys)), losses(recipe, len(ys))
    targets = tuple(
        infer_target(
            name,
            np.asarray(target),
            OutputHint(
                name,
                shape,
                (tail.activation if tail else None) or "linear",
                view.identifier if view else "",
                accuracy,
            ),
            inputs=xs,
        )
        for name, target, shape, tail, view in zip(names, ys, shapes, found, views, strict=True)
    )
    inputs = infer_inputs(xs, [f"x{place}" for place in range(len(xs))])
    input_shapes = tuple(tuple(tensor.shape[1:]) for tensor in model.inputs or [np.asarray(xs[0])])
    facts = DataFacts((len(xs[0]), 0, 0), inputs, targets, False, 0.0, None, 0.0, 0.0, ())
    diagnoses = tuple(Diagnosis(symptom, 1.0, 1.0, "Seen in a test.") for symptom in symptoms)
    return Case(recipe, facts, input_shapes, shapes, diagnoses)


@pytest.fixture
def case() -> Callable[..., Case]:
    return make_case


@pytest.fixture
def patched() -> Callable[..., tuple[Recipe, keras.Model]]:
    """Applies a patch, undoes it, builds the model and calls it on a few rows."""

    def check(patch: Patch, case: Case, x: Any) -> tuple[Recipe, keras.Model]:
        recipe = patch.apply(case.recipe)
        assert patch.inverse().apply(recipe) == case.recipe
        assert all(change.before != change.after for change in patch)
        model = recipe.build()
        rows = [part[:8] for part in x] if isinstance(x, list) else x[:8]
        for values in keras.tree.flatten(model(rows)):
            assert np.isfinite(np.asarray(values)).all()
        return recipe, model

    return check


@pytest.fixture
def reloaded(tmp_path: Path) -> Callable[[keras.Model], keras.Model]:
    """Saves a model, and loads it back without running code from the file."""

    def back(model: keras.Model) -> keras.Model:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # h5py and NumPy disagree about a keyword
            model.save(tmp_path / "model.keras")
            return keras.models.load_model(tmp_path / "model.keras", safe_mode=True)

    return back


@pytest.fixture
def composed() -> Callable[..., Recipe]:
    """Applies the guesses of strategies one after the other, each on what the earlier ones left."""

    def apply(case: Case, *strategies: Any) -> Recipe:
        recipe = case.recipe
        for strategy in strategies:
            recipe = strategy.guess(case.at(recipe)).apply(recipe)
        return recipe

    return apply


@pytest.fixture
def broken() -> Callable[..., list[Symptom]]:
    """Symptoms that the contract finds in a recipe, fatal ones alone if asked."""

    def symptoms(case: Case, recipe: Recipe | None = None, *, fatal: bool = False) -> list[Symptom]:
        found = violations(recipe or case.recipe, case.facts, case.output_shapes)
        return [item.symptom for item in found if item.fatal or not fatal]

    return symptoms


@pytest.fixture
def mlp() -> Callable[..., keras.Model]:
    """A compiled two-layer network."""

    def build(units: int, activation: Any, loss: Any, features: int = 4, extra: Sequence[Any] = ()) -> keras.Model:
        head = L.Dense(units, activation=activation, name="head")
        model = keras.Sequential([keras.Input((features,)), L.Dense(6, "relu", name="hidden"), head, *extra])
        model.compile("sgd", loss)
        return model

    return build


@pytest.fixture
def table() -> Callable[..., np.ndarray]:
    """Rows of standard normal features."""

    def rows(count: int = 60, features: int = 4, seed: int = 0) -> np.ndarray:
        return np.random.default_rng(seed).normal(size=(count, features)).astype("float32")

    return rows
