"""TFRecords of `tf.train.Example`.

What is in them is read off the first record: lists of numbers of equal length. A file `features.json` beside them says
otherwise, which is needed where arrays were serialized or have a shape:

    {"x": {"shape": [28, 28], "dtype": "uint8", "encoding": "tensor"}, "y": {"shape": [], "dtype": "int64"}}

where the encoding is "list", "tensor" (`tf.io.serialize_tensor`), "raw" (`array.tobytes()`) or "image" (JPEG, PNG ...).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autofix.errors import AutofixError, FixYourData, one_line
from autofix.hints import ModelHints
from autofix.sources.limits import MOST_TEXT_BYTES
from autofix.sources.loaded import Loaded, Table

DESCRIPTION = "features.json"
TARGETS = ("y", "label", "labels", "target")
DTYPES = ("float32", "float64", "float16", "int64", "int32", "int16", "int8", "uint8", "uint16", "bool")
ENCODINGS = ("list", "tensor", "raw", "image")


@dataclass(frozen=True)
class Feature:
    """One feature of an example.

    Attributes:
        shape: Shape of its values.
        dtype: Their type.
        encoding: How they are written; see the module.
    """

    shape: tuple[int, ...]
    dtype: str
    encoding: str = "list"


def read_tfrecord(path: Path, hints: ModelHints, table: Table) -> Loaded:
    """Reads one file; see the module."""
    return read_shards([path], path.parent, hints)


def read_shards(paths: Sequence[Path], folder: Path, hints: ModelHints) -> Loaded:
    """Reads several files that belong together.

    Args:
        paths: The files, in order.
        folder: Where their description lies.
        hints: What the model says about its inputs.

    Raises:
        FixYourData: If they are damaged or are not described.
    """
    from autofix.tensors.datasets import open_records, peek

    files = [str(path) for path in paths]
    try:
        description = folder / DESCRIPTION
        features = _described(description) if description.is_file() else _peeked(peek(files), files[0])
        x, y = _split(features, hints, files[0])
        return Loaded(open_records(files, features, x, y))
    except AutofixError:
        raise
    except Exception as error:  # whatever TensorFlow raises about files that anybody may have written
        raise FixYourData(f"{files[0]!r} cannot be read: {one_line(error)}. Write it again.") from error


def _described(path: Path) -> dict[str, Feature]:
    if path.stat().st_size > MOST_TEXT_BYTES:
        raise FixYourData(f"{str(path)!r} must be a few lines of text. Received: {path.stat().st_size:,} bytes.")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return {
            str(name): Feature(
                tuple(int(axis) for axis in item["shape"]),
                _one_of(item["dtype"], DTYPES),
                _one_of(item.get("encoding", "list"), ENCODINGS),
            )
            for name, item in document.items()
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise FixYourData(
            f'{str(path)!r} must describe each feature: {{"x": {{"shape": [28, 28], "dtype": "uint8", "encoding": '
            f'"tensor"}}, "y": {{"shape": [], "dtype": "int64"}}}}. Received: {one_line(error)}.'
        ) from error


def _one_of(name: Any, known: Sequence[str]) -> str:
    if name not in known:
        raise ValueError(f"{name!r}; known are {', '.join(known)}")
    return str(name)


def _peeked(first: Mapping[str, tuple[str, int]] | None, name: str) -> dict[str, Feature]:
    """Returns the features of the first record: kind and length of each list."""
    if not first:
        raise FixYourData(f"{name!r} must hold records of tf.train.Example with features. Received: none.")
    bytes_ = [feature for feature, (kind, _) in first.items() if kind == "bytes"]
    if bytes_:
        raise FixYourData(
            f"{name!r} holds bytes in {', '.join(bytes_)}, which say nothing of their shape. Describe all features "
            f'in {DESCRIPTION} beside it: {{"{bytes_[0]}": {{"shape": [28, 28], "dtype": "uint8", "encoding": '
            '"tensor"}}.'
        )
    return {
        feature: Feature((count,) if count > 1 else (), "float32" if kind == "float" else "int64")
        for feature, (kind, count) in first.items()
    }


def _split(features: Mapping[str, Feature], hints: ModelHints, name: str) -> tuple[dict[str, tuple[int, ...]], str]:
    """Returns the shapes of the inputs by feature, and the feature that is the target."""
    target = next((feature for feature in features if feature.lower() in TARGETS), None)
    inputs = [feature for feature in features if feature != target]
    several = len(hints.inputs) > 1
    known = set(hints.inputs) <= set(inputs) if several else len(inputs) == 1
    if target is None or not known:
        wanted = f"features called {', '.join(hints.inputs)}" if several else "one feature for the input"
        raise FixYourData(
            f"{name!r} must hold {wanted}, and one called {' or '.join(TARGETS)}. Received: {', '.join(features)}. "
            "Load it by your own code: --data module.py:load_data."
        )
    names = list(hints.inputs) if several else inputs
    shapes = dict(zip(names, hints.input_shapes, strict=False)) if len(hints.input_shapes) == len(names) else {}
    return {feature: _shape(features[feature], shapes.get(feature)) for feature in names}, target


def _shape(feature: Feature, wanted: Sequence[int | None] | None) -> tuple[int, ...]:
    """Returns the model's shape where it has as many values, else the feature's own."""
    if wanted is None or any(axis is None for axis in wanted):
        return feature.shape
    shape = tuple(int(axis or 0) for axis in wanted)
    return shape if math.prod(shape) == math.prod(feature.shape) else feature.shape
