"""`Record`: a finished repair as the integrations write it, whether it is at hand or lies in a run folder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from autofix.change import Change, Patch
from autofix.errors import FixYourCall
from autofix.frozen import thaw
from autofix.outcome import Outcome, Status
from autofix.report.change_log import markdown
from autofix.report.words import value_text as show
from autofix.store.folder import RunFolder

if TYPE_CHECKING:
    from autofix.result import RepairResult

ROLES = ("before", "after", "control")


@dataclass(frozen=True, eq=False)
class Record:
    """A finished repair.

    Attributes:
        status: The verdict's name in lower case.
        verdict: The verdict as a sentence.
        metric: Name of the metric.
        scores: Mean, spread and values by role ("before", "after", "control"), as far as they were measured.
        patch: What was changed.
        findings: What was wrong, as `Diagnosis.to_dict` writes it.
        change_log: The change log as Markdown.
        trials: Every run.
        before: A run of the program as it came, with its trace; None where none has one.
        after: A run with the patch, or the best one, with its trace; None where none has one.
        range_test: The learning-rate range test as `RangeTest.to_dict` writes it; empty where none was made.
        seconds: What the repair took.
        versions: Of the libraries.
        folder: The run folder; None for a result at hand.
    """

    status: str
    verdict: str
    metric: str
    scores: Mapping[str, Mapping[str, Any]]
    patch: Patch
    findings: Sequence[Mapping[str, Any]]
    change_log: str
    trials: Sequence[Outcome] = ()
    before: Outcome | None = None
    after: Outcome | None = None
    range_test: Mapping[str, Sequence[float]] = field(default_factory=dict)
    seconds: float = 0.0
    versions: Mapping[str, str] = field(default_factory=dict)
    folder: RunFolder | None = None

    @classmethod
    def of(cls, source: RepairResult | str | os.PathLike[str]) -> Record:
        """Reads a result, or the run folder at a path.

        Raises:
            FixYourCall: If there is no finished repair in the folder.
        """
        return _read(RunFolder.at(source)) if isinstance(source, str | os.PathLike) else _taken(source)

    @property
    def parameters(self) -> dict[str, str | float]:
        """What was changed, as parameters: path and new value."""
        return parameters(self.patch)

    @property
    def numbers(self) -> dict[str, float]:
        """Every score and its spread by name, and what the repair took."""
        found: dict[str, float] = {"seconds": self.seconds, "trials": float(len(self.trials))}
        for role, measured in self.scores.items():
            found[f"{role}.{self.metric}"] = float(measured["mean"])
            found[f"{role}.{self.metric}.spread"] = float(measured["spread"])
        return found

    def curves(self) -> Iterator[tuple[str, Outcome]]:
        """Yields "before" and "after" with the run whose trace shows it."""
        for role, outcome in (("before", self.before), ("after", self.after)):
            if outcome is not None and outcome.trace is not None:
                yield role, outcome


def parameters(patch: Patch) -> dict[str, str | float]:
    """Returns path and new value of every change: numbers as they are, anything else as short as it is shown."""
    return {change.path: _value(change) for change in patch}


def _value(change: Change) -> str | float:
    after = thaw(change.after)
    return after if isinstance(after, int | float | str) else show(after)


def _taken(result: RepairResult) -> Record:
    seen = [trial for trial in result.trials if trial.trace is not None]
    document = result.to_dict()
    return Record(
        status=result.status,
        verdict=result.verdict.value,
        metric=result.metric,
        scores={role: document[role] for role in ROLES if document.get(role)},
        patch=result.patch,
        findings=document["diagnosis"],
        change_log=markdown(result),
        trials=result.trials,
        before=next((trial for trial in reversed(seen) if not trial.patch), None),
        after=_shows(seen, result.patch) if result.patch else None,
        range_test=document["range_test"] or {},
        seconds=result.seconds,
        versions=document["versions"],
    )


def _shows(seen: Sequence[Outcome], patch: Patch) -> Outcome | None:
    """Returns a run of the patch that has a trace; the best other one where what was left out went unwatched."""
    same = next((trial for trial in reversed(seen) if trial.patch == patch), None)
    done = [trial for trial in seen if trial.patch and trial.status is Status.DONE]
    return same or max(done, key=lambda trial: trial.rank, default=None)


def _read(folder: RunFolder) -> Record:
    document = folder.result_document()
    if not document:
        raise FixYourCall(
            f"a run folder must hold a finished repair. Received: {folder.path}, which holds none. Pass the folder "
            "that `autofix repair` wrote, once it is done."
        )
    (before, after), found = folder.before_and_after(), folder.diagnosis_document()
    return Record(
        status=str(document["status"]),
        verdict=str(document.get("verdict", "")),
        metric=str(document["metric"]),
        scores={role: document[role] for role in ROLES if document.get(role)},
        patch=folder.patch(),
        findings=found.get("diagnosis") or (),
        change_log=folder.change_log(),
        trials=folder.trials(),
        before=before,
        after=after,
        range_test=found.get("range_test") or {},
        seconds=float(document.get("seconds") or 0.0),
        versions=document.get("versions") or {},
        folder=folder,
    )
