"""How many values a batch normalization takes its statistics from. No TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass

from autofix.recipe import Recipe
from autofix.symptoms._program import incoming, present, shapes


@dataclass(frozen=True)
class Normalization:
    """A batch normalization that uses the statistics of its batches.

    Attributes:
        path: Where it is.
        positions: Values per channel and row; 1 behind a dense layer.
        momentum: What its moving averages keep of themselves a step.
    """

    path: str
    positions: int
    momentum: float


def normalizations(recipe: Recipe) -> tuple[Normalization, ...]:
    """Returns the batch normalizations whose number of positions can be told; frozen ones use no batch."""
    found_shapes = shapes(recipe)
    found = []
    for view in present(recipe):
        shape = incoming(view, found_shapes)
        if view.class_name != "BatchNormalization" or view.config.get("trainable") is False or not shape:
            continue
        axis = view.config.get("axis", -1)
        axis = axis[0] if isinstance(axis, tuple | list) and len(axis) == 1 else axis
        if not isinstance(axis, int):
            continue
        place = axis - 1 if axis > 0 else len(shape) + axis
        positions = 1
        for index, size in enumerate(shape):
            if index != place:
                # A free axis is a sequence or a picture of any size: more than a few positions.
                positions *= 32 if size is None else size
        momentum = view.config.get("momentum", 0.99)
        found.append(Normalization(view.path, positions, float(momentum) if momentum is not None else 0.99))
    return tuple(found)


def epoch_rows(facts_rows: int, training_rows: int) -> int:
    """Returns the rows of an epoch: those of the user's own run where they are known."""
    return facts_rows or training_rows
