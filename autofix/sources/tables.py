"""Tables: `.csv` and `.parquet`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from autofix.errors import FixYourCall, FixYourData, did_you_mean, one_line
from autofix.hints import ModelHints
from autofix.sources.encoding import Encoding, encoding_of
from autofix.sources.limits import check_fits
from autofix.sources.loaded import Loaded, Table

# Columns. Tables of expression levels, the widest that are common, have 60,000; each column costs a millisecond to look
# at, and one beyond this is a matrix, which belongs into `.npz`.
MOST_COLUMNS = 100_000
# Bytes of the line with the names of the columns.
LONGEST_HEADER = 2**24
# Bytes of a number in memory.
NUMBER = 8


def read_csv(path: Path, hints: ModelHints, table: Table) -> Loaded:
    """Reads a table of text; the separator is that of its first line."""
    import pandas as pd

    check_fits(repr(str(path)), path.stat().st_size)
    separator, width = _layout(path)
    _check_width(width, path)
    try:
        frame = pd.read_csv(path, sep=separator, low_memory=False, encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise FixYourData(f"{str(path)!r} must be text in UTF-8 ({error.reason}). Save it so.") from error
    except (ValueError, pd.errors.ParserError, pd.errors.EmptyDataError, OverflowError) as error:
        raise FixYourData(f"{str(path)!r} is no table: {one_line(error)}. Save it with one header line.") from error
    return _loaded(frame, path, hints, table)


def read_parquet(path: Path, hints: ModelHints, table: Table) -> Loaded:
    """Reads a Parquet table."""
    import pandas as pd

    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise FixYourData(
            "reading .parquet needs pyarrow. Install it: pip install 'keras-autofix[parquet]', or save a .csv."
        ) from error
    try:
        shape = pyarrow.parquet.read_metadata(path)
        _check_width(shape.num_columns, path)
        # A column of one value takes a few bytes on the disk, however many rows it has.
        check_fits(repr(str(path)), shape.num_rows * shape.num_columns * NUMBER)
        frame = pd.read_parquet(path, engine="pyarrow")
    except FixYourData:
        raise
    except (pyarrow.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        raise FixYourData(f"{str(path)!r} is damaged: {one_line(error)}. Write it again.") from error
    return _loaded(frame, path, hints, table)


def _layout(path: Path) -> tuple[str, int]:
    """Returns the separator, and how many columns the first line names."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        first = file.readline(LONGEST_HEADER)
    separator = max((",", ";", "\t"), key=first.count)
    return separator, first.count(separator) + 1


def _check_width(columns: int, path: Path) -> None:
    if columns > MOST_COLUMNS:
        raise FixYourData(
            f"a table must have at most {MOST_COLUMNS:,} columns. Received: {columns:,} in {str(path)!r}. Write a "
            "matrix as arrays: np.savez('data.npz', x=x, y=y)."
        )


def _loaded(frame: Any, path: Path, hints: ModelHints, table: Table) -> Loaded:
    frame.columns = [str(name).strip() for name in frame.columns]
    columns = list(frame.columns)
    _check_columns(columns, path, table)
    if len(frame) == 0:
        raise FixYourData(f"{str(path)!r} must hold at least one row. Received: a header alone.")
    frame = frame.drop(columns=list(table.drop_columns))
    encoding: Encoding | None = table.encoding
    notes: tuple[str, ...] = ()
    if encoding is None:
        encoding, notes = encoding_of(frame, str(table.target_column), hints)
    return Loaded((encoding.inputs(frame), encoding.targets(frame)), encoding=encoding, notes=notes)


def _check_columns(columns: list[str], path: Path, table: Table) -> None:
    twice = sorted(name for name, count in Counter(columns).items() if count > 1)
    if twice:
        raise FixYourData(f"every column of {str(path)!r} needs its own name. Received: {twice[0]!r} twice. Rename it.")
    if table.target_column is None:
        raise FixYourCall(f"a table needs the column to predict: --target COLUMN. {str(path)!r} has {_named(columns)}.")
    for name in (table.target_column, *table.drop_columns):
        if name not in columns:
            near = did_you_mean(name, columns)
            raise FixYourCall(f"there is no column {name!r} in {str(path)!r}.{near} It has {_named(columns)}.")
    if table.target_column in table.drop_columns:
        raise FixYourCall(f"{table.target_column!r} cannot be predicted and dropped. Leave it out of --drop.")


def _named(columns: list[str]) -> str:
    more = f" and {len(columns) - 20} more" if len(columns) > 20 else ""
    return ", ".join(columns[:20]) + more
