"""How a recipe is run: epochs, batches and learning rate."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from autofix.recipe import Recipe

RATE = "compile/optimizer/learning_rate"
# Scores on the validation part per run, at most; more would cost more than they tell.
EVALUATIONS = 25
# Rates at which optimizers are usually used: Keras' defaults, raised where a default is known to crawl.
USUAL_RATES = {"SGD": 1e-2, "Adagrad": 1e-2, "Adadelta": 1.0, "Ftrl": 1e-2, "Lion": 1e-4}
USUAL_RATE = 1e-3


class Plan:
    """How a run is cut into epochs and batches."""

    def __init__(self, recipe: Recipe, rows: int) -> None:
        self.epochs = max(1, int(recipe.fit["epochs"]))
        self.batch = max(1, int(recipe.fit["batch_size"]))
        self.stride = max(1, math.ceil(self.epochs / EVALUATIONS))
        self.steps = max(1, math.ceil(rows / self.batch))

    def batches(self, order: Callable[[], np.ndarray], epochs: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns row numbers of some epochs, and where each batch begins and ends in them."""
        rows, starts, stops, offset = [], [], [], 0
        for _ in range(epochs):
            one = order()
            begin = np.arange(0, len(one), self.batch)
            rows.append(one)
            starts.append(offset + begin)
            stops.append(offset + np.minimum(begin + self.batch, len(one)))
            offset += len(one)
        return np.concatenate(rows), np.concatenate(starts), np.concatenate(stops)


def fixed_rate(recipe: Recipe) -> float | None:
    """Returns the learning rate; None where a schedule is in charge."""
    if not recipe.has(RATE):
        return None
    rate = recipe.get(RATE)
    return float(rate) if isinstance(rate, int | float) else None


def usual_rate(recipe: Recipe) -> float:
    """Returns the rate at which the recipe's optimizer is usually used."""
    optimizer = recipe.compile.get("optimizer")
    name = optimizer.get("class_name", "") if isinstance(optimizer, Mapping) else ""
    return USUAL_RATES.get(str(name), USUAL_RATE)
