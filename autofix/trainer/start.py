"""Which weights a run starts from: the user's where they mean something, fresh ones where not."""

from __future__ import annotations

from typing import Any, Literal

import keras
import numpy as np

from autofix.recipe import Recipe

Weights = tuple[np.ndarray, ...]
# Initializers that write one known value; a variable that still holds it was never trained.
CONSTANT = {"Zeros": 0.0, "Ones": 1.0}


class Start:
    """Starting weights of any recipe derived from the user's model.

    Layers that the user froze keep their weights, and so do pretrained ones in a model that was not fitted yet. A
    model that looks freshly initialized starts from the very weights it came with for seed 0 and is drawn anew for
    other seeds. A model that was fitted starts fresh.

    Args:
        model: The user's model, already built; it is only read.
        recipe: Its recipe.
        policy: "auto" as above; "keep" keeps all weights for every seed; "reset" keeps only frozen ones.
    """

    def __init__(self, model: keras.Model, recipe: Recipe, policy: Literal["auto", "keep", "reset"]) -> None:
        self._recipe = recipe
        self._names = [variable.path for variable in model.weights]
        self._values = {variable.path: variable.numpy() for variable in model.weights}
        self.trained = bool(model.optimizer is not None and int(model.optimizer.iterations) > 0)
        frozen = {v.path for v in model.weights} - {v.path for v in model.trainable_weights}
        learned = {v.path for layer in model._flatten_layers(include_self=False) for v in _learned(layer)}
        everything = set(self._names)
        adapted = {
            v.path
            for layer in model._flatten_layers(include_self=False)
            if isinstance(layer, keras.layers.Normalization)
            for v in layer.weights
        }
        frozen -= self._moving(model, learned)
        all_frozen = not model.trainable_weights
        if policy == "keep":
            self._always, self._first = everything, everything
        elif policy == "reset" or self.trained:
            self._always = self._first = frozen if not all_frozen else set()
        else:
            pretrained = learned | (_without_witness(model) if learned else set())
            self._always = pretrained | (frozen if not all_frozen else set())
            self._first = everything
        self._always, self._first = self._always | adapted, self._first | adapted

    def _moving(self, model: keras.Model, learned: set[str]) -> set[str]:
        """Running statistics that are not trainable and all the same no part of what the user froze.

        Those of a fitted model belong to weights that start anew, or went to NaN with them.
        """
        if not self.trained:
            return {v.path for v in model.weights if "moving_" in v.path} - learned
        layers = [layer for layer in model._flatten_layers(include_self=False) if layer.trainable]
        return {v.path for layer in layers for v in layer._non_trainable_variables if "moving_" in v.path}

    @property
    def values(self) -> dict[str, np.ndarray]:
        """The user's weights by path."""
        return dict(self._values)

    def weights(self, recipe: Recipe, model: keras.Model, seed: int, fresh: Weights) -> Weights:
        """Returns the weights to start from, in the order of `model.weights`.

        Args:
            recipe: What is about to run.
            model: The model built from it.
            seed: 0 for the user's own draw, others for new ones.
            fresh: Newly drawn weights for it.
        """
        kept = self._first if seed == 0 else self._always
        renamed = [v.path for v in model.weights]
        by_position = dict(zip(renamed, self._names, strict=False)) if len(renamed) == len(self._names) else {}
        out = []
        for path, value in zip(renamed, fresh, strict=True):
            source = path if path in self._values else by_position.get(path, path)
            mine = self._values.get(source)
            if mine is None or source not in kept or mine.shape != value.shape or self._redrawn(recipe, source):
                mine = value
            out.append(mine)
        return tuple(out)

    def _redrawn(self, recipe: Recipe, variable: str) -> bool:
        """Whether the recipe gives this variable another initializer than the user's."""
        *owners, name = variable.split("/")
        for owner in reversed(owners):  # a recurrent layer's weights belong to its cell, their initializers to itself
            key = f"layers/{owner}/{name}_initializer"
            if self._recipe.has(key) and recipe.has(key):
                return bool(self._recipe.get(key) != recipe.get(key))
        return False


def is_pretrained(model: keras.Model) -> bool:
    """Whether trainable layers of a model have left what their initializers wrote, so that it was trained before."""
    layers = model._flatten_layers(include_self=False)
    return any(_learned(layer) for layer in layers if layer.trainable and not isinstance(layer, keras.Model))


def _learned(layer: Any) -> list[Any]:
    """The weights of a layer in which a variable has left the constant that its initializer wrote."""
    for variable, initializer in _witnesses(layer):
        if not np.all(variable.numpy() == initializer):
            return list(layer.weights)
    return []


def _witnesses(layer: Any) -> list[tuple[Any, float]]:
    found = []
    for variable in layer.weights:
        name = variable.path.rsplit("/", 1)[-1]
        default = {"moving_mean": 0.0, "moving_variance": 1.0}.get(name)
        initializer = getattr(layer, f"{name}_initializer", None)
        if name == "bias" and getattr(layer, "unit_forget_bias", False):
            continue
        constant = default if initializer is None else CONSTANT.get(type(initializer).__name__, default)
        if constant is not None and len(variable.shape) <= 1 and type(layer).__name__ != "Normalization":
            found.append((variable, constant))
    return found


def _without_witness(model: keras.Model) -> set[str]:
    """Weights of layers that cannot tell by themselves, such as a convolution without bias before a normalization."""
    return {
        variable.path
        for layer in model._flatten_layers(include_self=False, recursive=True)
        if layer.weights and not _witnesses(layer)
        for variable in layer.weights
    }
