"""One job from its texts to its run folder: load, repair, say how it ended."""

from __future__ import annotations

import logging
import traceback
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from autofix.errors import AutofixError, one_line
from autofix.exits import Exit, exit_of
from autofix.files import write_json
from autofix.job import Job
from autofix.progress import Narrator
from autofix.sources.loaded import Loaded, Table

if TYPE_CHECKING:
    from autofix.hints import ModelHints
    from autofix.result import RepairResult

logger = logging.getLogger(__name__)

# Names in a run folder.
METRICS = "metrics.json"
ENCODING = "encoding.json"
# What a verdict is to the shell. An improvement is proven and written out; what is missing to more is told by the
# verdict, and by the exit code only if the job names a score that it had to reach.
VERDICTS = {
    "healthy": Exit.DONE,
    "repaired": Exit.DONE,
    "improved": Exit.DONE,
    "unrepaired": Exit.NO_REPAIR,
    "out_of_budget": Exit.NO_REPAIR,
    "unusable": Exit.UNUSABLE,
}


def execute(job: Job, *, tell: Narrator) -> Exit:
    """Loads model and data, repairs into the run folder, and writes there how it ended. Imports TensorFlow.

    Args:
        job: What to do.
        tell: Told of the progress.

    Returns:
        How it ended; what there is to say about it is in the run folder, in `metrics.json`.

    Raises:
        OSError: If the run folder cannot be written to.
    """
    try:
        result = _repaired(job, tell)
    except KeyboardInterrupt:
        return failed(job, Exit.INTERRUPTED, "interrupted; run the same command again to go on")
    except AutofixError as error:
        return failed(job, exit_of(error), str(error))
    except Exception as error:  # whatever the user's own code or data does
        logger.debug("the job ended with an error", exc_info=True)
        return failed(job, exit_of(error), one_line(error), traceback.format_exc())
    return ended(result, job)


def failed(job: Job, code: Exit, message: str, details: str | None = None) -> Exit:
    """Writes into the run folder that a job ended without a result, and why."""
    status = "interrupted" if code in (Exit.INTERRUPTED, Exit.TERMINATED) else "failed"
    document = {"status": status, "error": message, "traceback": details, "exit_code": int(code)}
    write_json(Path(job.out) / METRICS, document)
    return code


def ended(result: RepairResult, job: Job) -> Exit:
    """Returns what a result is to the shell."""
    code = VERDICTS[result.status]
    reached = result.after is not None and (job.target is None or result.after.mean >= job.target)
    if result.status == "improved" and not reached:
        return Exit.NO_REPAIR
    return code


def _repaired(job: Job, tell: Narrator) -> RepairResult:
    from autofix.api import repair
    from autofix.sources.model import hints_for, load_model

    tell("reading the model")
    model = load_model(job.model, allow_unsafe=job.allow_unsafe)
    tell("reading the data")
    loaded = load(job, hints_for(model))
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
    )
    if loaded.encoding is not None:
        write_json(Path(job.out) / ENCODING, loaded.encoding.to_dict())
    result.save(job.out)
    document = {key: value for key, value in result.to_dict().items() if key not in ("recipe", "trials")}
    document["notes"] = [*loaded.notes, *document["notes"]]
    write_json(Path(job.out) / METRICS, {**document, "exit_code": int(ended(result, job))})
    return result


def load(job: Job, hints: ModelHints) -> Loaded:
    """Loads the data of a job in the form that its model takes; validation data by the same encoding."""
    from autofix.sources.data import load_data

    table = Table(job.target_column, job.drop_columns)
    loaded = load_data(job.data, hints=hints, table=table)
    if job.validation_data is None:
        return loaded
    apart = load_data(job.validation_data, hints=hints, table=replace(table, encoding=loaded.encoding))
    return replace(loaded, validation_data=apart.data, notes=(*loaded.notes, *apart.notes))
