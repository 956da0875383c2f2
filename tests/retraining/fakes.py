"""A training that takes no time: it leaves the answer and a model of two lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from autofix import config
from autofix.exits import Exit
from autofix.retraining.asked import Answer, Asked
from autofix.retraining.config import Pipeline
from autofix.retraining.running import Ended, retrain
from autofix.retraining.work import ANSWER, CHALLENGER, Work

FIT = {"epochs": 15, "batch_size": 32, "shuffle": True, "class_weight": None, "oversample": False, "patience": None}


def standing(score: float, **changed: Any) -> dict[str, Any]:
    return {"score": score, "error": 0.01, "constant": False, "finite": True, **changed}


def contest(gain: float, p_value: float) -> dict[str, Any]:
    return {"gain": gain, "low": gain - 0.02, "high": gain + 0.02, "p_value": p_value, "rows": 400}


def answer(score: float = 0.9, champion: float | None = None, p_value: float = 0.001, **changed: Any) -> Answer:
    """The answer of a healthy training."""
    facts: dict[str, Any] = {
        "verdict": "healthy",
        "sentence": "Nothing is wrong with this run.",
        "metric": "balanced_accuracy",
        "challenger": standing(score),
        "champion": None if champion is None else standing(champion),
        "contest": None if champion is None else contest(score - champion, p_value),
        "chance": 0.5,
        "rows": (1600, 400),
        "fit": FIT,
        **changed,
    }
    return Answer(**facts)


def pipeline(folder: Path, rows: int = 3, **settings: Any) -> Pipeline:
    """A pipeline in a folder of its own, with `rows` as its data."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.py").write_text("def build(): ...\n")
    data(folder, rows)
    document = {"models": "models", "model": "model.py:build", "data": "data.npy", **settings}
    lines = [f"{key}: {value}" for key, value in document.items()]
    (folder / "pipeline.yaml").write_text("\n".join(lines))
    return config.read(folder / "pipeline.yaml", Pipeline)


def data(folder: Path, rows: int) -> None:
    np.save(folder / "data.npy", np.arange(rows))


@dataclass
class Fake:
    """Gives answers in turn.

    Attributes:
        answers: What came of each training; an exit code for one that ends without an answer.
        asked: What it was asked for.
    """

    answers: list[Answer | Ended]
    asked: list[Asked] = field(default_factory=list)

    def __call__(self, work: Work, asked: Asked) -> Ended:
        self.asked.append(asked)
        came = self.answers.pop(0)
        if isinstance(came, Ended):
            return came
        if came.challenger is not None:
            folder = work.folder / CHALLENGER
            folder.mkdir(exist_ok=True)
            (folder / "model.keras").write_text("first line\nlast line\n")
            Work(folder).write("data.json", {"features": [], "targets": [], "standing": came.challenger})
        fingerprint = came.fingerprint or str(len(np.load(asked.data)))
        repeated = fingerprint in asked.known
        work.write(ANSWER, {**came.to_dict(), "fingerprint": fingerprint, "repeated": repeated})
        return Ended(Exit(came.exit_code))


def run(settings: Pipeline, *answers: Answer | Ended, say: Callable[[str], None] = print, **options: Any) -> Any:
    """Retrains; returns the last line and what was asked."""
    fake = Fake(list(answers))
    return retrain(settings, train=fake, say=say, **options), fake.asked
