"""How a recipe is run: epochs, batches and learning rate."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from autofix.recipe import Recipe

RATE = "compile/optimizer/learning_rate"
# Scores on the validation part per run, at most; more would cost more than they tell.
EVALUATIONS = 25
# Steps between two scores inside an epoch, at least.
STEPS_BETWEEN = 200
# Rates at which optimizers are usually used: Keras' defaults, raised where a default is known to crawl.
USUAL_RATES = {"SGD": 1e-2, "Adagrad": 1e-2, "Adadelta": 1.0, "Ftrl": 1e-2, "Lion": 1e-4}
USUAL_RATE = 1e-3

Segment = tuple[np.ndarray, np.ndarray, np.ndarray, float]


class Plan:
    """How a run is cut into epochs, batches, and segments after which it is scored.

    Args:
        recipe: What is run.
        rows: Rows an epoch.
        share: Share of the run that is made: below 1 for a rung of a search.

    Attributes:
        epochs: Epochs of the whole run.
        batch: Rows a batch.
        steps: Batches an epoch.
        end: Epochs that are made.
    """

    def __init__(self, recipe: Recipe, rows: int, share: float = 1.0) -> None:
        self.epochs = max(1, int(recipe.fit["epochs"]))
        self.batch = max(1, int(recipe.fit["batch_size"]))
        self.steps = max(1, math.ceil(rows / self.batch))
        self.end = self.epochs if share >= 1.0 else max(self.epochs * share, 1.0 / self.steps)

    def segments(self, order: Callable[[], np.ndarray]) -> Iterator[Segment]:
        """Yields row numbers, where each batch begins and ends in them, and the epochs done afterwards.

        Args:
            order: Returns the row numbers of one epoch, in the order in which they are fed.
        """
        pieces = min(EVALUATIONS // math.ceil(self.end), self.steps // STEPS_BETWEEN)
        stride = max(1, math.ceil(self.end / EVALUATIONS))
        done = 0
        while done < self.end:
            if pieces > 1:
                yield from self._within(order(), done, pieces)
                done += 1
                continue
            epochs = [order() for _ in range(min(stride, math.ceil(self.end - done)))]
            rows, starts, stops = self._batches(epochs)
            over = done + len(epochs) - self.end
            keep = len(starts) if over <= 0 else max(1, len(starts) - int(over / len(epochs) * len(starts)))
            done += len(epochs)
            yield rows, starts[:keep], stops[:keep], min(done, self.end)

    def _within(self, epoch: np.ndarray, done: int, pieces: int) -> Iterator[Segment]:
        """Cuts one long epoch into pieces."""
        rows, starts, stops = self._batches([epoch])
        keep = max(1, math.ceil(min(1.0, self.end - done) * len(starts)))
        for part in np.array_split(np.arange(keep), math.ceil(pieces * keep / len(starts))):
            yield rows, starts[part], stops[part], min(done + (int(part[-1]) + 1) / len(starts), self.end)

    def _batches(self, epochs: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        starts, stops, offset = [], [], 0
        for one in epochs:
            begin = np.arange(0, len(one), self.batch)
            starts.append(offset + begin)
            stops.append(offset + np.minimum(begin + self.batch, len(one)))
            offset += len(one)
        return np.concatenate(epochs), np.concatenate(starts), np.concatenate(stops)


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
