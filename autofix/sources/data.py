"""Data by its name: a file, a folder, a data set of scikit-learn, or a function that loads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from autofix.errors import FixYourCall, FixYourData
from autofix.hints import ModelHints
from autofix.sources import arrays, folders, records, tables
from autofix.sources.code import loaded_by
from autofix.sources.loaded import Loaded, Table
from autofix.sources.spec import SKLEARN, code_of, existing

Reader = Callable[[Path, ModelHints, Table], Loaded]
READERS: Mapping[str, Reader] = {
    ".npz": arrays.read_npz,
    ".npy": arrays.read_npy,
    ".csv": tables.read_csv,
    ".tsv": tables.read_csv,
    ".parquet": tables.read_parquet,
    ".tfrecord": records.read_tfrecord,
}
NOTHING = ModelHints((), (), ())
PLAIN = Table()


def load_data(spec: str, *, hints: ModelHints = NOTHING, table: Table = PLAIN) -> Loaded:
    """Loads data in the form that a model takes it. No code that is in a file is run.

    Args:
        spec: An `.npz`, `.npy`, `.csv`, `.tsv`, `.parquet` or `.tfrecord` file, a folder of images by class, a folder
            of TFRecords or a saved `tf.data.Dataset`, `sklearn:NAME`, `module.py:function` or
            `package.module:function`.
        hints: What the model says about its inputs and outputs; see `autofix.sources.model.hints_for`.
        table: How a table is to be read.

    Raises:
        FixYourCall: If there is nothing of that name, or the table's columns are not those that are named.
        FixYourData: If it is damaged, empty, holds code, or cannot be brought into the form that the model takes.
    """
    code = code_of(spec)
    if code is not None:
        return arrays.from_code(loaded_by(code), f"{code.module}:{code.function}()")
    if spec.startswith(SKLEARN):
        return arrays.from_sklearn(spec.removeprefix(SKLEARN), hints)
    path = existing(spec, "data")
    if path.is_dir():
        return folders.read_folder(path, hints, table)
    reader = records.read_tfrecord if ".tfrecord" in path.name else READERS.get(path.suffix.lower())
    if reader is None:
        raise FixYourCall(
            f"data must be a file of type {', '.join(READERS)}, a folder, sklearn:NAME or module.py:load_data. "
            f"Received: {spec!r}."
        )
    if not path.is_file() or path.stat().st_size == 0:
        raise FixYourData(f"{spec!r} is empty. Write the data again.")
    return reader(path, hints, table)
