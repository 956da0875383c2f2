"""The user's data, read once: arrays in memory, and which rows may be looked at when."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from autofix.arrange import arrange_x, arrange_y, rows_of, stride_of, view
from autofix.errors import FixYourData
from autofix.facts import TargetFacts, TaskKind
from autofix.hints import ModelHints, OutputHint
from autofix.labels import positions, to_index
from autofix.reading import Raw, plain, read
from autofix.splits import Split, splits_of
from autofix.targets import infer_target
from autofix.trees import described, joined, leaves, mapped

__all__ = ["Data", "ModelHints", "OutputHint", "Split"]

Array = npt.NDArray[Any]

FINGERPRINT_BYTES = 2**26  # 64 MiB hash in 0.1 s; larger data is sampled at even distances
MOST_STRATA = 1_000  # combinations of classes; beyond this nearly every one is rare


@dataclass(frozen=True, eq=False)
class Data:
    """Everything that training and scoring read. The arrays are views of the user's own and refuse writes.

    Attributes:
        x: Inputs: an array, or a list or dict of arrays, in the structure the user gave.
        y: Targets, structured like the model's outputs; the inputs themselves where only x was given.
        sample_weight: Float array of one weight a row (or a time step), or None.
        splits: One division of the rows, or several for small data.
        batch_size: What a dataset was batched with, or None.
        inputs: Names of the model's inputs, in its order; empty where the model does not know them.
        outputs: Names of the model's outputs, in its order.
        notes: Sentences about how the data was read and split.
        given: Number of rows, the last ones, that the user set apart as validation data.
        partial: Whether these are only some of the user's rows, because all would not fit into memory.
    """

    x: Any
    y: Any
    sample_weight: Array | None
    splits: tuple[Split, ...]
    batch_size: int | None
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    notes: tuple[str, ...]
    given: int = 0
    partial: bool = False

    @classmethod
    def of(
        cls, data: Any, *, validation_data: Any = None, hints: ModelHints, seed: int, limit_bytes: int = 2**31
    ) -> Self:
        """Reads data in any form that `Model.fit` takes.

        Args:
            data: `(x, y)`, `(x, y, sample_weight)`, `x` alone, a `tf.data.Dataset`, a `keras.utils.PyDataset`, or an
                iterable over batches. x and y are arrays, lists, frames, sparse matrices, or lists or dicts of them.
            validation_data: The same, of the same structure, set apart by the user; or None.
            hints: What the model says about its inputs and outputs.
            seed: Seed of the split.
            limit_bytes: Bytes to hold in memory at most; what is beyond is left out, with a note.

        Raises:
            FixYourData: If the data is empty, ragged, not numeric, or its parts do not fit together or to the model.
        """
        own = _arrays(read(data, hints, limit_bytes), hints, limit_bytes, "the data")
        notes = list(own.notes)
        given = 0
        if validation_data is not None:
            apart = _arrays(read(validation_data, hints, limit_bytes), hints, limit_bytes, "validation_data")
            given = rows_of(apart.x, "x")
            notes += [f"validation_data: {note}" for note in apart.notes]
            own = _appended(own, apart)
        rows = rows_of(own.x, "x")
        strata = _strata(own, hints)
        splits, more = splits_of(rows, strata, given, seed)
        outputs = tuple(output.name for output in hints.outputs)
        return cls(
            own.x,
            own.y,
            own.weight,
            splits,
            own.batch_size,
            hints.inputs,
            outputs,
            tuple(dict.fromkeys(notes + more)),
            given,
            own.partial,
        )

    @property
    def rows(self) -> int:
        """Number of rows, all parts together."""
        return len(next(leaves(self.x)))

    def flat_x(self) -> tuple[Array, ...]:
        """Returns the inputs in the model's order."""
        return _in_order(self.x, self.inputs)

    def flat_y(self) -> tuple[Array, ...]:
        """Returns the targets in the order of the model's outputs."""
        return _in_order(self.y, self.outputs)

    def fingerprint(self) -> str:
        """Returns one text per data and division; arrays beyond 64 MiB are sampled."""
        digest = hashlib.blake2b(digest_size=16)
        arrays = [*self.flat_x(), *self.flat_y(), *([] if self.sample_weight is None else [self.sample_weight])]
        for array in arrays:
            step = max(1, array.nbytes // FINGERPRINT_BYTES)
            digest.update(f"{array.shape}{array.dtype}".encode())
            some = array[::step]
            digest.update(repr(some.tolist()).encode() if array.dtype.kind == "O" else np.ascontiguousarray(some).data)
        for split in self.splits:
            for part in (split.train, split.validation, split.holdout):
                digest.update(np.ascontiguousarray(part).data)
        return digest.hexdigest()


def _in_order(tree: Any, names: tuple[str, ...]) -> tuple[Array, ...]:
    if isinstance(tree, dict) and names and set(names) <= tree.keys():
        return tuple(tree[name] for name in names)
    return tuple(leaves(tree))


def _arrays(raw: Raw, hints: ModelHints, limit_bytes: int, what: str) -> Raw:
    """Returns the parts as arrays of equal length without rows whose target is missing."""
    x_rows = rows_of(raw.x, "x")
    if x_rows == 0:
        raise FixYourData(f"{what} must hold at least one row. Received: x with 0 rows. Check how it is built.")
    _check_lengths(x_rows, raw)
    parts = tuple(part for part in (raw.x, raw.y, raw.weight) if part is not None)
    step = stride_of(parts, limit_bytes)
    notes = list(raw.notes)
    if step > 1:
        notes.append(f"one row in {step} was taken: all of {what} needs more than the limit of {limit_bytes:,} bytes")
    x = arrange_x(raw.x, hints, step)
    y = _reconstruction(x, hints) if raw.y is None else arrange_y(raw.y, hints, step)
    weight = None if raw.weight is None else _weight(raw.weight, step)
    kept = _with_target(y)
    if not kept.any():
        raise FixYourData("y must hold targets. Received: NaN in every row. Check the column it was taken from.")
    if not kept.all():
        notes.append(f"{int((~kept).sum())} of {len(kept)} rows were left out because their target is missing")
        alone = raw.y is None
        x = mapped(lambda array: view(array[kept]), x)
        y = _reconstruction(x, hints) if alone else mapped(lambda array: view(array[kept]), y)
        weight = None if weight is None else view(weight[kept])
    return Raw(x, y, weight, raw.batch_size, tuple(notes), raw.partial or step > 1)


def _check_lengths(x_rows: int, raw: Raw) -> None:
    for name, part in (("y", raw.y), ("sample_weight", raw.weight)):
        rows = x_rows if part is None else rows_of(part, name)
        if rows != x_rows:
            # A list of arrays for one input has become a single array with one axis too many.
            several = np.ndim(raw.x) > 2 and np.shape(raw.x)[1] == rows
            listed = " x looks like a list of arrays, one an input, but the model has one input." if several else ""
            raise FixYourData(
                f"x and {name} must have equally many rows. Received: {x_rows} rows in x and {rows} in {name}."
                f"{listed} Cut both to the same examples."
            )


def _reconstruction(x: Any, hints: ModelHints) -> Any:
    """Returns x as the target of an autoencoder, if its shape is the output's."""
    arrays = tuple(leaves(x))
    if len(arrays) != len(hints.outputs):
        raise FixYourData(
            f"x alone is enough where the model reconstructs it. Received: {len(arrays)} inputs for "
            f"{len(hints.outputs)} outputs. Pass (x, y)."
        )
    for array, output in zip(arrays, hints.outputs, strict=True):
        have, want = array.shape[1:], output.shape
        longest = max(len(have), len(want))
        pairs = zip((*have, *(1,) * (longest - len(have))), (*want, *(1,) * (longest - len(want))), strict=True)
        if output.loss != "custom" and any(w is not None and h != w for h, w in pairs):
            raise FixYourData(
                f"x alone is enough where the model reconstructs it. Received: examples of shape {have} for output "
                f"{output.name!r} of shape {want}. Pass (x, y)."
            )
    if len(arrays) == 1:
        return arrays[0]
    return {output.name: array for output, array in zip(hints.outputs, arrays, strict=True)}


def _weight(weight: Any, step: int) -> Array:
    tree = list(leaves(weight)) if isinstance(weight, dict) else [weight]
    if len(tree) != 1:
        raise FixYourData(
            "sample_weight must be one array, one weight a row. Received: weights per output. "
            "Pass the weights they share, or weigh the outputs with compile(loss_weights=...)."
        )
    array = plain(tree[0].to_numpy() if hasattr(tree[0], "to_numpy") else tree[0], "sample_weight")[::step]
    if array.dtype.kind not in "fiub" or not np.isfinite(array).all() or (array < 0).any():
        raise FixYourData(
            "sample_weight must hold finite numbers, 0 or above. Received: others. Drop those rows or set them to 0."
        )
    if not (array > 0).any():
        raise FixYourData("sample_weight must be above 0 somewhere. Received: 0 in every row. Leave the weights out.")
    return view(array)


def _with_target(y: Any) -> npt.NDArray[np.bool_]:
    """Returns which rows have all their targets, boolean array [n]."""
    kept: npt.NDArray[np.bool_] = np.ones(len(next(leaves(y))), dtype=bool)
    for array in leaves(y):
        if array.dtype.kind == "f":
            missing = np.isnan(array)
        elif array.dtype.kind == "O":
            missing = np.frompyfunc(lambda item: item is None, 1, 1)(array).astype(bool)
        else:
            continue
        kept &= ~missing.reshape(len(array), -1).any(axis=1)
    return kept


def _appended(own: Raw, apart: Raw) -> Raw:
    """Returns the rows of `apart` after those of `own`: one index for all of them."""

    def append(arrays: Any) -> Array:
        first, second = arrays
        if first.shape[1:] != second.shape[1:]:
            raise ValueError(f"examples have shapes {first.shape[1:]} and {second.shape[1:]}")
        if (first.dtype.kind in "OU") != (second.dtype.kind in "OU"):
            raise ValueError(f"values are of types {first.dtype} and {second.dtype}")
        dtype = first.dtype if first.dtype.kind == second.dtype.kind == "f" else np.result_type(first, second)
        return view(np.concatenate([first, second.astype(dtype, copy=False)], dtype=dtype))

    try:
        x = joined(append, [own.x, apart.x])
        y = x if own.y is own.x and apart.y is apart.x else joined(append, [own.y, apart.y])
        weight = None
        if own.weight is not None or apart.weight is not None:
            like = next(w for w in (own.weight, apart.weight) if w is not None).shape[1:]
            ones = [np.ones((rows_of(part.x, "x"), *like)) if part.weight is None else part.weight
                    for part in (own, apart)]  # fmt: skip
            weight = append(ones)
    except ValueError as error:
        raise FixYourData(
            f"validation_data must have the structure of the data: {described(own.x)}. Received: {described(apart.x)}; "
            f"{error}. Build both the same way."
        ) from error
    return Raw(x, y, weight, own.batch_size or apart.batch_size, own.notes)


def _strata(own: Raw, hints: ModelHints) -> Array | None:
    """Returns one class number a row to spread evenly over the parts, or None where no output has classes a row."""
    outputs = tuple(output.name for output in hints.outputs)
    combined: Array | None = None
    for array, output in zip(_in_order(own.y, outputs), hints.outputs, strict=False):
        target = infer_target(output.name, array, output, inputs=tuple(leaves(own.x)))
        if not _has_class_a_row(target):
            continue
        index = to_index(array, target) + 1
        mixed = index if combined is None else combined * (len(target.classes) + 1) + index
        if combined is not None and len(np.unique(mixed)) > min(MOST_STRATA, len(index) // 5):
            continue
        combined = mixed
    return combined


def _has_class_a_row(target: TargetFacts) -> bool:
    return target.kind in (TaskKind.BINARY, TaskKind.MULTICLASS) and positions(target) == 1
