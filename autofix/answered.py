"""Jobs that were done before with the very same files: their answer is in the run folder. No TensorFlow."""

from __future__ import annotations

from typing import Any

from autofix.exits import Exit
from autofix.files import write_json
from autofix.job import Job
from autofix.sources.fingerprint import identify
from autofix.sources.spec import code_of
from autofix.store.folder import FINISHED, METRICS, MODEL, RunFolder
from autofix.versions import counting, versions

# Name in the run folder.
JOB = "job.json"
# What changes how a job is done, not what comes of it.
ANYHOW = ("out", "jobs", "storage")


def note(job: Job, code: Exit) -> None:
    """Writes into the run folder what was asked, of which files, and how it ended.

    Code is left out: what a function builds or loads may change without its file.

    Raises:
        OSError: If it cannot be written.
    """
    asked = _asked(job)
    if asked is not None:
        write_json(RunFolder.at(job.out) / JOB, {**asked, "exit": int(code)})


def answered(job: Job) -> Exit | None:
    """Returns how the same job ended that is finished in its run folder; None where it has to be done."""
    folder = RunFolder.at(job.out)
    before = folder.document(JOB)
    whole = (folder / METRICS).exists() and (not folder.patch() or (folder / MODEL).exists())
    if not before or not whole or folder.state() != FINISHED:
        return None
    code = before.pop("exit", None)
    return Exit(code) if before == _asked(job) and code in set(Exit) else None


def _asked(job: Job) -> dict[str, Any] | None:
    named = {"model": job.model, "data": job.data, "validation_data": job.validation_data}
    if any(spec is not None and code_of(spec) is not None for spec in named.values()):
        return None
    return {
        "job": {name: value for name, value in job.to_dict().items() if name not in ANYHOW},
        "files": {name: None if spec is None else identify(spec) for name, spec in named.items()},
        "versions": counting(versions()),
    }
