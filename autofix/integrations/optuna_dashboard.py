"""optuna-dashboard: the change log as the note of the study, and of each trial what it changed and how it ended.

    from autofix.integrations import optuna_dashboard

    optuna_dashboard.annotate("runs/digits")  # then: optuna-dashboard runs/digits/optuna.journal

Notes are kept in the study itself, in the form in which the dashboard reads them; it need not be installed here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from autofix.errors import FixYourCall
from autofix.integrations.record import Record
from autofix.report.words import value_text as show
from autofix.store import folder as names

if TYPE_CHECKING:
    import optuna

    from autofix.result import RepairResult

# How the dashboard keeps notes (all of its versions since 0.8, 2022): a version that grows with each writing, and the
# text in pieces, as some databases bound the length of a value.
PIECE = 2045


def annotate(source: RepairResult | str | os.PathLike[str], study: optuna.Study | None = None) -> optuna.Study:
    """Writes the change log and the story of each trial into a study, as notes for optuna-dashboard.

    Args:
        source: A result, or the run folder of a repair.
        study: The study of the repair. Left out, it is that of the result, or the journal in the run folder.

    Returns:
        The study.

    Raises:
        FixYourCall: If there is no finished repair in the folder, or no study.
    """
    record = Record.of(source)
    if study is None:
        study = _journal(record) if isinstance(source, str | os.PathLike) else source.study
    if study is None:
        raise FixYourCall(
            "`source` must be a repair that searched. Received: one that was decided without a search, so that there "
            "is no study to annotate."
        )
    _note(study, None, record.change_log)
    for trial in study.get_trials(deepcopy=False):
        _note(study, trial._trial_id, _of_trial(trial.number, trial.user_attrs, trial.value))
    return study


def _journal(record: Record) -> optuna.Study | None:
    import optuna
    from optuna.storages.journal import JournalFileBackend

    assert record.folder is not None
    path = record.folder / names.JOURNAL
    if not path.exists():
        return None
    storage = optuna.storages.JournalStorage(JournalFileBackend(str(path)))
    studies = storage.get_all_studies()
    return optuna.load_study(study_name=studies[0].study_name, storage=storage) if studies else None


def _of_trial(number: int, attributes: Mapping[str, Any], value: float | None) -> str:
    """Returns the note of a trial, as Markdown."""
    score = "none" if value is None else f"{value:.4f}"
    lines = [f"Trial {number}: {attributes.get('status', 'not finished')}, score {score}"]
    if "seconds" in attributes:
        lines[0] += f", {attributes['seconds']:.1f} s"
    changes = attributes.get("patch", {}).get("changes", ())
    lines += [f"- `{item['path']}`: {show(item['before'])} → {show(item['after'])}" for item in changes]
    if not changes:
        lines.append("- the program as it came")
    for name in ("error", "reason"):
        if attributes.get(name):
            lines += ["", f"**{name}**: {attributes[name]}"]
    return "\n".join(lines)


def _note(study: optuna.Study, trial: int | None, body: str) -> None:
    """Writes the note of the study, or of the trial with an id, in place of what was there."""
    storage, key = study._storage, study._study_id
    prefix = "dashboard:" if trial is None else f"dashboard:{trial}:"
    known = storage.get_study_system_attrs(key)
    pieces = [body[start : start + PIECE] for start in range(0, len(body), PIECE)]
    for place, piece in enumerate(pieces):
        storage.set_study_system_attr(key, f"{prefix}note_str:{place}", piece)
    longer = sum(name.startswith(f"{prefix}note_str:") for name in known)
    for place in range(len(pieces), longer):
        storage.set_study_system_attr(key, f"{prefix}note_str:{place}", "")
    storage.set_study_system_attr(key, f"{prefix}note_ver", known.get(f"{prefix}note_ver", 0) + 1)
