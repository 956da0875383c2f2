"""What a live model says about the data it expects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from autofix.contract import losses
from autofix.hints import ModelHints, OutputHint
from autofix.recipe.document import Recipe
from autofix.recipe.views import heads, input_paths


def hints_of(model: keras.Model, recipe: Recipe) -> ModelHints:
    """Reads names and shapes of inputs and outputs, heads and losses.

    Args:
        model: The user's model; it is only read.
        recipe: Its recipe.

    Returns:
        The hints; inputs stay empty for a model that was never built.
    """
    inputs = tuple(getattr(model, "inputs", None) or ()) if model.built else ()
    outputs = tuple(getattr(model, "outputs", None) or ()) if model.built else ()
    names = tuple(getattr(model, "output_names", None) or [model.layers[-1].name]) if outputs else ("output",)
    views = heads(recipe)
    wanted = losses(recipe, len(names))
    accuracy = _says_accuracy(recipe.compile.get("metrics")) or _says_accuracy(recipe.compile.get("weighted_metrics"))
    found = []
    for index, name in enumerate(names):
        head = views[index] if index < len(views) else None
        view = wanted[index] if index < len(wanted) else None
        shape = tuple(outputs[index].shape[1:]) if index < len(outputs) else (None,)
        loss = "custom" if view is None else view.identifier
        found.append(OutputHint(name, shape, head.activation if head else "linear", loss, accuracy))
    return ModelHints(
        tuple(path.rsplit("/", 1)[-1] for path in input_paths(recipe)) if inputs else (),
        tuple(tuple(tensor.shape[1:]) for tensor in inputs),
        tuple(found),
    )


def _says_accuracy(metrics: Any) -> bool:
    if isinstance(metrics, str):
        return "acc" in metrics.lower() or metrics.lower() in ("auc", "precision", "recall", "f1_score")
    if isinstance(metrics, Mapping):
        name = str(metrics.get("class_name", ""))
        return _says_accuracy(name) if name else any(_says_accuracy(item) for item in metrics.values())
    if isinstance(metrics, list | tuple):
        return any(_says_accuracy(item) for item in metrics)
    return False
