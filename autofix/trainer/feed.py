"""Data as tensors in memory, with labels encoded and rows weighted as a recipe says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from autofix.data import Data
from autofix.errors import FixYourData
from autofix.facts import DataFacts, Encoding, TargetFacts
from autofix.labels import to_index
from autofix.recipe import Recipe

# Bytes at whose multiples TensorFlow wants its tensors to begin.
ALIGNMENT = 64


@dataclass(frozen=True, eq=False)
class Batch:
    """Tensors of all rows: inputs, targets and weights in the structure that the model takes."""

    x: Any
    y: Any
    weight: Any | None

    def rows(self, index: np.ndarray) -> Any:
        """Returns the inputs of the given rows."""
        return tf.nest.map_structure(lambda tensor: tf.gather(tensor, index), self.x)


class Feed:
    """Makes batches from the user's arrays, which are read and never written.

    Args:
        data: The user's data.
        facts: What is known about it.
    """

    def __init__(self, data: Data, facts: DataFacts) -> None:
        self.data = data
        self.facts = facts
        self._x = tf.nest.map_structure(as_tensor, data.x)
        self._targets: dict[str, Any] = {}
        self._weights: dict[str, Any] = {}

    def batch(self, recipe: Recipe) -> Batch:
        """Returns all rows as the recipe wants them fed.

        Raises:
            FixYourData: If the targets are text and the recipe does not encode them.
        """
        return Batch(self._x, self._encoded(recipe), self._weight(recipe))

    @property
    def epoch_rows(self) -> int:
        """Rows in an epoch of the user's own run, which holds nothing out."""
        return self.data.rows - self.data.given

    def order(self, recipe: Recipe, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Returns one epoch's row numbers: shuffled if the recipe shuffles, rare classes repeated if it asks to.

        An epoch is as long as the user's own, though fewer rows train here: with as many steps per epoch as theirs,
        every setting means what it means in their program. Each row is used once before any is used again.
        """
        length = max(self.epoch_rows, len(rows))
        if recipe.fit.get("oversample"):
            more = self._oversampled(rows, rng)
            length, rows = round(length * len(more) / len(rows)), more
        shuffle = recipe.fit.get("shuffle", True)
        rounds = [rng.permutation(rows) if shuffle else rows for _ in range(-(-length // len(rows)))]
        return np.concatenate(rounds)[:length]

    def labels(self) -> np.ndarray | None:
        """Returns the class index of every row for a single classification target, None for anything else."""
        if len(self.facts.targets) != 1 or not self.facts.targets[0].classes:
            return None
        return class_index(np.asarray(self.data.flat_y()[0]), self.facts.targets[0])

    def _encoded(self, recipe: Recipe) -> Any:
        labels = recipe.transforms.get("labels")
        key = repr(labels)
        if key not in self._targets:
            named: Mapping[str, Any] = labels or {}
            flat = []
            for array, target in zip(self.data.flat_y(), self.facts.targets, strict=True):
                array = np.asanyarray(array)
                if target.name in named:
                    array = class_index(array, target).astype("int32")
                if array.dtype.kind in "OUS":
                    raise FixYourData(f"the labels of {target.name!r} are text, which no loss reads.")
                flat.append(as_tensor(array))
            named_flat = dict(zip(self.data.outputs, flat, strict=False))
            whole = isinstance(self.data.y, dict) and set(self.data.y) == set(named_flat)
            self._targets[key] = named_flat if whole else tf.nest.pack_sequence_as(self.data.y, flat)
        return self._targets[key]

    def _weight(self, recipe: Recipe) -> Any | None:
        given = self.data.sample_weight
        balance = recipe.fit.get("class_weight")
        if balance is None and given is None:
            return None
        key = repr(balance)
        if balance is None:
            self._weights.setdefault(key, as_tensor(np.asarray(given, "float32")))
        elif key not in self._weights:
            labels = self.labels()
            if labels is None:
                raise FixYourData("`class_weight` needs one classification target.")
            table = np.array([float(balance.get(str(i), 1.0)) for i in range(len(self.facts.targets[0].classes))])
            weight = table[labels] if given is None else table[labels] * np.asarray(given)
            self._weights[key] = as_tensor(weight.astype("float32"))
        return self._weights[key]

    def _oversampled(self, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        labels = self.labels()
        if labels is None or labels.ndim != 1:
            return rows
        own = labels[rows]
        most = np.bincount(own).max()
        extra = [
            rng.choice(rows[own == label], most - count)
            for label, count in zip(*np.unique(own, return_counts=True), strict=True)
            if count < most
        ]
        return np.concatenate([rows, *extra])


def as_fed(array: Any) -> np.ndarray:
    """Returns an array as it is fed: floats in 32 bits as Keras takes them, integers as they are."""
    array = np.asarray(array)
    if array.dtype.kind == "b" or (array.dtype.kind == "f" and array.dtype != np.float16):
        return array.astype("float32", copy=False)
    return array


def as_tensor(array: Any) -> tf.Tensor:
    """Returns an array as a tensor, see `as_fed`.

    An array that was mapped from a file for this process alone is not copied: several processes share its memory.
    """
    fed = as_fed(array)
    mapped = isinstance(array, np.memmap) and array.flags.writeable and np.shares_memory(fed, array)
    if mapped and fed.ctypes.data % ALIGNMENT == 0 and fed.flags.c_contiguous:
        return tf.experimental.dlpack.from_dlpack(fed.__dlpack__())
    return tf.convert_to_tensor(fed)


def class_index(array: np.ndarray, target: TargetFacts) -> np.ndarray:
    """Returns the column of each row's label, int array [n] (or [n, t] for targets per time step)."""
    shape = array.shape[:-1] if target.encoding is Encoding.ONE_HOT else array.shape
    if target.encoding is not Encoding.ONE_HOT and len(shape) > 1 and shape[-1] == 1:
        shape = shape[:-1]
    return to_index(array, target).reshape(shape)
