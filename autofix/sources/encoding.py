"""From a table to what a model takes, and again for new rows: `encoding.json` in the run folder.

import json, pandas as pd
from autofix.sources import Encoding

encoding = Encoding.from_dict(json.load(open("runs/x/encoding.json")))
model.predict(encoding.inputs(pd.read_csv("new.csv")))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autofix.errors import FixYourCall, FixYourData, did_you_mean
from autofix.hints import ModelHints
from autofix.sources.columns import Column, Kind, categories_of, not_numbers, numbers_the_rows
from autofix.sources.labels import Target, target_of

# Ways to write categories, in the order in which they are tried on the width of a model's input: by what they are
# called, and how each of so many categories is then written.
WAYS: Mapping[str, Callable[[int], Kind]] = {
    "one-hot": lambda count: "one_hot",
    "one-hot, one column for two categories": lambda count: "codes" if count <= 2 else "one_hot",
    "codes": lambda count: "codes",
    "one-hot without the first": lambda count: "one_hot_but_first",
}


@dataclass(frozen=True)
class Input:
    """One input of a model, and the columns that it is made of.

    Attributes:
        name: Name of the input; None where the model has one input.
        columns: The columns, in order.
        shape: Shape of one example; empty for a single value.
    """

    name: str | None
    columns: tuple[Column, ...]
    shape: tuple[int, ...]

    def encode(self, frame: Any) -> np.ndarray[Any, Any]:
        """Returns what the input takes, array [rows, *shape]."""
        parts = np.concatenate([column.encode(frame) for column in self.columns], axis=1)
        return parts.reshape(len(parts), *self.shape)


@dataclass(frozen=True)
class Encoding:
    """How the columns of a table become the inputs and targets of a model.

    Attributes:
        parts: One for each input of the model.
        outputs: One for each output of the model.
    """

    parts: tuple[Input, ...]
    outputs: tuple[Target, ...]

    def inputs(self, frame: Any) -> Any:
        """Returns the inputs for the rows of a frame: an array, or a dict of arrays by the input's name.

        Raises:
            FixYourCall: If a column is missing.
        """
        _present([column.name for part in self.parts for column in part.columns], frame)
        if len(self.parts) == 1 and self.parts[0].name is None:
            return self.parts[0].encode(frame)
        return {part.name: part.encode(frame) for part in self.parts}

    def targets(self, frame: Any) -> Any:
        """Returns the targets for the rows of a frame: an array, or a dict of arrays by the output's name.

        Raises:
            FixYourCall: If a column is missing.
            FixYourData: If it holds a class that is not known.
        """
        _present([target.column for target in self.outputs], frame)
        if len(self.outputs) == 1:
            return self.outputs[0].encode(frame)
        return {target.output: target.encode(frame) for target in self.outputs}

    def to_dict(self) -> dict[str, Any]:
        """Returns the encoding as JSON-ready data."""
        parts = [
            {"name": part.name, "shape": list(part.shape), "columns": [column.to_dict() for column in part.columns]}
            for part in self.parts
        ]
        return {"inputs": parts, "targets": [target.to_dict() for target in self.outputs]}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Encoding:
        """Reads what `to_dict` wrote.

        Raises:
            FixYourCall: If it is something else.
        """
        try:
            parts = tuple(
                Input(part["name"], tuple(map(Column.from_dict, part["columns"])), tuple(map(int, part["shape"])))
                for part in document["inputs"]
            )
            return cls(parts, tuple(map(Target.from_dict, document["targets"])))
        except (KeyError, TypeError, ValueError, StopIteration) as error:
            raise FixYourCall(f"this is no encoding: it needs `inputs` and `targets`. {error!r}") from error


def encoding_of(frame: Any, target: str, hints: ModelHints) -> tuple[Encoding, tuple[str, ...]]:
    """Returns how a table is encoded for a model, with sentences about it.

    Args:
        frame: The table.
        target: The column to predict.
        hints: What the model says about its inputs and outputs.

    Raises:
        FixYourCall: If the model needs columns that are not there.
        FixYourData: If a column cannot be encoded, or no encoding has the width of the model's input.
    """
    names = [output.name for output in hints.outputs]
    by_output = len(names) > 1
    if by_output and (target not in names or not set(names) <= set(frame.columns)):
        raise FixYourCall(
            f"the model has the outputs {names}, and --target names one of them. Received: {target!r}. Call the "
            "columns of the table like the outputs, or load the data by your own code: --data module.py:load_data."
        )
    wanted = names if by_output else [target]
    outputs = tuple(
        target_of(
            frame[name], hints.outputs[index] if index < len(hints.outputs) else None, name if by_output else None
        )
        for index, name in enumerate(wanted)
    )
    rest = [name for name in frame.columns if name not in wanted]
    if not rest:
        raise FixYourData(f"the table must hold columns beside {target!r}. Received: none. Add those to predict from.")
    found = {name: categories_of(frame[name]) for name in rest}
    notes = [
        f"column {name!r}: {', '.join(map(repr, odd[:3]))} counts as missing"
        for name in rest
        if found[name] is None and (odd := not_numbers(frame[name]))
    ]
    notes += [
        f"column {name!r} counts the rows and says nothing of new ones: leave it out (--drop {name!r})"
        for name in rest
        if found[name] is None and numbers_the_rows(frame[name])
    ]
    parts, more = _one_input(found, hints) if len(hints.inputs) < 2 else _several(found, hints)
    return Encoding(parts, outputs), (*notes, *more)


def _one_input(found: Mapping[str, Sequence[str] | None], hints: ModelHints) -> tuple[tuple[Input, ...], list[str]]:
    shape = hints.input_shapes[0] if len(hints.input_shapes) == 1 else (None,)
    columns, way = _fitting(found, shape, "the model")
    width = sum(column.width for column in columns)
    fixed = (width,) if None in shape or not shape else tuple(int(axis or 0) for axis in shape)
    return (Input(None, columns, fixed),), _told(found, way)


def _several(found: Mapping[str, Sequence[str] | None], hints: ModelHints) -> tuple[tuple[Input, ...], list[str]]:
    """Feeds inputs that are called like a column with it, and the one that is not with all other columns."""
    shapes = dict(zip(hints.inputs, hints.input_shapes, strict=True))
    others = [name for name in shapes if name not in found]
    rest = {name: categories for name, categories in found.items() if name not in shapes}
    if len(others) > 1 or (others and not rest):
        near = did_you_mean(others[0], found)
        raise FixYourCall(
            f"the model has the inputs {list(shapes)}, and all but one must be called like a column. Received: no "
            f"columns {others}.{near} Rename them, or load the data by your own code: --data module.py:load_data."
        )
    parts, notes = [], []
    for name, shape in shapes.items():
        own = rest if name in others else {name: found[name]}
        columns, way = _fitting(own, shape, f"input {name!r}", codes_first=name not in others)
        parts.append(Input(name, columns, tuple(int(axis or sum(c.width for c in columns)) for axis in shape)))
        notes += _told(own, way)
    if rest and not others:
        notes.append(f"columns that no input is called like were left out: {', '.join(rest)}")
    return tuple(parts), notes


def _fitting(
    found: Mapping[str, Sequence[str] | None],
    shape: Sequence[int | None],
    what: str,
    *,
    codes_first: bool = False,
) -> tuple[tuple[Column, ...], str]:
    """Returns the columns in the first way that has the width of an input, and what that way is called."""
    wanted = None if None in shape else int(np.prod(np.array(shape, dtype=np.int64)))
    ways = {"codes": WAYS["codes"], **WAYS} if codes_first else WAYS
    widths = {}
    for way, kind_of in ways.items():
        columns = tuple(_column(name, categories, kind_of) for name, categories in found.items())
        widths[way] = sum(column.width for column in columns)
        if wanted is None or widths[way] == wanted:
            return columns, way
    raise _misfit(found, wanted, widths, what)


def _column(name: str, categories: Sequence[str] | None, kind_of: Callable[[int], Kind]) -> Column:
    if categories is None:
        return Column(name, "number")
    return Column(name, kind_of(len(categories)), tuple(categories))


def _misfit(
    found: Mapping[str, Sequence[str] | None], wanted: int | None, widths: Mapping[str, int], what: str
) -> FixYourData:
    texts = {name: len(categories) for name, categories in found.items() if categories is not None}
    listed = ", ".join(list(found)[:20]) + (f" and {len(found) - 20} more" if len(found) > 20 else "")
    held = ", ".join(f"{name} with {count} categories" for name, count in texts.items())
    tried = ", ".join(f"{width} as {way}" for way, width in widths.items()) if texts else str(len(found))
    return FixYourData(
        f"{what} takes {wanted} values a row. Received: {tried}, from the columns {listed}"
        f"{f' ({held})' if held else ''}. Leave out what it does not take (--drop COLUMN), give the model an input of "
        "that width, or load the data by your own code: --data module.py:load_data."
    )


def _told(found: Mapping[str, Sequence[str] | None], way: str) -> list[str]:
    texts = [name for name, categories in found.items() if categories is not None]
    return [f"columns of text were encoded ({way}): {', '.join(texts)}"] if texts else []


def _present(names: Iterable[str], frame: Any) -> None:
    for name in names:
        if name not in frame.columns:
            raise FixYourCall(
                f"the encoding needs a column {name!r}.{did_you_mean(name, list(frame.columns))} "
                f"Received: {', '.join(map(str, list(frame.columns)[:20]))}."
            )
