"""Run folders as a repair leaves them, made from a result that is at hand."""

from __future__ import annotations

from pathlib import Path

import optuna

from autofix.result import RepairResult
from autofix.store import folder as names
from autofix.store import results
from autofix.store.folder import RunFolder
from autofix.store.ledger import Ledger


def written(result: RepairResult, folder: Path) -> Path:
    """Writes what a repair leaves in its folder: the files of the result, every run, and the search."""
    results.write(result, RunFolder.at(folder))
    ledger = Ledger(folder / names.TRIALS)
    for number, trial in enumerate(result.trials):
        ledger.add({"number": number}, began=0.0, ended=1.0, outcome=trial)
    backend = optuna.storages.journal.JournalFileBackend(str(folder / names.JOURNAL))
    storage = optuna.storages.JournalStorage(backend)
    study = optuna.create_study(study_name="digits", storage=storage, direction="maximize")
    study.add_trials(result.study.get_trials())
    return folder
