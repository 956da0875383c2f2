"""`DataFacts` made by hand from small arrays: the strategies' view of the data without the machinery that infers it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from autofix.facts import DataFacts, Encoding, InputFacts, TargetFacts, TaskKind

Array = npt.NDArray[Any]


def facts_for(
    inputs: Sequence[Array],
    targets: Sequence[Array],
    *,
    kinds: Sequence[TaskKind],
    names: Sequence[str] | None = None,
    rows: tuple[int, int, int] | None = None,
) -> DataFacts:
    """Returns the facts of small, clean arrays.

    Args:
        inputs: One array per model input.
        targets: One array per model output: class indices, one-hot or multi-hot rows, or quantities.
        kinds: What each target asks for.
        names: Names of the outputs; ``output_0`` and so on if not given.
        rows: Rows in training, validation and holdout parts; all in training if not given.

    Returns:
        The facts.
    """
    names = names or [f"output_{place}" for place in range(len(targets))]
    return DataFacts(
        rows=rows or (len(inputs[0]), 0, 0),
        inputs=tuple(_input(f"input_{place}", array) for place, array in enumerate(inputs)),
        targets=tuple(_target(*item) for item in zip(names, targets, kinds, strict=True)),
        sorted_labels=False,
        duplicates=0.0,
        signal=None,
        chance=0.0,
        noise=0.0,
        notes=(),
    )


def _input(name: str, array: Array) -> InputFacts:
    values = array.astype("float64")
    table = values.reshape(-1, values.shape[-1]) if values.ndim > 1 else values[:, None]
    return InputFacts(
        name=name,
        shape=array.shape[1:],
        dtype=array.dtype.name,
        minimum=float(values.min()),
        maximum=float(values.max()),
        mean=float(values.mean()),
        std=float(values.std()),
        feature_mean=tuple(map(float, table.mean(axis=0))),
        feature_std=tuple(map(float, table.std(axis=0))),
        missing=0.0,
        missing_features=0,
        integral=bool(np.all(values == np.round(values))),
        constant=int(np.sum(table.std(axis=0) == 0)),
        distinct=len(np.unique(values)),
    )


def _target(name: str, array: Array, kind: TaskKind) -> TargetFacts:
    values = array.astype("float64")
    columns = values.reshape(len(values), -1)
    classes: tuple[Any, ...] = ()
    counts: tuple[int, ...] = ()
    encoding = Encoding.VALUES
    if kind is TaskKind.MULTILABEL:
        encoding, counts = Encoding.MULTI_HOT, tuple(map(int, columns.sum(axis=0)))
    elif kind.is_classification:
        is_index = columns.shape[1] == 1
        encoding = Encoding.INDEX if is_index else Encoding.ONE_HOT
        index = columns[:, 0] if is_index else columns.argmax(axis=1)
        labels, found = np.unique(index, return_counts=True)
        classes, counts = tuple(map(int, labels)), tuple(map(int, found))
    return TargetFacts(
        name=name,
        shape=array.shape[1:],
        dtype=array.dtype.name,
        kind=kind,
        encoding=encoding,
        classes=classes,
        counts=counts,
        minimum=float(values.min()),
        maximum=float(values.max()),
        mean=() if kind.is_classification else tuple(map(float, columns.mean(axis=0))),
        std=() if kind.is_classification else tuple(map(float, columns.std(axis=0))),
        missing=0.0,
        reason="made by hand",
    )
