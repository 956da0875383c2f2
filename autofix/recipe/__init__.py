"""The recipe: a Keras program as plain frozen data, with its layers, heads and the way back to a model."""

from __future__ import annotations

from autofix.recipe.document import Recipe
from autofix.recipe.views import Head, LayerView, heads, layers

__all__ = ["Head", "LayerView", "Recipe", "heads", "layers"]
