"""The files of a result: written from a `RepairResult`, and read back into one."""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from autofix import files
from autofix.confirm import Measured
from autofix.errors import FixYourCall
from autofix.frozen import FrozenDict
from autofix.report.change_log import markdown
from autofix.result import RepairResult, Verdict
from autofix.store import folder as names
from autofix.store import written
from autofix.store.curves import COLUMNS, history
from autofix.store.folder import RunFolder
from autofix.symptom import Diagnosis, Symptom

if TYPE_CHECKING:
    import keras
    import optuna

    from autofix.change import Patch
    from autofix.given import Given

logger = logging.getLogger(__name__)


def write(result: RepairResult, folder: RunFolder) -> None:
    """Writes the files of a result, each whole or not at all.

    `metrics.json` is written last: where it is, the others are. `repaired.keras` is there only if something was
    changed, and one of an earlier result goes.

    Args:
        result: What came of a repair.
        folder: Where to write; files of the same names are replaced.

    Raises:
        OSError: If something cannot be written.
    """
    documents = result.to_dict()
    trials, recipe = documents.pop("trials"), documents.pop("recipe")
    changes, diagnosis = documents.pop("changes"), documents.pop("diagnosis")
    test = documents.pop("range_test")
    if result.patch:
        with files.replacing(folder / names.MODEL) as draft:
            result.model.save(draft)
    else:
        (folder / names.MODEL).unlink(missing_ok=True)
    files.write_text(folder / names.PATCH, result.patch.to_yaml())
    files.write_text(folder / names.CHANGE_LOG, markdown(result))
    log = {"status": result.status, "metric": result.metric, "changes": changes, "recipe": recipe}
    files.write_json(folder / names.CHANGES, log)
    files.write_json(folder / names.DIAGNOSIS, {"status": result.status, "diagnosis": diagnosis, "range_test": test})
    files.write_text(folder / names.HISTORY, _table(history(result.trials, result.patch)))
    files.write_json(folder / names.METRICS, {**documents, "trials": len(trials)})


def read(folder: RunFolder, given: Given, example: Any) -> RepairResult:
    """Returns the result of a finished repair, with its model.

    The model is built from the recipe, and only the weights are taken from `repaired.keras`: nothing that a file says
    is run.

    Args:
        folder: A run folder whose state is `finished`.
        given: The user's model, to be handed back where nothing was changed, and what was read with it.
        example: A few rows of input.

    Raises:
        FixYourCall: If a file is missing or cannot be read.
    """
    from autofix.store.studies import in_memory

    document, found = folder.result_document(), folder.diagnosis_document()
    run, patch, targets = folder.run_document(), folder.patch(), given.facts.targets
    try:
        kept = _trials(folder, run)
        test = found["range_test"]
        return RepairResult(
            verdict=Verdict[document["status"].upper()],
            model=_model(folder, given, patch, example),
            patch=patch,
            diagnosis=tuple(_diagnosis(item) for item in found["diagnosis"]),
            before=_measured(document["before"]),
            after=_measured(document["after"]),
            control=_measured(document["control"]),
            metric=document["metric"],
            trials=tuple(folder.trials()),
            study=in_memory(kept) if kept else None,
            recipe=given.recipe,
            classes=targets[0].classes or None if len(targets) == 1 else None,
            range_test=None if test is None else written.to_range_test(test),
            notes=tuple(document["notes"]),
            next_steps=tuple(document["next_steps"]),
            seconds=document["seconds"],
            traces=document["traces"],
            retrained=document["retrained"],
            versions=document["versions"],
        )
    except (LookupError, TypeError, ValueError, OSError) as error:
        raise FixYourCall(
            f"a finished run folder must hold all files of its result. Received: {folder.path} ({error!r}). Delete "
            f"`{names.RUN}` in it and run this again: what was trained is not trained again."
        ) from error


def _trials(folder: RunFolder, run: Mapping[str, Any]) -> list[optuna.trial.FrozenTrial]:
    """Returns the trials of the search; none where they are elsewhere or cannot be read, which spoils no result."""
    from autofix.store.studies import in_journal

    if run.get("storage"):
        return []
    try:
        return in_journal(folder / names.JOURNAL, run["study"]).get_trials()
    except FixYourCall as error:
        logger.warning("The result comes without its study: %s", error)
        return []


def _model(folder: RunFolder, given: Given, patch: Patch, example: Any) -> keras.Model:
    if not patch:
        return given.model
    repaired = patch.apply(given.recipe).build(example=example)
    repaired.load_weights(folder / names.MODEL)
    repaired.optimizer.build(repaired.trainable_variables)
    return repaired


def _measured(document: Mapping[str, Any] | None) -> Measured | None:
    if document is None:
        return None
    outputs = tuple(document.get("outputs", {}).items())
    return Measured(document["mean"], document["spread"], tuple(document["values"]), outputs=outputs)


def _diagnosis(document: Mapping[str, Any]) -> Diagnosis:
    return Diagnosis(
        Symptom[document["symptom"].upper()],
        document["severity"],
        document["certainty"],
        document["evidence"],
        document["layer"],
        document["since_step"],
        FrozenDict(document["numbers"]),
        tuple(document["causes"]),
        tuple(document["strategies"]),
    )


def _table(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return text.getvalue()
