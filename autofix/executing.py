"""One job from its texts to its run folder: load, repair, say how it ended."""

from __future__ import annotations

import contextlib
import logging
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from autofix.answered import note
from autofix.errors import AutofixError, FixTheCrash, FixYourCall, TryLater, of_the_machine, one_line
from autofix.exits import Exit, exit_of
from autofix.files import write_json
from autofix.job import Job
from autofix.progress import Narrator
from autofix.sources.loaded import Loaded, Table
from autofix.store.folder import LOCK, METRICS, RunFolder

if TYPE_CHECKING:
    from autofix.hints import ModelHints
    from autofix.result import RepairResult

# Names in a run folder, beside those of `autofix.store.folder`.
ENCODING = "encoding.json"
LOG = "autofix.log"


def execute(job: Job, *, tell: Narrator) -> Exit:
    """Loads model and data, and repairs into the run folder. Imports TensorFlow.

    Args:
        job: What to do.
        tell: Told of the progress.

    Returns:
        How it ended; what there is to say about it is in the run folder, in `metrics.json`.

    Raises:
        AutofixError: If there is no result, with the reason. Nothing is written where model or data are at fault.
    """
    folder = RunFolder.at(job.out)
    nearest = next(path for path in (folder.path, *folder.path.parents) if path.exists())
    if not nearest.is_dir():
        raise FixYourCall(f"`out` must be a folder. Received: {job.out!r}, and {nearest} is a file. Name another one.")
    links = sorted(item.name for item in folder.path.iterdir() if item.is_symlink()) if folder.path.is_dir() else []
    if links:  # a log and a journal are appended to, wherever they lead
        raise FixYourCall(
            f"what is written into a run folder must stay in it. Received: {job.out!r} with {links[0]!r}, a link to "
            "elsewhere. Remove it, or name another --out."
        )
    missing = [path for path in (folder.path, *folder.path.parents) if not path.exists()]
    try:
        with crashes_told("the repair"):
            result = _repaired(job, folder, tell)
    except BaseException:
        if missing:
            _leave(folder, missing)
        raise
    reached = job.target is None or (result.after is not None and result.after.mean >= job.target)
    code = result.exit if reached or result.exit is not Exit.DONE or not result.patch else Exit.NO_REPAIR
    with contextlib.suppress(OSError, FixYourCall):  # it is only asked again then; files may have gone meanwhile
        note(job, code)
    return code


@contextlib.contextmanager
def crashes_told(what: str) -> Iterator[None]:
    """Names whatever the user's own code does, in a place where nobody expects it, as the end of `what`.

    Raises:
        TryLater: If the machine is at fault.
        FixTheCrash: If something else is, and it has no name of its own.
    """
    try:
        yield
    except AutofixError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and exit_of(error) is Exit.TRY_LATER:
            raise TryLater(of_the_machine(error)) from error
        raise FixTheCrash(f"{what} ended with an error: {one_line(error)}.", traceback.format_exc()) from error


def _repaired(job: Job, folder: RunFolder, tell: Narrator) -> RepairResult:
    from autofix.api import repair
    from autofix.sources.model import hints_for, load_model

    tell("reading the model")
    model = load_model(job.model, allow_unsafe=job.allow_unsafe)
    tell("reading the data")
    table = Table(job.target_column, job.drop_columns)
    loaded = load(job.data, job.validation_data, table, hints_for(model))
    with _logging_to(folder / LOG):
        result = repair(
            model,
            loaded.data,
            validation_data=loaded.validation_data,
            epochs=job.epochs,
            batch_size=job.batch_size,
            class_weight=job.class_weight,
            shuffle=job.shuffle,
            metric=job.metric,
            target=job.target,
            budget=job.budget,
            strategies=job.strategies,
            weights=job.weights,
            seed=job.seed,
            progress=tell,
            out=job.out,
            storage=job.storage,
            jobs=job.jobs,
        )
    if loaded.encoding is not None:
        write_json(folder / ENCODING, loaded.encoding.to_dict())
    metrics = folder.result_document()
    notes = list(dict.fromkeys([*loaded.notes, *metrics.get("notes", ())]))
    if metrics and notes != metrics.get("notes"):
        write_json(folder / METRICS, {**metrics, "notes": notes})
    return result


def load(data: str, validation_data: str | None, table: Table, hints: ModelHints) -> Loaded:
    """Loads data in the form that a model takes it; validation data by the same encoding."""
    from autofix.sources.data import load_data

    loaded = load_data(data, hints=hints, table=table)
    if validation_data is None:
        return loaded
    apart = load_data(validation_data, hints=hints, table=replace(table, encoding=loaded.encoding))
    return replace(loaded, validation_data=apart.data, notes=(*loaded.notes, *apart.notes))


@contextlib.contextmanager
def _logging_to(path: Path) -> Iterator[None]:
    """Keeps what autofix logs in the run folder; the file is made with the first line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    log = logging.getLogger("autofix")
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
        handler.close()


def _leave(folder: RunFolder, made: Sequence[Path]) -> None:
    """Removes folders again, the innermost first, if nothing was begun in them."""
    if folder.path.is_dir() and {item.name for item in folder.path.iterdir()} <= {LOCK, LOG}:
        for item in folder.path.iterdir():
            item.unlink()
        for path in made:
            with contextlib.suppress(OSError):  # somebody else has begun something beside it
                path.rmdir()
