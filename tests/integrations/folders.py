"""Run folders as a repair leaves them, made from a result that is at hand."""

from __future__ import annotations

from pathlib import Path

import optuna

from autofix import files
from autofix.result import RepairResult
from autofix.store import folder as names
from autofix.store.ledger import Ledger


def written(result: RepairResult, folder: Path) -> Path:
    """Writes what the integrations read of a run folder."""
    document = result.to_dict()
    trials, found, ranged = document.pop("trials"), document.pop("diagnosis"), document.pop("range_test")
    files.write_json(folder / names.METRICS, {**document, "trials": len(trials)})
    files.write_json(folder / names.DIAGNOSIS, {"diagnosis": found, "range_test": ranged})
    files.write_text(folder / names.PATCH, result.patch.to_yaml())
    files.write_text(folder / names.CHANGE_LOG, f"# REPAIRED\n\n{result}\n")
    files.write_text(folder / names.HISTORY, "seed,role,epoch,score,loss\n")
    ledger = Ledger(folder / names.TRIALS)
    for number, trial in enumerate(result.trials):
        ledger.add({"number": number}, began=0.0, ended=1.0, outcome=trial)
    backend = optuna.storages.journal.JournalFileBackend(str(folder / names.JOURNAL))
    storage = optuna.storages.JournalStorage(backend)
    study = optuna.create_study(study_name="digits", storage=storage, direction="maximize")
    study.add_trials(result.study.get_trials())
    return folder
