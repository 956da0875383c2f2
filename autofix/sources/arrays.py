"""Arrays: `.npz` and `.npy` files, never pickles; data sets of scikit-learn; what a user's function returns."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autofix.errors import FixYourCall, FixYourData, did_you_mean, one_line
from autofix.hints import ModelHints
from autofix.sources.limits import check_archive, check_fits
from autofix.sources.loaded import Loaded, Table

# Names of inputs and targets in an archive, the usual ones first.
PAIRS = (("x_train", "y_train"), ("x", "y"), ("data", "target"), ("features", "labels"), ("images", "labels"))
APART = (("x_val", "y_val"), ("x_valid", "y_valid"), ("x_validation", "y_validation"))
WEIGHT = ("sample_weight", "sample_weight_train", "weights")
# Words of numpy's refusal of arrays of Python objects.
HOLDS_OBJECTS = ("pickle", "Object arrays", "Python objects")
SETS = ("breast_cancer", "diabetes", "digits", "iris", "linnerud", "wine")


def read_npz(path: Path, hints: ModelHints, table: Table) -> Loaded:
    """Reads the inputs and targets of an archive of arrays."""
    check_archive(path, "the archive", FixYourData)
    arrays = _members(path)
    if not arrays:
        raise FixYourData(f"{str(path)!r} must hold arrays x and y. Received: none. Write np.savez(path, x=x, y=y).")
    names = {name.lower(): name for name in arrays}
    pair = next((pair for pair in PAIRS if set(pair) <= names.keys()), None)
    if pair is None:
        return _by_input(arrays, names, hints, path)
    notes = [f"{names['x_test']!r} of {path.name} was left alone"] if "x_test" in names else []
    x, y = (arrays[names[name]] for name in pair)
    weight = next((arrays[names[name]] for name in WEIGHT if name in names), None)
    held = next((held for held in APART if set(held) <= names.keys()), None)
    apart = None if held is None else tuple(arrays[names[name]] for name in held)
    return Loaded((x, y) if weight is None else (x, y, weight), apart, notes=tuple(notes))


def read_npy(path: Path, hints: ModelHints, table: Table) -> Loaded:
    """Reads one array: inputs whose targets lie beside it, or those of an autoencoder."""
    x = _array(path)
    beside = _targets_beside(path)
    if beside is not None:
        return Loaded((x, _array(beside)), notes=(f"the targets are those of {beside.name}",))
    shapes = tuple(output.shape for output in hints.outputs)
    if hints.input_shapes and hints.input_shapes == shapes:
        return Loaded(x)
    raise FixYourCall(
        f"one array is enough only for an autoencoder. Received: {str(path)!r} without targets. Put them beside it, as "
        f"{_partner(path)!r}, or write both into one file: np.savez('data.npz', x=x, y=y)."
    )


def from_sklearn(name: str, hints: ModelHints) -> Loaded:
    """Loads a data set that ships with scikit-learn."""
    if name not in SETS:
        raise FixYourCall(
            f"there is no data set {name!r} that ships with scikit-learn.{did_you_mean(name, SETS)} "
            f"Known: {', '.join(SETS)}."
        )
    import sklearn.datasets

    x, y = getattr(sklearn.datasets, f"load_{name}")(return_X_y=True)
    return Loaded((shaped(x, hints), y))


def from_code(value: Any, what: str) -> Loaded:
    """Takes what a function of the user's returned: data, or a pair of training and validation data."""
    if value is None:
        raise FixYourData(f"{what} must return data. Received: None. Add `return x, y`.")
    if isinstance(value, tuple) and len(value) == 2 and all(_is_data(part) for part in value):
        return Loaded(*value)
    return Loaded(value)


def shaped(x: np.ndarray[Any, Any], hints: ModelHints) -> np.ndarray[Any, Any]:
    """Returns flat rows in the shape of the model's only input, where the number of values is the same."""
    shape = hints.input_shapes[0] if len(hints.input_shapes) == 1 else ()
    if len(shape) < 2 or x.ndim != 2 or None in shape or int(np.prod(np.array(shape, dtype=int))) != x.shape[1]:
        return x
    return x.reshape(len(x), *(int(axis or 0) for axis in shape))


def _is_data(part: Any) -> bool:
    return isinstance(part, tuple) or hasattr(part, "element_spec") or hasattr(part, "on_epoch_end")


def _members(path: Path) -> dict[str, Any]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except Exception as error:  # whatever numpy raises about bytes that anybody may have written
        raise _refused(path, error) from error
    for array in arrays.values():
        _check_rows(array, path)
    return arrays


def _array(path: Path) -> Any:
    try:
        mapped = np.load(path, allow_pickle=False, mmap_mode="r")
        if not isinstance(mapped, np.ndarray):
            raise FixYourData(f"{str(path)!r} must be one array. Received: an archive. Call it .npz.")
        check_fits(repr(str(path)), mapped.nbytes)
        _check_rows(mapped, path)
        return np.array(mapped)
    except FixYourData:
        raise
    except Exception as error:  # whatever numpy raises about bytes that anybody may have written
        raise _refused(path, error) from error


def _check_rows(array: Any, path: Path) -> None:
    """Rows without values take no bytes, so that a small file may claim any number of them."""
    if array.nbytes == 0 and array.ndim > 0 and len(array) > 0:
        raise FixYourData(
            f"every row in {str(path)!r} must hold values. Received: an array of shape {array.shape}. Write it again."
        )


def _refused(path: Path, error: Exception) -> FixYourData:
    if isinstance(error, ValueError) and any(word in str(error) for word in HOLDS_OBJECTS):
        return FixYourData(
            f"{str(path)!r} holds Python objects, which could run code when they are loaded. Write arrays of numbers "
            "or text: np.savez(path, x=np.asarray(x, 'float32'), y=y)."
        )
    return FixYourData(f"{str(path)!r} is damaged: {one_line(error)}. Write it again.")


def _by_input(arrays: Mapping[str, Any], names: Mapping[str, str], hints: ModelHints, path: Path) -> Loaded:
    """Takes arrays that are called like the inputs and outputs of the model."""
    outputs = tuple(output.name for output in hints.outputs)
    if hints.inputs and set(hints.inputs) <= arrays.keys():
        x = {name: arrays[name] for name in hints.inputs}
        if "y" in names:
            return Loaded((x, arrays[names["y"]]))
        if set(outputs) <= arrays.keys():
            return Loaded((x, {name: arrays[name] for name in outputs}))
    if list(names) == ["x"]:
        return Loaded(arrays[names["x"]])
    wanted = f", or {list(hints.inputs)} and y," if len(hints.inputs) > 1 else ""
    raise FixYourCall(
        f"{str(path)!r} must hold arrays called x and y{wanted} or x_train and y_train. Received: "
        f"{', '.join(sorted(arrays)[:10])}. Write np.savez(path, x=x, y=y)."
    )


def _partner(path: Path) -> str:
    stem = path.stem
    for mine, theirs in (("x", "y"), ("X", "y"), ("images", "labels"), ("data", "target"), ("features", "labels")):
        if stem.startswith(mine):
            return f"{theirs}{stem[len(mine) :]}.npy"
    return f"{stem}_y.npy"


def _targets_beside(path: Path) -> Path | None:
    beside = path.with_name(_partner(path))
    return beside if beside.is_file() and beside != path else None
