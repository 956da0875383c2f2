"""What the process that trains is asked for, and what it answers: plain data, so that it can be written down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from autofix.frozen import FrozenDict


@dataclass(frozen=True)
class Asked:
    """One training.

    Attributes:
        model: The model to train, as a job names it.
        champion: The saved model that serves; None before the first.
        encoding: How the columns of a table became numbers for the champion, as JSON data; None to begin anew.
        data: The fresh data, as a job names it.
        target_column: The column to predict.
        drop_columns: Columns to leave out.
        holdout: Data set apart for the comparison; None to hold rows of `data` out.
        share: Share of the rows to hold out.
        by: "content" or "last": which ones.
        fit: Settings of `fit` that are known, as a recipe writes them; class weights by label.
        labels: One entry an output: the labels in column order where a repair encodes the targets of `model`, or None.
        champion_labels: Those of the champion.
        settings: Metric, target, budget, strategies, weights: those of a repair that were given.
        seed: Seed of everything.
        jobs: Candidates trained at the same time.
        allow_unsafe: Whether the model may hold Lambda layers.
        profile: How the champion's data was spread, as JSON data.
        drift: Index from which a feature counts as drifted.
        known: Fingerprints of data that needs no training again.
    """

    model: str
    champion: str | None
    data: str
    encoding: Mapping[str, Any] | None = None
    target_column: str | None = None
    drop_columns: tuple[str, ...] = ()
    holdout: str | None = None
    share: float = 0.2
    by: str = "content"
    fit: Mapping[str, Any] = field(default_factory=FrozenDict)
    labels: tuple[Any, ...] | None = None
    champion_labels: tuple[Any, ...] | None = None
    settings: Mapping[str, Any] = field(default_factory=FrozenDict)
    seed: int = 0
    jobs: int = 1
    allow_unsafe: bool = False
    profile: Mapping[str, Any] | None = None
    drift: float = 0.25
    known: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Returns plain data for JSON."""
        return {item.name: _plain(getattr(self, item.name)) for item in fields(self)}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Asked:
        """Reads what `to_dict` wrote."""
        tuples = {"drop_columns": tuple(document["drop_columns"]), "known": tuple(document["known"])}
        return cls(**{**document, **tuples})


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


@dataclass(frozen=True)
class Answer:
    """What came of a training.

    Attributes:
        fingerprint: That of the data.
        repeated: Whether that data is known, so that nothing was trained.
        verdict: Name of the verdict of the repair, in lower case.
        sentence: It in words.
        metric: Name of the metric.
        challenger: How the new model stands, as JSON data; None where there is none.
        champion: How the champion stands; None where there is none.
        contest: The paired test of the two; None unless both are there.
        chance: Score of guessing on the holdout.
        drift: What has drifted, as JSON data; None without a champion.
        drift_text: It in words.
        rows: Rows trained on, and rows of the holdout.
        fit: Settings of `fit` that the challenger was trained with; class weights by label.
        labels: One entry an output: its labels in column order where its targets are encoded, else None.
        changes: What a repair changed, a line each.
        findings: What was wrong, a line each.
        notes: Sentences that qualify the answer.
        seconds: Wall time of the training process.
        error: Why there is no answer; None where there is one.
        exit_code: Exit code that belongs to the error; 0 without one.
    """

    fingerprint: str = ""
    repeated: bool = False
    verdict: str = ""
    sentence: str = ""
    metric: str = ""
    challenger: Mapping[str, Any] | None = None
    champion: Mapping[str, Any] | None = None
    contest: Mapping[str, Any] | None = None
    chance: float = 0.0
    drift: Mapping[str, Any] | None = None
    drift_text: str = ""
    rows: tuple[int, int] = (0, 0)
    fit: Mapping[str, Any] = field(default_factory=FrozenDict)
    labels: tuple[Any, ...] | None = None
    changes: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    error: str | None = None
    exit_code: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Returns plain data for JSON."""
        return {item.name: _plain(getattr(self, item.name)) for item in fields(self)}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Answer:
        """Reads what `to_dict` wrote."""
        tuples = {name: tuple(document[name]) for name in ("rows", "changes", "findings", "notes")}
        return cls(**{**document, **tuples})
