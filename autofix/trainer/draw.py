"""Drawing initial weights without building the model again."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np

from autofix.frozen import thaw
from autofix.recipe import Recipe
from autofix.recipe.build import fresh_seeds, seeded
from autofix.trainer.leaves import Leaf

Weights = tuple[np.ndarray, ...]
# Layers that draw each weight with the initializer of the same name in their configuration, and nothing else.
PLAIN = frozenset(
    {
        "Dense", "Embedding", "Conv1D", "Conv2D", "Conv3D", "BatchNormalization", "LayerNormalization",
        "GroupNormalization",
    }
)  # fmt: skip


def draw(recipe: Recipe, model: keras.Model, leaves: Sequence[Leaf], seed: int) -> Weights | None:
    """Returns new initial weights for a model, drawn as the recipe says.

    Building a model of a few layers takes a hundred times as long as drawing its weights.

    Args:
        recipe: Its initializers are used; all else is the model's.
        model: A built model.
        leaves: Its layers.
        seed: Seed of the draw.

    Returns:
        In the order of `model.weights`; None where a layer draws its weights in a way of its own.
    """
    owners = {id(variable): leaf for leaf in leaves for variable in leaf.layer.weights}
    if any(id(v) not in owners or type(owners[id(v)].layer).__name__ not in PLAIN for v in model.weights):
        return None
    drawn = []
    with keras.saving.custom_object_scope(dict(recipe.objects)), seeded(seed):
        for variable in model.weights:
            path = f"{owners[id(variable)].path}/{variable.path.rsplit('/', 1)[-1]}_initializer"
            if not recipe.has(path):
                return None
            initializer = keras.initializers.get(fresh_seeds(thaw(recipe.get(path))))
            drawn.append(np.asarray(initializer(variable.shape, dtype=variable.dtype)))
    return tuple(drawn)
