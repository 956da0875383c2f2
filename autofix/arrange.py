"""Arrays in the structure the model expects, with every contract between them checked once."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from autofix.errors import FixYourData, did_you_mean
from autofix.hints import ModelHints
from autofix.reading import plain
from autofix.trees import described, leaves, mapped

Array = npt.NDArray[Any]


def stride_of(trees: tuple[Any, ...], limit_bytes: int) -> int:
    """Returns n so that every n-th row of the given trees fits into `limit_bytes`; 1 where all of them do."""
    total = 0
    for leaf in (leaf for tree in trees for leaf in leaves(tree)):
        shape, dtype = getattr(leaf, "shape", None), getattr(leaf, "dtype", None)
        if shape is not None:
            total += int(np.prod(shape, dtype=np.int64)) * int(getattr(dtype, "itemsize", 8))
    return max(1, -(-total // limit_bytes))


def rows_of(tree: Any, what: str) -> int:
    """Returns how many rows a tree of arrays, frames or lists has.

    Raises:
        FixYourData: If an array has no row axis, or the arrays differ in length.
    """
    found: dict[int, None] = {}
    for leaf in leaves(tree):
        shape = getattr(leaf, "shape", None)
        if shape is None and not hasattr(leaf, "__len__"):
            shape = ()
        if shape is not None and len(shape) == 0:
            raise FixYourData(
                f"{what} must have one row an example. Received: a single value, {leaf!r}. Pass an array of rows."
            )
        found[int(shape[0]) if shape is not None else len(leaf)] = None
    if len(found) > 1:
        raise FixYourData(
            f"all arrays of {what} must have equally many rows. Received: {' and '.join(map(str, found))} rows."
            " Cut them to the same examples."
        )
    return next(iter(found), 0)


def arrange_x(x: Any, hints: ModelHints, step: int) -> Any:
    """Returns the inputs as a tree of arrays: every `step`-th row, in the structure the user gave.

    Raises:
        FixYourData: If an input is missing, ragged or not numeric. Shapes are judged by the rule `input_shape`.
    """
    names = hints.inputs
    if _is_frame(x) and _feeds_by_column(x, hints):
        _known(list(map(str, x.columns)), names, "column")
        x = {name: x[name] for name in names}
    if isinstance(x, dict) and names and not (len(names) == 1 == len(x)):
        _known(list(x), names, "input")
        x = {name: x[name] for name in names}
    elif len(names) > 1:
        if not isinstance(x, list) or len(x) != len(names):
            raise FixYourData(
                f"x must hold the {len(names)} inputs of the model. Received: {described(x)}. "
                f"Pass a list in the order {list(names)}, or a dict with these names."
            )
        x = list(x)
    return mapped(lambda leaf: numeric(leaf, "x", step), x)


def arrange_y(y: Any, hints: ModelHints, step: int) -> Any:
    """Returns the targets as a tree of arrays: every `step`-th row, structured like the model's outputs.

    Raises:
        FixYourData: If an output has no target, or targets are ragged or of mixed types.
    """
    names = tuple(output.name for output in hints.outputs)
    if isinstance(y, dict) and not (len(names) == 1 == len(y)):
        _known(list(y), names, "output")
        y = {name: y[name] for name in names}
    elif _is_frame(y) and len(names) > 1 and set(names) <= set(map(str, y.columns)):
        y = {name: y[name] for name in names}
    elif len(names) > 1:
        if not isinstance(y, list) or len(y) != len(names):
            raise FixYourData(
                f"y must hold targets for the {len(names)} outputs of the model. Received: {described(y)}. "
                f"Pass a list in the order {list(names)}, or a dict with these names."
            )
        y = list(y)
    return mapped(lambda leaf: _target(leaf, step), y)


def numeric(value: Any, what: str, step: int) -> Array:
    """Returns an array of numbers: a read-only view of every `step`-th row where it is one already.

    Raises:
        FixYourData: If it holds text or anything else but numbers.
    """
    if _is_frame(value):
        return view(_frame(value.iloc[::step], what))
    if hasattr(value, "to_numpy"):
        value = _series(value)
    array = plain(_rows(value, step), what)
    if array.dtype == object:
        try:
            array = array.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise FixYourData(
                f"{what} must hold numbers. Received: {_example(array)}. Encode text as numbers first "
                "(keras.layers.StringLookup or TextVectorization, or pandas.get_dummies)."
            ) from error
    if array.dtype.kind not in "fiub":
        raise FixYourData(
            f"{what} must hold numbers. Received: values of type {array.dtype}, such as {_example(array)}. Encode them "
            "as numbers first (keras.layers.StringLookup or TextVectorization; .astype('float32') for digits)."
        )
    return view(array)


def view(array: Array) -> Array:
    """Returns a view that refuses writes, so that no code of ours can touch the user's array."""
    guarded = array.view()
    guarded.flags.writeable = False
    return guarded


def _rows(value: Any, step: int) -> Any:
    if step == 1 or not (hasattr(value, "shape") and hasattr(value, "__getitem__")):
        return value
    return value[::step]


def _target(value: Any, step: int) -> Array:
    """Returns one target: numbers as they are, text as objects, missing text as None."""
    if _is_frame(value):
        value = value.iloc[::step].to_numpy()
    elif hasattr(value, "to_numpy"):
        value = _series(value)[::step]
    else:
        value = _rows(value, step)
    array = plain(value, "y")
    if array.dtype.kind in "fiub":
        return view(array)
    if array.dtype.kind == "S":
        array = np.char.decode(array, "utf-8")
    items = array.astype(object)
    flat = [item.decode() if isinstance(item, bytes) else item for item in items.reshape(-1).tolist()]
    present = [item for item in flat if not _missing(item)]
    kinds = {"text" if isinstance(item, str) else "number" for item in present}
    if len(kinds) > 1:
        raise FixYourData(
            "y must hold labels of one type. Received: text and numbers mixed, such as "
            f"{next(i for i in present if isinstance(i, str))!r} and "
            f"{next(i for i in present if not isinstance(i, str))!r}. Write them all as text: y.astype(str)."
        )
    if kinds == {"number"}:
        try:
            whole = len(present) == len(flat)
            return view(np.array(flat if whole else [np.nan if _missing(i) else i for i in flat]).reshape(array.shape))
        except (TypeError, ValueError) as error:
            raise FixYourData(f"y must hold numbers or text. Received: {present[0]!r}. Convert it first.") from error
    filled = np.empty(len(flat), dtype=object)
    filled[:] = [None if _missing(item) else item for item in flat]
    return view(filled.reshape(array.shape))


def _missing(item: Any) -> bool:
    return item is None or type(item).__name__ in ("NAType", "NaTType") or bool(item != item)


def _is_frame(value: Any) -> bool:
    return hasattr(value, "columns") and hasattr(value, "iloc")


def _series(value: Any) -> Array:
    """Returns a pandas series as an array; nullable numbers as floats, everything else as pandas gives it."""
    dtype = value.dtype
    if getattr(dtype, "na_value", None) is not None and getattr(dtype, "kind", "O") in "fiub":
        return np.asarray(value.to_numpy(dtype=np.float64, na_value=np.nan) if value.hasnans else value.to_numpy())
    return np.asarray(value.to_numpy())


def _frame(frame: Any, what: str) -> Array:
    """Returns a frame as one array: as it is where all columns share a number type, otherwise as floats."""
    text = [str(name) for name, dtype in frame.dtypes.items() if getattr(dtype, "kind", "O") not in "fiub"]
    if text:
        raise FixYourData(
            f"all columns of {what} must hold numbers. Received: other values in {', '.join(map(repr, text))}. "
            "Encode these columns (pandas.get_dummies) or drop them."
        )
    array = frame.to_numpy()
    if array.dtype.kind in "fiu":
        return np.asarray(array)
    return np.asarray(frame.to_numpy(dtype=np.float64, na_value=np.nan))


def _feeds_by_column(frame: Any, hints: ModelHints) -> bool:
    """Whether the columns of a frame are the model's inputs, one by one."""
    if len(hints.inputs) > 1:
        return True
    columns = set(map(str, frame.columns))
    return len(columns) > 1 and set(hints.inputs) <= columns and hints.input_shapes in (((),), ((1,),))


def _known(given: list[str], wanted: tuple[str, ...], what: str) -> None:
    absent = [name for name in wanted if name not in given]
    if absent:
        near = did_you_mean(absent[0], given)
        raise FixYourData(
            f"every {what} of the model needs data: {list(wanted)}. Received: {given}, without {absent}.{near} "
            f"Rename or add the {what}."
        )


def _example(array: Array) -> str:
    text = (item for item in array.flat if isinstance(item, str | bytes))
    return repr(next(text, array.flat[0] if array.size else ""))
