"""`autofix repair`: one model, one data set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from autofix.cli import options
from autofix.cli.ending import ending
from autofix.cli.types import SpecType

DATA = """\b
DATA is one of
  table.csv, table.parquet   with --target COLUMN
  data.npz                   arrays x and y (or x_train, y_train, x_val, y_val)
  x.npy                      beside y.npy
  folder/                    images by class, TFRecords, or a saved tf.data.Dataset
  sklearn:digits             a data set that ships with scikit-learn
  module.py:load_data        your own function"""


@click.command(epilog=f"{DATA}\n\n{options.SOURCES}")
@click.argument("model", type=SpecType("MODEL"))
@options.data_option
@options.table_options
@options.validation_option
@options.setting(
    "-o", "--out", metavar="FOLDER", type=click.Path(), help="Run folder.  [default: runs/NAME OF THE MODEL]"
)
@options.fit_options
@options.run_options
@options.search_options
@options.format_option
@options.allow_unsafe_option
@options.common_options
def repair(out: str | None, form: str, verbose: int, **settings: Any) -> None:
    """Find out why a model does not train, and repair it.

    MODEL is a .keras or .h5 file, or module.py:build_model.
    """
    from autofix.cli.running import configure_logs, job_of, run
    from autofix.cli.showing import finish

    configure_logs(verbose)
    with ending():
        job = job_of(settings, out or str(Path("runs") / _name_of(settings["model"])))
        ended = run(job, verbose=verbose)
    finish(ended, Path(job.out), form)


def _name_of(model: str) -> str:
    """Returns what a run folder is called by default: the file's name, or the function's."""
    path = Path(model)
    return path.stem if path.suffix in (".keras", ".h5", ".hdf5") else model.rpartition(":")[2] or path.stem
