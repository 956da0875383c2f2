"""`RepairResult`: what a repair hands back."""

from __future__ import annotations

import enum
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autofix.change import Change, Patch
from autofix.confirm import Measured
from autofix.exits import Exit
from autofix.outcome import Outcome
from autofix.recipe import Recipe
from autofix.report.words import count_text
from autofix.strategy import RangeTest
from autofix.symptom import Diagnosis

if TYPE_CHECKING:
    import keras
    import optuna


class Verdict(enum.Enum):
    """How a repair ended; the value is the sentence that the user reads."""

    HEALTHY = "Nothing is wrong with this run; the model is yours, untouched."
    REPAIRED = "The run is repaired."
    IMPROVED = "The run is better than it was, but not yet what the data allows."
    UNREPAIRED = "No change helped beyond what chance explains; the model is yours, untouched."
    UNUSABLE = "This model or data cannot be trained as it is, and no change that autofix knows makes it trainable."
    OUT_OF_BUDGET = "The time was up before a repair was proven; the model is yours, untouched."


# What is no success: nothing that can be used came of it.
EXITS: Mapping[Verdict, Exit] = {
    Verdict.UNREPAIRED: Exit.NO_REPAIR,
    Verdict.OUT_OF_BUDGET: Exit.NO_REPAIR,
    Verdict.UNUSABLE: Exit.UNUSABLE,
}


@dataclass(frozen=True)
class RepairResult:
    """What a repair found, changed and proved.

    Attributes:
        verdict: How it ended.
        model: The repaired model, compiled and ready for `predict`, `fit` and `save`; the user's own model where
            nothing was changed.
        patch: What was changed.
        diagnosis: What was wrong, the most certain and severe first.
        before: Scores of the program as it came, on rows the search never saw; None if they were not measured.
        after: Scores with the patch on the same rows and seeds; None where nothing is claimed.
        control: Scores of the program as it came, trained for as long as the patched one; None if `before` is that.
        metric: Name of the metric; higher is better.
        trials: Every candidate that was trained.
        study: The Optuna study of the search; None if there was no search.
        recipe: The program as it came.
        classes: The user's labels in the order of the output's columns; None for regression and several outputs.
        range_test: Learning-rate range test of the patched program, if one was made.
        notes: Sentences that qualify what is claimed.
        next_steps: What a person should look at next.
        seconds: Wall time.
        traces: Number of training functions that had to be compiled.
        retrained: Whether the weights of `model` were trained anew.
    """

    verdict: Verdict
    model: keras.Model
    patch: Patch
    diagnosis: tuple[Diagnosis, ...]
    before: Measured | None
    after: Measured | None
    control: Measured | None
    metric: str
    trials: tuple[Outcome, ...]
    study: optuna.Study | None
    recipe: Recipe
    classes: tuple[Any, ...] | None = None
    range_test: RangeTest | None = None
    notes: tuple[str, ...] = ()
    next_steps: tuple[str, ...] = ()
    seconds: float = 0.0
    traces: int = 0
    retrained: bool = True
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def status(self) -> str:
        """The verdict's name in lower case."""
        return self.verdict.name.lower()

    @property
    def exit(self) -> Exit:
        """How a command ends that ends with this result."""
        return EXITS.get(self.verdict, Exit.DONE)

    def exit_with(self, target: float | None) -> Exit:
        """How a command ends that was given a score to reach: a repair that stays below it is not the one asked for."""
        reached = target is None or (self.after is not None and self.after.mean >= target)
        return self.exit if reached or self.exit is not Exit.DONE or not self.patch else Exit.NO_REPAIR

    def noted(self, sentences: Iterable[str]) -> RepairResult:
        """Returns the result with more notes."""
        return replace(self, notes=tuple(dict.fromkeys((*self.notes, *sentences))))

    @property
    def changes(self) -> tuple[Change, ...]:
        """The changes of the patch."""
        return self.patch.changes

    def to_dict(self) -> dict[str, Any]:
        """Returns everything but the model and the study as JSON-ready data."""
        return {
            "status": self.status,
            "verdict": self.verdict.value,
            "metric": self.metric,
            "before": self.before.to_dict() if self.before else None,
            "after": self.after.to_dict() if self.after else None,
            "control": self.control.to_dict() if self.control else None,
            "changes": [change.to_dict() for change in self.patch],
            "diagnosis": [item.to_dict() for item in self.diagnosis],
            "classes": None if self.classes is None else [str(label) for label in self.classes],
            "notes": list(self.notes),
            "next_steps": list(self.next_steps),
            "retrained": self.retrained,
            "seconds": self.seconds,
            "traces": self.traces,
            "range_test": self.range_test.to_dict() if self.range_test else None,
            "trials": [trial.to_dict() for trial in self.trials],
            "recipe": self.recipe.to_dict(),
            "versions": dict(self.versions),
        }

    def to_code(self) -> str:
        """Returns a Keras script that builds, compiles and fits the repaired model, the changes marked and explained.

        Its `load_data()` is left to you; `build_model()` returns the compiled model with fresh weights.
        """
        from autofix.code import to_code

        return to_code(self.recipe, self.patch, self.notes, metric=self.metric, retrained=self.retrained)

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Writes model, patch, change log and scores into a folder, each file whole or not at all.

        Args:
            folder: Where to write; created if needed. Files of the same names are replaced.

        Returns:
            The folder. It holds `repaired.keras` (if anything was changed), `patch.yaml`, `change_log.md`,
            `change_log.json`, `diagnosis.json`, `metrics.json` and `history.csv`.

        Raises:
            OSError: If the folder cannot be written to.
        """
        from autofix.store.folder import RunFolder
        from autofix.store.results import write

        target = RunFolder.at(folder)
        write(self, target)
        return Path(folder)

    def report(self, path: str | os.PathLike[str]) -> Path:
        """Writes a report as one HTML file that needs no network and no other file; returns its path.

        Args:
            path: File to write.

        Raises:
            FixYourCall: If Jinja2 or Matplotlib is not installed.
            OSError: If the file cannot be written.
        """
        from autofix.report import document, html

        return html.write(document.of(self), path)

    def __repr__(self) -> str:
        # The fields hold every run: megabytes, where a debugger or a notebook asks for a line.
        scores = " -> ".join(str(measured) for measured in (self.before, self.after) if measured is not None)
        count = count_text(len(self.patch.lines), "change")
        return f"<RepairResult {self.status}: {self.metric} {scores or 'not measured'}, {count}>"

    def _repr_html_(self) -> str:
        from autofix.report import document, notebook

        return notebook.result(document.brief(self))

    def __str__(self) -> str:
        from autofix.report.text import change_log

        return change_log(self)
