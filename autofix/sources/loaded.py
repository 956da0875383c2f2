"""`Loaded`: what a data source gives; `Table`: what has to be said about one that is a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autofix.sources.encoding import Encoding


@dataclass(frozen=True)
class Table:
    """How a table is to be read.

    Attributes:
        target_column: The column to predict; None where the user named none.
        drop_columns: Columns to leave out.
        encoding: That of other rows of the same table, to be used again; None to make one.
    """

    target_column: str | None = None
    drop_columns: tuple[str, ...] = ()
    encoding: Encoding | None = None


@dataclass(frozen=True, eq=False)
class Loaded:
    """Data as `autofix.repair` takes it.

    Attributes:
        data: `(x, y)`, `(x, y, sample_weight)`, x alone, or a `tf.data.Dataset`.
        validation_data: The same, where the source holds rows set apart for validation; else None.
        encoding: How columns of a table became numbers; None where nothing had to be encoded.
        notes: Sentences about how it was read.
    """

    data: Any
    validation_data: Any = None
    encoding: Encoding | None = None
    notes: tuple[str, ...] = ()
