"""Fresh rows, read once and parted: what is trained on, and what challenger and champion are compared on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from autofix.data import Data
from autofix.errors import FixYourData
from autofix.facts import TargetFacts
from autofix.given import first_rows, read_model
from autofix.hints import ModelHints
from autofix.labels import from_index, positions, to_index
from autofix.retraining import drift, holdout
from autofix.retraining.asked import Asked
from autofix.sources.data import load_data
from autofix.sources.encoding import Encoding
from autofix.sources.loaded import Loaded, Table
from autofix.sources.model import hints_for
from autofix.trees import mapped

if TYPE_CHECKING:
    import keras

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Part:
    """Some rows.

    Attributes:
        x: Inputs, in the structure that the user gave.
        y: Targets.
        weight: Weight of each row, or None.
    """

    x: Any
    y: Any
    weight: Array | None

    def data(self) -> tuple[Any, ...]:
        """Returns them as `fit` takes them."""
        return (self.x, self.y) if self.weight is None else (self.x, self.y, self.weight)


@dataclass(frozen=True, eq=False)
class Rows:
    """Fresh data.

    Attributes:
        own: All rows, those of the holdout included where they are part of them.
        train: Rows to train on.
        held: Rows of the holdout.
        flat_y: Targets of the holdout, in the order of the model's outputs.
        batch_size: What a dataset was batched with; None if it was not.
        encoding: How the columns of a table became numbers; None where there were none.
        fingerprint: 32 hexadecimal digits that change when any row does, in whatever way it comes.
        counts: Rows to train on, and rows of the holdout.
        notes: Sentences about how they were read.
    """

    own: Data
    train: Part
    held: Part
    flat_y: tuple[Array, ...]
    batch_size: int | None
    encoding: Encoding | None
    fingerprint: str
    counts: tuple[int, int]
    notes: tuple[str, ...]

    def columns(self) -> dict[str, Array]:
        """Returns the features that drift is looked for in, by name."""
        return drift.columns_of(self.own.flat_x(), _names(self.encoding))


def read(model: keras.Model | Any, asked: Asked) -> Rows:
    """Reads the fresh data and parts it.

    Args:
        model: The model that is trained, or the function that builds it.
        asked: What the training is asked for.

    Raises:
        FixYourCall, FixYourData, FixYourModel: If something cannot be used as it is.
    """
    known = None if asked.encoding is None else Encoding.from_dict(asked.encoding)
    table = Table(asked.target_column, asked.drop_columns, known)
    hints = hints_for(model)
    loaded = load_data(asked.data, hints=hints, table=table)
    hints = read_model(model, {}, asked.seed, first_rows(loaded.data))[2]
    own = Data.of(loaded.data, hints=hints, seed=asked.seed)
    notes = (*loaded.notes, *own.notes)
    everything = np.arange(own.rows)
    if asked.holdout is None:
        chosen = holdout.by_content(own.flat_x(), asked.share) if asked.by == "content" else None
        held = holdout.checked(holdout.last(own.rows, asked.share) if chosen is None else chosen)
        train, apart, source = _part(own, everything[~held]), _part(own, everything[held]), own
        flat_y = tuple(array[held] for array in own.flat_y())
        counts = (int((~held).sum()), int(held.sum()))
    else:
        source, more = _apart(asked.holdout, replace(table, encoding=loaded.encoding), hints, asked.seed)
        train, apart, flat_y = _part(own, everything), _part(source, np.arange(source.rows)), source.flat_y()
        counts, notes = (own.rows, source.rows), (*notes, *more)
    return Rows(
        own,
        train,
        apart,
        flat_y,
        own.batch_size,
        loaded.encoding,
        _fingerprint(own, source),
        counts,
        tuple(dict.fromkeys(note for note in notes if "held out" not in note)),
    )


def target_columns(own: Data, targets: Sequence[TargetFacts]) -> dict[str, Array]:
    """Returns the targets that drift is looked for in: class labels or quantities, one a row."""
    found: dict[str, Array] = {}
    for target, array in zip(targets, own.flat_y(), strict=True):
        name = f"target {target.name}" if len(targets) > 1 else "target"
        if target.classes and positions(target) == 1:
            index = to_index(array, target)
            labels = np.asarray(from_index(np.maximum(index, 0), target)).astype(str)
            found[name] = np.where(index < 0, "another", labels)
        elif not target.kind.is_classification and array.reshape(len(array), -1).shape[1] == 1:
            found[name] = array.reshape(-1)
    return found


def _apart(spec: str, table: Table, hints: ModelHints, seed: int) -> tuple[Data, tuple[str, ...]]:
    loaded: Loaded = load_data(spec, hints=hints, table=table)
    source = Data.of(loaded.data, hints=hints, seed=seed)
    if source.rows < holdout.FEWEST:
        raise FixYourData(
            f"the holdout must have {holdout.FEWEST} rows. Received: {source.rows} in {spec!r}. Bring more."
        )
    return source, loaded.notes


def _part(data: Data, rows: Array) -> Part:
    def cut(array: Array) -> Array:
        return array[rows]

    weight = data.sample_weight
    return Part(mapped(cut, data.x), mapped(cut, data.y), None if weight is None else weight[rows])


def _fingerprint(own: Data, source: Data) -> str:
    """Of data that both parts come from, the division says nothing new; of others, it does."""
    if source is own:
        return own.fingerprint()
    return hashlib.blake2b(f"{own.fingerprint()} {source.fingerprint()}".encode(), digest_size=16).hexdigest()


def _names(encoding: Encoding | None) -> list[str]:
    if encoding is None or len(encoding.parts) != 1:
        return []
    names: list[str] = []
    for column in encoding.parts[0].columns:
        names += [column.name] if column.width == 1 else [f"{column.name}[{place}]" for place in range(column.width)]
    return names


def encoding_document(rows: Rows) -> Mapping[str, Any] | None:
    """Returns the encoding as JSON data, None where there is none."""
    return None if rows.encoding is None else rows.encoding.to_dict()
