"""MLflow: a repair as a run. Needs the extra `mlflow`.

    import mlflow
    from autofix.integrations.mlflow import log

    mlflow.set_experiment("digits")
    log(result, example=x[:5])

The changes are parameters, scores of before and after are metrics, curves are metrics by epoch, change log and patch
are artifacts, and the model is a model.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from autofix.integrations import needed
from autofix.integrations.record import Record
from autofix.store import folder as names
from autofix.trace import Trace

if TYPE_CHECKING:
    from autofix.result import RepairResult

BATCH = 1_000  # metrics that MLflow takes in one call
LONGEST = 500  # characters of a parameter that every store of MLflow takes
# Files of a run folder that are worth keeping with the run.
KEPT = (names.MODEL, names.HISTORY, names.RUN, names.JOURNAL, "report.html")


def log(
    source: RepairResult | str | os.PathLike[str],
    *,
    name: str | None = None,
    example: Any = None,
    registered_name: str | None = None,
) -> str:
    """Logs a repair to MLflow: into the active run, or a new one of the experiment that is set.

    Args:
        source: A result, or the run folder of a repair. Of a folder, the model is kept as the file it is.
        name: Name of a new run.
        example: A few rows of input: the signature of the model is told from them.
        registered_name: Name to register the model under.

    Returns:
        The id of the run.

    Raises:
        NotInstalled: If MLflow is not installed.
        FixYourCall: If there is no finished repair in the run folder.
    """
    mlflow = needed("mlflow", "mlflow")
    record = Record.of(source)
    active = mlflow.active_run()
    if active is None:
        with mlflow.start_run(run_name=name or f"autofix {record.status}"):
            return _log(mlflow, record, source, example, registered_name)
    return _log(mlflow, record, source, example, registered_name)


def _log(mlflow: Any, record: Record, source: Any, example: Any, registered_name: str | None) -> str:
    run = str(mlflow.active_run().info.run_id)
    symptoms = sorted({str(item["symptom"]) for item in record.findings})
    mlflow.set_tags(
        {"autofix.status": record.status, "autofix.verdict": record.verdict, "autofix.symptoms": ", ".join(symptoms)}
    )
    mlflow.log_params({f"change/{path}": str(value)[:LONGEST] for path, value in record.parameters.items()})
    mlflow.log_params({"autofix.metric": record.metric, **{f"version/{k}": v for k, v in record.versions.items()}})
    _metrics(mlflow, run, record)
    mlflow.log_text(record.change_log, names.CHANGE_LOG)
    mlflow.log_text(record.patch.to_yaml(), names.PATCH)
    mlflow.log_dict({"diagnosis": [dict(item) for item in record.findings]}, names.DIAGNOSIS)
    if record.folder is not None:
        for file in KEPT:
            if (record.folder / file).is_file():
                mlflow.log_artifact(str(record.folder / file))
        return run
    keras_flavour, signature = needed("mlflow.keras", "mlflow"), None
    if example is not None:
        signature = mlflow.models.infer_signature(example, np.asarray(source.model.predict(example, verbose=0)))
    keras_flavour.log_model(source.model, name="model", signature=signature, registered_model_name=registered_name)
    return run


def _metrics(mlflow: Any, run: str, record: Record) -> None:
    """Logs scores once and curves by epoch, in as few calls as MLflow allows."""
    kind = mlflow.entities.Metric
    found = [(name, value, 0) for name, value in record.numbers.items()]
    for role, outcome in record.curves():
        assert outcome.trace is not None
        found += [(f"{role}.{name}", value, step) for name, value, step in _curves(outcome.trace)]
    # MLflow's databases have no infinity.
    metrics = [kind(name, value, timestamp=0, step=step) for name, value, step in found if math.isfinite(value)]
    client = mlflow.MlflowClient()
    for start in range(0, len(metrics), BATCH):
        client.log_batch(run, metrics=metrics[start : start + BATCH])


def _curves(trace: Trace) -> Iterator[tuple[str, float, int]]:
    """Yields name, value and epoch: scores as they were taken, and the mean loss of each epoch."""
    for epoch, score in zip(trace.scored_epochs, trace.epoch_scores, strict=False):
        yield "score", score, round(epoch)
    length = max(1, trace.steps_per_epoch)
    for epoch, start in enumerate(range(0, trace.steps, length), 1):
        yield "loss", float(np.mean(trace.loss[start : start + length])), epoch
