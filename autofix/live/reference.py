"""The fixed rows that probes look at: a few of the user's, in the form in which the model is fed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from autofix.data import Data
from autofix.errors import FixYourCall, FixYourData
from autofix.facts import DataFacts
from autofix.hints import ModelHints
from autofix.task import facts_of
from autofix.trainer.leaves import as_array
from autofix.trees import leaves, mapped

# Rows that facts are taken from, and the bytes they may come to: targets and scales need no more.
SAMPLE, SAMPLE_BYTES, LEAST_SAMPLE = 1024, 2**20, 32
# Batches looked at where data comes in batches.
BATCHES = 256


@dataclass(frozen=True, eq=False)
class Rows:
    """Some rows.

    Attributes:
        x: Inputs as tensors, in the structure that the user feeds.
        y: Targets as tensors, likewise; None where there are none.
        weight: Sample weights, or None.
        inputs: The inputs as arrays, in the model's order.
        targets: The targets as the user wrote them, one array per output, in the model's order.
    """

    x: Any
    y: Any
    weight: Any
    inputs: tuple[np.ndarray, ...]
    targets: tuple[np.ndarray, ...]

    @property
    def fed(self) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
        """Inputs and targets as arrays, as the model is fed with them."""
        x, y = ([] if tree is None else tf.nest.flatten(tree) for tree in (self.x, self.y))
        return tuple(map(as_array, x)), tuple(map(as_array, y))

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(tf.nest.flatten(self.x)[0])


def check_data(data: Any) -> None:
    """Refuses what cannot be looked at without taking it away from `fit`.

    Raises:
        FixYourCall: If `data` is a generator or another iterator.
    """
    if hasattr(data, "__next__"):
        raise FixYourCall(
            "`data` must be something that can be read twice: arrays, a tf.data.Dataset, a keras.utils.PyDataset. "
            f"Received: {type(data).__name__}, whose batches would be missing from the training. Pass a few of its "
            "batches as arrays, (x, y)."
        )


def read_rows(data: Any, hints: ModelHints, count: int, *, facts: bool = True) -> tuple[Rows, DataFacts | None]:
    """Returns the rows to look at, and what the data says.

    Args:
        data: Data in any form that autofix reads.
        hints: What the model says about its data.
        count: Rows to look at, at most.
        facts: Whether to gather facts.

    Raises:
        FixYourData: If the data cannot be read.
    """
    few = _few(data)
    try:
        read = Data.of(few, hints=hints, seed=0, limit_bytes=8 * SAMPLE_BYTES)
    except FixYourData:
        if not isinstance(few, tuple):
            raise
        return _as_given(few, count), None
    pick = np.sort(np.random.default_rng(0).permutation(read.rows)[:count])
    weight = read.sample_weight
    rows = Rows(
        mapped(lambda array: _tensor(array[pick]), read.x),
        mapped(lambda array: _tensor(array[pick]), read.y),
        None if weight is None else _tensor(weight[pick]),
        tuple(array[pick] for array in read.flat_x()),
        tuple(array[pick] for array in read.flat_y()),
    )
    return rows, facts_of(read, hints, measure_signal=False) if facts else None


def _as_given(data: tuple[Any, ...], count: int) -> Rows:
    """Returns rows of a model whose targets are its own affair: what a custom `train_step` may take."""
    parts = [mapped(lambda array: np.asarray(array)[:count], part) for part in data]
    x, y, weight = (*(mapped(_tensor, part) for part in parts), None, None)[:3]
    return Rows(x, y, weight, tuple(leaves(parts[0])), ())


def _tensor(array: np.ndarray) -> Any:
    """Returns what `fit` makes of an array: floats in Keras' own width, everything else as it is."""
    return tf.convert_to_tensor(array, keras.config.floatx() if array.dtype.kind == "f" else None)


def _few(data: Any) -> Any:
    """Returns a part of the data that is quickly read: some rows, drawn at random, or its first batches."""
    if hasattr(data, "element_spec") and hasattr(data, "take"):
        return data.take(BATCHES)
    if hasattr(data, "num_batches") and hasattr(data, "__getitem__"):
        return _FirstBatches(data)
    if not isinstance(data, tuple) or not all(hasattr(leaf, "shape") for part in data for leaf in leaves(part)):
        return data
    arrays = [leaf for part in data for leaf in leaves(part)]
    if any(len(leaf.shape) == 0 or leaf.shape[0] != arrays[0].shape[0] for leaf in arrays):
        return data
    rows = int(arrays[0].shape[0])
    size = sum(int(np.prod(leaf.shape[1:])) * getattr(leaf.dtype, "itemsize", 8) for leaf in arrays if _plain(leaf))
    most = min(SAMPLE, max(LEAST_SAMPLE, SAMPLE_BYTES // max(1, size)))
    if rows <= most:
        return data
    pick = np.sort(np.random.default_rng(0).choice(rows, most, replace=False))
    return tuple(mapped(lambda leaf: _picked(leaf, pick), part) for part in data)


def _plain(leaf: Any) -> bool:
    return hasattr(leaf, "dtype") and hasattr(leaf, "shape")


def _picked(leaf: Any, pick: np.ndarray) -> Any:
    if hasattr(leaf, "iloc"):
        return leaf.iloc[pick]
    return leaf[pick] if isinstance(leaf, np.ndarray) else tf.gather(leaf, pick).numpy()


class _FirstBatches:
    """The first batches of a `PyDataset`, up to a sample."""

    def __init__(self, batches: Any) -> None:
        self._batches = batches

    def __iter__(self) -> Iterator[Any]:
        rows = 0
        for place in range(min(self._batches.num_batches or BATCHES, BATCHES)):
            batch = self._batches[place]
            yield batch
            x = batch[0] if isinstance(batch, tuple) else batch
            rows += len(next(leaves(x)))
            if rows >= SAMPLE:
                return
