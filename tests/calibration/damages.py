"""Changes of the data that a mutation asks for. Pure: arrays and an amount go in, new arrays come out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Arrays = tuple[Any, np.ndarray]
Change = Callable[[np.ndarray, np.ndarray, float, np.random.Generator], tuple[np.ndarray, np.ndarray]]


def scaled_inputs(x: np.ndarray, y: np.ndarray, amount: float, rng: np.random.Generator) -> Arrays:
    """Inputs times the amount."""
    return x * np.float32(amount), y


def offset_inputs(x: np.ndarray, y: np.ndarray, amount: float, rng: np.random.Generator) -> Arrays:
    """Inputs plus the amount."""
    return x + np.float32(amount), y


def uneven_inputs(x: np.ndarray, y: np.ndarray, amount: float, rng: np.random.Generator) -> Arrays:
    """Features on scales from 1 to the amount."""
    scales = np.geomspace(1.0, amount, x.shape[-1])
    return (x * rng.permutation(scales)).astype("float32"), y


def scaled_targets(x: np.ndarray, y: np.ndarray, amount: float, rng: np.random.Generator) -> Arrays:
    """Targets with the amount as spread, around twice of it."""
    return x, (y * amount + 2 * amount).astype("float32")


def missing_inputs(x: np.ndarray, y: np.ndarray, amount: float, rng: np.random.Generator) -> Arrays:
    """A share of the values is NaN."""
    return np.where(rng.random(x.shape) < amount, np.float32("nan"), x), y


def infinite_inputs(x: np.ndarray, y: np.ndarray, amount: float, rng: np.random.Generator) -> Arrays:
    """A share of the values is infinite, as a division by zero leaves them."""
    return np.where(rng.random(x.shape) < amount, np.float32("inf"), x), y


def infinite_targets(x: np.ndarray, y: np.ndarray, amount: float, rng: np.random.Generator) -> Arrays:
    """A share of the targets is infinite."""
    return x, np.where(rng.random(y.shape) < amount, np.float32("inf"), y.astype("float32"))


def shuffled_labels(x: np.ndarray, y: np.ndarray, amount: float, rng: np.random.Generator) -> Arrays:
    """Targets in another order than their inputs."""
    return x, y[rng.permutation(len(y))]


def flipped_labels(x: np.ndarray, y: np.ndarray, amount: float, rng: np.random.Generator) -> Arrays:
    """A share of the rows gets the label of another row."""
    chosen = rng.random(len(y)) < amount
    y = y.copy()
    y[chosen] = y[rng.integers(0, len(y), int(chosen.sum()))]
    return x, y


def shifted_labels(x: np.ndarray, y: np.ndarray, amount: float, rng: np.random.Generator) -> Arrays:
    """Class numbers that count from the amount."""
    return x, y + int(amount)


def signed_labels(x: np.ndarray, y: np.ndarray, amount: float, rng: np.random.Generator) -> Arrays:
    """Two classes as -1 and 1."""
    return x, 2 * y - 1


def text_labels(x: np.ndarray, y: np.ndarray, amount: float, rng: np.random.Generator) -> Arrays:
    """Classes by name."""
    return x, np.array([f"class {label}" for label in y.ravel()])


def blurred(x: np.ndarray, y: np.ndarray, amount: float, rng: np.random.Generator) -> Arrays:
    """Inputs under noise with the amount as spread."""
    return (x + amount * rng.normal(size=x.shape)).astype("float32"), y


def thinned_class(x: np.ndarray, y: np.ndarray, amount: float, rng: np.random.Generator) -> Arrays:
    """The last class keeps so many rows that it is the given share, hard to tell from the others."""
    rare = np.flatnonzero(y == y.max())
    rest = np.flatnonzero(y != y.max())
    kept = rare[: max(12, round(amount * len(rest) / (1 - amount)))]
    chosen = rng.permutation(np.concatenate([rest, kept]))
    return x[chosen], y[chosen]


def sorted_rows(x: np.ndarray, y: np.ndarray, amount: float, rng: np.random.Generator) -> Arrays:
    """Rows in the order of their labels."""
    order = np.argsort(y.argmax(axis=1) if y.ndim > 1 else y, kind="stable")
    return x[order], y[order]


def constant_features(x: np.ndarray, y: np.ndarray, amount: float, rng: np.random.Generator) -> Arrays:
    """So many further features that never vary, for each there is."""
    more = np.full((len(x), round(amount * x.shape[1])), 1.0, dtype="float32")
    return np.hstack([x, more]), y


def duplicate_features(x: np.ndarray, y: np.ndarray, amount: float, rng: np.random.Generator) -> Arrays:
    """So many copies of every feature."""
    return np.hstack([x] * (1 + round(amount))), y


def leaked_target(x: np.ndarray, y: np.ndarray, amount: float, rng: np.random.Generator) -> Arrays:
    """The target once more, as a feature."""
    return np.hstack([x, y.reshape(len(y), -1)[:, :1].astype("float32")]), y


def noise_features(x: np.ndarray, y: np.ndarray, amount: float, rng: np.random.Generator) -> Arrays:
    """So many features of noise, for each there is."""
    return np.hstack([x, rng.normal(size=(len(x), round(amount * x.shape[1]))).astype("float32")]), y


def flat_images(x: np.ndarray, y: np.ndarray, amount: float, rng: np.random.Generator) -> Arrays:
    """Every example as one vector."""
    return x.reshape(len(x), -1), y


def transposed(x: np.ndarray, y: np.ndarray, amount: float, rng: np.random.Generator) -> Arrays:
    """Sequences with their two axes swapped."""
    return x.swapaxes(1, 2), y


DAMAGES: Mapping[str, Change] = {
    change.__name__: change
    for change in (
        scaled_inputs, offset_inputs, uneven_inputs, scaled_targets, missing_inputs, infinite_inputs, infinite_targets,
        shuffled_labels, flipped_labels, shifted_labels, signed_labels, text_labels, blurred, thinned_class,
        sorted_rows, constant_features, duplicate_features, leaked_target, noise_features, flat_images, transposed,
    )
}  # fmt: skip
