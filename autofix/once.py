"""A diagnosis, a check, a patch that is applied: what is over in one go, in a process below the command's own.

Each function is one that `autofix.supervisor.supervise` has a child call. The folder of its job is empty but for
`asked.json`, where something is asked for that a job does not hold; its answer is `metrics.json` in there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from autofix.executing import crashes_told, load
from autofix.exits import Exit
from autofix.files import replacing, write_json
from autofix.findings import Findings
from autofix.job import Job
from autofix.progress import Narrator
from autofix.sources.loaded import Loaded, Table
from autofix.store.folder import METRICS

# Name in the folder of the job.
ASKED = "asked.json"


def diagnose(job: Job, *, tell: Narrator) -> Exit:
    """Trains once and says what stalls it; imports TensorFlow."""
    from autofix.api import diagnose as diagnosed

    with crashes_told("the diagnosis"):
        model, loaded = _given(job, tell)
        found = diagnosed(
            model,
            loaded.data,
            validation_data=loaded.validation_data,
            epochs=job.epochs,
            batch_size=job.batch_size,
            class_weight=job.class_weight,
            shuffle=job.shuffle,
            metric=job.metric,
            weights=job.weights,
            seed=job.seed,
            progress=tell,
        )
    return _found(job, Findings.of(found, ()), loaded)


def check(job: Job, *, tell: Narrator) -> Exit:
    """Says what is wrong as far as it shows without training; imports TensorFlow. Without data, `job.data` is empty."""
    from autofix.preflight import check as checked

    with crashes_told("the check"):
        model, loaded = _given(job, tell)
        result = checked(
            model,
            loaded.data,
            epochs=job.epochs,
            batch_size=job.batch_size,
            class_weight=job.class_weight,
            shuffle=job.shuffle,
        )
    return _found(job, result, loaded)


def apply(job: Job, *, tell: Narrator) -> Exit:
    """Applies a patch, and trains what comes out where there are data; imports TensorFlow.

    `asked.json` names the patch and the file to write: `patch`, `model`.
    """
    from autofix.arguments import fit_settings
    from autofix.replaying import read_patch, replay, retrain
    from autofix.session import prepare

    asked = json.loads((Path(job.out) / ASKED).read_text(encoding="utf-8"))
    with crashes_told("the patched model"):
        patch = read_patch(Path(asked["patch"]), allow_unsafe=job.allow_unsafe)
        model, loaded = _given(job, tell)
        if not job.data:
            replayed = replay(patch, model)
        else:
            session = prepare(
                model,
                loaded.data,
                validation_data=loaded.validation_data,
                fit=fit_settings(job.epochs, job.batch_size, job.class_weight, job.shuffle),
                metric=job.metric,
                weights=job.weights,
                seed=job.seed,
            )
            tell("training the patched model")
            try:
                replayed = retrain(patch, session)
            finally:
                session.trainer.close()
        with replacing(asked["model"]) as draft:
            replayed.model.save(draft)
    document = {
        **patch.to_dict(),
        "model": asked["model"],
        "retrained": replayed.metric is not None,
        "weights_kept": replayed.kept,
        "weights": replayed.arrays,
        "metric": replayed.metric,
        "score": replayed.score,
        "for_fit": {change.key: change.to_dict()["after"] for change in patch if change.path.startswith("fit/")},
    }
    write_json(Path(job.out) / METRICS, document)
    return Exit.DONE


def _given(job: Job, tell: Narrator) -> tuple[Any, Loaded]:
    from autofix.sources.model import hints_for, load_model

    tell("reading the model")
    model = load_model(job.model, allow_unsafe=job.allow_unsafe)
    if not job.data:
        return model, Loaded(None)
    tell("reading the data")
    table = Table(job.target_column, job.drop_columns)
    return model, load(job.data, job.validation_data, table, hints_for(model))


def _found(job: Job, findings: Findings, loaded: Loaded) -> Exit:
    write_json(Path(job.out) / METRICS, {**findings.to_dict(), "told": list(loaded.notes)})
    return Exit.DONE if findings.ok else Exit.NO_REPAIR
