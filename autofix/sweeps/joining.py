"""What a worker may do of a sweep that somebody else wrote down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from autofix.config.paths import file_of, resolved
from autofix.errors import AutofixError, FixYourCall
from autofix.sources.spec import names_code
from autofix.sweeps.cell import Cell, inputs_of


def portable(cells: tuple[Cell, ...], folder: Path) -> tuple[Cell, ...]:
    """Returns cells with files below `folder` named relative to it, so that other machines find theirs."""
    return tuple(_with_sources(cell, lambda spec: _relative(spec, folder.resolve())) for cell in cells)


def allowed(
    documents: Mapping[str, Any],
    *,
    folder: Path,
    out: Path,
    allow_code: bool,
    allow_unsafe: bool,
    say: Callable[[str], None],
) -> dict[str, Cell]:
    """Returns the cells of a study that a worker may do here, by name; says why of each it may not.

    Args:
        documents: Cells as the study holds them. Whoever may write to the database may have written them.
        folder: Where files of the study are looked for; others are not read.
        out: Where run folders go.
        allow_code: Whether functions that the study names may be run.
        allow_unsafe: Whether model files may hold Lambda layers.
        say: Told of refusals.
    """
    found = {}
    for name, document in documents.items():
        try:
            cell = _with_sources(Cell.from_dict(document), lambda spec: _admitted(spec, folder, allow_code))
            _same_files(cell)
            found[name] = replace(cell, job=replace(cell.job, allow_unsafe=allow_unsafe)).placed(out)
        except (AutofixError, OSError) as error:
            say(f"{name}: left to other workers: {error}")
    return found


def _with_sources(cell: Cell, change: Callable[[str], str]) -> Cell:
    job, apart = cell.job, cell.job.validation_data
    validation_data = None if apart is None else change(apart)
    return replace(
        cell, job=replace(job, model=change(job.model), data=change(job.data), validation_data=validation_data)
    )


def _relative(spec: str, folder: Path) -> str:
    file = file_of(spec)
    if file is None:
        return spec
    path = Path(file).resolve()
    below = path.relative_to(folder) if path.is_relative_to(folder) else path
    return f"{below}{spec[len(file) :]}"


def _admitted(spec: str, folder: Path, allow_code: bool) -> str:
    if names_code(spec) and not allow_code:
        raise FixYourCall(f"the study names code to run: {spec!r}. Pass --allow-code if you trust whoever wrote it.")
    file = file_of(spec)
    if file is None:
        return spec
    path = (folder / file).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise FixYourCall(
            f"the study names a file outside of {str(folder)!r}: {file!r}. Pass another --folder to allow it."
        )
    if not path.exists():
        raise FixYourCall(f"there is no {file!r} in {str(folder)!r}. Copy the files of the sweep, or pass --folder.")
    return resolved(spec, folder.resolve())


def _same_files(cell: Cell) -> None:
    if inputs_of(cell.job) != cell.inputs:
        raise FixYourCall("its model or data is not the same as where the sweep was begun. Copy the files again.")
