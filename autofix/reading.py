"""From whatever holds the data (arrays, frames, datasets, generators) to NumPy arrays. Nothing is written to."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from autofix.errors import FixYourData
from autofix.hints import ModelHints
from autofix.trees import joined, leaves, mapped

Array = npt.NDArray[Any]

REPEATS_TOLERATED = 64  # repeated rows that end the reading of an endless dataset, once they outnumber the new ones:
# one that runs in order has then come round once, one that draws at random has shown 80 % of its rows
ROWS_AT_ONCE = 128


@dataclass(frozen=True, eq=False)
class Raw:
    """Data as read: `y` and `weight` are None where none came.

    Attributes:
        x: Tree of arrays or frames.
        y: Tree of arrays or frames, or None.
        weight: Array or None.
        batch_size: Rows a batch of the dataset it came from, or None.
        notes: Sentences about what was left out.
        partial: Whether rows were left out because all of them would not fit into memory.
    """

    x: Any
    y: Any
    weight: Any
    batch_size: int | None
    notes: tuple[str, ...]
    partial: bool = False


def read(data: Any, hints: ModelHints, limit_bytes: int) -> Raw:
    """Returns the parts of `data`, datasets and generators read into memory.

    Args:
        data: `(x, y)`, `(x, y, sample_weight)`, `x` alone, a `tf.data.Dataset`, a `keras.utils.PyDataset`, or any
            iterable over batches.
        hints: What the model says about its inputs; tells a batched dataset from an unbatched one.
        limit_bytes: Bytes to read at most.

    Raises:
        FixYourData: If the data is empty or its parts cannot be told apart.
    """
    if data is None:
        raise FixYourData("`data` must hold the training data. Received: None. Pass (x, y) or a tf.data.Dataset.")
    if hasattr(data, "as_numpy_iterator") and hasattr(data, "element_spec"):
        return _from_dataset(data, hints, limit_bytes)
    if hasattr(data, "num_batches") and hasattr(data, "__getitem__"):
        count = data.num_batches
        batches = (data[place] for place in (range(count) if count is not None else itertools.count()))
        return _from_batches(batches, hints, limit_bytes, batched=True, endless=count is None)
    if not isinstance(data, str | tuple | list | dict) and hasattr(data, "__iter__") and not hasattr(data, "shape"):
        return _from_batches(iter(data), hints, limit_bytes, batched=True, endless=hasattr(data, "__next__"))
    if isinstance(data, list) and len(hints.inputs) == 1 and _looks_like_x_and_y(data):
        data = tuple(data)
    x, y, weight = _parts(data)
    return Raw(_inputs(x, hints), _outputs(y, hints), weight, None, ())


def _parts(data: Any) -> tuple[Any, Any, Any]:
    if not isinstance(data, tuple):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise FixYourData(
            f"`data` must be (x,), (x, y) or (x, y, sample_weight). Received: a tuple of {len(data)}. "
            "Put several inputs into one list or dict: ([x1, x2], y)."
        )
    x, y, weight = (*data, None, None)[:3]
    return x, y, weight


def _looks_like_x_and_y(data: list[Any]) -> bool:
    """Whether a list that should have been a tuple holds x and y (and weights): two or three arrays, equally long."""
    return (
        len(data) in (2, 3)
        and all(hasattr(part, "shape") and len(part.shape) > 0 for part in data)
        and (len({int(part.shape[0]) for part in data}) == 1)
    )


def _inputs(x: Any, hints: ModelHints) -> Any:
    return _tree(x, len(hints.inputs), len(hints.input_shapes[0]) if hints.input_shapes else 1, "x")


def _outputs(y: Any, hints: ModelHints) -> Any:
    return None if y is None else _tree(y, len(hints.outputs), 0, "y")


def _tree(tree: Any, count: int, rank: int, what: str) -> Any:
    """Returns a tree of arrays from nested Python containers.

    Args:
        tree: A dict of arrays; a list or tuple of arrays or of rows; or an array.
        count: How many arrays the model takes; 0 where that is unknown.
        rank: Axes of one example; a list of one array with one axis more holds that array, not a row.
        what: What it is, for messages.
    """
    if isinstance(tree, dict):
        return {str(key): _leaf(item, what) for key, item in tree.items()}
    if not isinstance(tree, list | tuple):
        return tree
    if count > 1 and len(tree) == count:
        return [_leaf(item, what) for item in tree]
    alone = len(tree) == 1 and len(getattr(tree[0], "shape", ())) >= rank + 1
    several = count != 1 and len(tree) > 0 and all(len(getattr(item, "shape", ())) >= 2 for item in tree)
    return list(tree) if alone or several else plain(tree, what)


def _leaf(value: Any, what: str) -> Any:
    return plain(value, what) if isinstance(value, list | tuple) else value


def _from_dataset(dataset: Any, hints: ModelHints, limit_bytes: int) -> Raw:
    """Reads a `tf.data.Dataset`; a first element of the input's own rank means rows, one axis more means batches."""
    spec = _parts(dataset.element_spec)[0]
    if isinstance(spec, dict):
        spec = spec[hints.inputs[0]] if hints.inputs and hints.inputs[0] in spec else next(iter(spec.values()))
    shape = getattr(spec[0] if isinstance(spec, tuple) else spec, "shape", None)
    batched = True
    if shape is not None and shape.rank is not None and hints.input_shapes:
        batched = int(shape.rank) > len(hints.input_shapes[0])
    endless = int(dataset.cardinality()) == -1
    if not batched and shape is not None and shape.is_fully_defined():
        # Rows of one shape come four times faster in batches; the dataset itself stays as it is.
        raw = _from_batches(iter(dataset.batch(ROWS_AT_ONCE)), hints, limit_bytes, batched=True, endless=endless)
        return replace(raw, batch_size=None)
    return _from_batches(iter(dataset), hints, limit_bytes, batched=batched, endless=endless)


def _from_batches(batches: Iterable[Any], hints: ModelHints, limit_bytes: int, *, batched: bool, endless: bool) -> Raw:
    parts: list[dict[str, Any]] = []
    notes: list[str] = []
    size, seen, repeats, partial = 0, set[int](), 0, False
    for batch in batches:
        part = _batch(batch, hints, batched)
        if endless:
            part, again = _without_repeats(part, seen)
            repeats += again
            parts.append(part)
            if repeats >= max(REPEATS_TOLERATED, len(seen)):
                notes.append(f"the dataset never ends: it was read until rows came again, after {len(seen)} rows")
                break
        else:
            parts.append(part)
        size += sum(leaf.nbytes for leaf in leaves(part))
        if size > limit_bytes and len(parts) > 1:
            parts.pop()
            partial = True
            notes.append(f"only the first part of the dataset was read: it holds more than {limit_bytes:,} bytes")
            break
    parts = [part for part in parts if len(next(leaves(part))) > 0]
    if not parts:
        raise FixYourData("`data` must hold at least one row. Received: an empty dataset. Check how it is built.")
    try:
        whole = joined(lambda arrays: np.concatenate(list(arrays)), parts)
    except ValueError as error:
        raise FixYourData(
            f"every batch of the dataset must have the same structure and example shape. Received: {error}. "
            "Pad the examples to one shape (padded_batch, keras.utils.pad_sequences)."
        ) from error
    batch_size = len(next(leaves(parts[0]))) if batched else None
    return Raw(whole["x"], whole.get("y"), whole.get("weight"), batch_size, tuple(notes), partial)


def _batch(batch: Any, hints: ModelHints, batched: bool) -> dict[str, Any]:
    """Returns one element of a dataset as a tree of arrays with a row axis."""
    x, y, weight = _parts(batch)
    named = {"x": _inputs(x, hints), "y": _outputs(y, hints), "weight": weight}
    part = {name: value for name, value in named.items() if value is not None}

    def array(value: Any) -> Array:
        converted = plain(value, "the dataset")
        return converted if batched else converted[np.newaxis]

    part = {name: mapped(array, value) for name, value in part.items()}
    if batched and any(leaf.ndim == 0 for leaf in leaves(part)):
        raise FixYourData(
            "every element of the dataset must be a batch (x, y) of arrays. Received: single numbers. "
            "Call .batch(32) on the dataset."
        )
    lengths = {len(leaf) for leaf in leaves(part)}
    if len(lengths) > 1:
        raise FixYourData(
            f"x, y and sample weights of a batch must have equally many rows. Received: {sorted(lengths)} rows. "
            "Yield them from the same index."
        )
    return part


def _without_repeats(part: dict[str, Any], seen: set[int]) -> tuple[dict[str, Any], int]:
    """Returns the rows not seen before and how many were: the same row in training and holdout would be cheating."""
    arrays = list(leaves(part))
    keys = [hash(b"".join(array[row].tobytes() for array in arrays)) for row in range(len(arrays[0]))]
    fresh = []
    for row, key in enumerate(keys):
        if key not in seen:
            seen.add(key)
            fresh.append(row)
    kept = {name: mapped(lambda array: array[fresh], value) for name, value in part.items()}
    return kept, len(keys) - len(fresh)


def plain(value: Any, what: str) -> Array:
    """Returns `value` as a NumPy array: a view where it is one already, dense where it was sparse.

    Args:
        value: Array, tensor, list, or a sparse matrix.
        what: What it is, for messages.

    Raises:
        FixYourData: If it is ragged.
    """
    if hasattr(value, "toarray") and hasattr(value, "nnz"):
        return np.asarray(value.toarray())
    if type(value).__name__ == "SparseTensor":
        raise FixYourData(
            f"{what} must hold dense arrays. Received: a SparseTensor. Map tf.sparse.to_dense over the dataset."
        )
    if type(value).__name__ in ("RaggedTensor", "RaggedTensorValue"):
        raise FixYourData(
            f"{what} must hold rows of one length. Received: a RaggedTensor. Call .to_tensor() on it to pad the rows."
        )
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise FixYourData(
            f"{what} must hold rows of one length. Received: rows of different lengths. "
            "Pad them with keras.utils.pad_sequences."
        ) from error
    if array.dtype == object and any(isinstance(item, list | tuple | np.ndarray) for item in _some(array)):
        raise FixYourData(
            f"{what} must hold rows of one length. Received: an array of {type(array.flat[0]).__name__} objects. "
            "Pad them with keras.utils.pad_sequences, or np.stack them if they are equally long."
        )
    return array


def _some(array: Array) -> Iterator[Any]:
    return itertools.islice(iter(array.flat), 100)
