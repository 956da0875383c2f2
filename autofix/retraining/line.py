"""The last line of `autofix retrain`, which is also its line in the history."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from autofix.exits import Exit
from autofix.retraining.asked import Answer
from autofix.retraining.decision import Decision, Status
from autofix.retraining.models import Models

Document = dict[str, Any]

# Features whose drift is told, the largest first; all of them are in the metrics of the version.
TOLD = 10


def blank(models: Models | None = None) -> Document:
    """Returns the last line with everything that it always has."""
    return {
        "status": None,
        "exit_code": None,
        "promoted": False,
        "repeated": False,
        "reason": None,
        "version": None,
        "current": None,
        "champion": None,
        "verdict": None,
        "metric": None,
        "scores": None,
        "test": None,
        "drift": None,
        "fingerprint": None,
        "notes": [],
        "models": None if models is None else str(models.root.absolute()),
    }


def ended(status: Status, code: Exit, reason: str) -> Document:
    """Returns the part of the last line that says how it ended."""
    return {
        "status": status.name.lower(),
        "exit_code": int(code),
        "promoted": status is Status.PROMOTED,
        "reason": reason,
    }


def decided(answer: Answer, decision: Decision, models: Models, version: int | None, champion: int | None) -> Document:
    """Returns the line of a training that came to a decision.

    Args:
        answer: What came of it.
        decision: What is done.
        models: The folder of models.
        version: Number of the challenger's version; None where there is no new model.
        champion: The version that it was compared with.
    """
    return {
        **blank(models),
        **ended(decision.status, decision.exit, decision.reason),
        "time": now(),
        "version": version,
        "current": version if decision.promotes else champion,
        "champion": champion,
        "verdict": answer.verdict,
        "metric": answer.metric,
        "scores": {
            "challenger": _score(answer.challenger),
            "champion": _score(answer.champion),
            "chance": answer.chance,
        },
        "test": None if answer.contest is None else dict(answer.contest),
        "drift": _drift(answer),
        "fingerprint": answer.fingerprint,
        "rows": {"train": answer.rows[0], "holdout": answer.rows[1]},
        "changes": list(answer.changes),
        "findings": list(answer.findings),
        "notes": list(answer.notes),
    }


def now() -> str:
    """Returns the time as text, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _score(standing: Mapping[str, Any] | None) -> float | None:
    return None if standing is None else standing["score"]


def _drift(answer: Answer) -> Document | None:
    if answer.drift is None:
        return None
    features = dict(list(answer.drift["features"].items())[:TOLD])
    return {**answer.drift, "features": features, "drifted": len(answer.drift["features"]), "text": answer.drift_text}
