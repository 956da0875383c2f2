"""What run folders say, for people."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from autofix.errors import FixYourCall, did_you_mean
from autofix.store.folder import FINISHED, JOURNAL, RunFolder

# Run folders that are listed; a sweep with more of them has a summary of its own.
MOST_RUNS = 1_000
# Folders above a run folder: those of a sweep are SWEEP/cells/MODEL/DATA/STRATEGIES/seed-0, in a folder of sweeps.
DEEPEST = 6
# What is long in `metrics.json`.
ELSEWHERE = ("trials", "recipe", "traceback")


@dataclass(frozen=True)
class State:
    """One run in one line.

    Attributes:
        run: Its folder.
        state: `running`, `finished`, `interrupted` or `failed`.
        result: The verdict; None without one.
        before: Score of the program as it came; None where it was not measured.
        after: Score with the changes; None where nothing is claimed.
        metric: What the scores are.
        trials: Runs that were finished.
        seconds: Wall time.
        error: Why there is no result.
    """

    run: str
    state: str
    result: str | None = None
    before: float | None = None
    after: float | None = None
    metric: str | None = None
    trials: int | None = None
    seconds: float | None = None
    error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Returns it as JSON-ready data."""
        return asdict(self)


def runs_in(path: Path) -> list[State]:
    """Returns the run in a folder, or the runs in the folders in it, such as those of a sweep.

    Raises:
        FixYourCall: If there is none.
    """
    existing(path)
    found = list(itertools.islice(_runs(path, DEEPEST), MOST_RUNS))
    if not found:
        raise FixYourCall(f"{str(path)!r} must be a run folder, or hold some. Received: a folder without a run.")
    return found


def existing(path: Path) -> None:
    """Checks that there is a folder.

    Raises:
        FixYourCall: If there is none.
    """
    if not path.is_dir():
        beside = sorted(item.name for item in path.parent.iterdir()) if path.parent.is_dir() else []
        what = "a file" if path.exists() else "nothing of that name"
        raise FixYourCall(f"{str(path)!r} must be a run folder. Received: {what}.{did_you_mean(path.name, beside)}")


def state_of(path: Path) -> State | None:
    """Returns what a run folder says; None where it holds no run."""
    folder = RunFolder.at(path)
    run, result = folder.run_document(), folder.result_document()
    if not run and not result:
        return None
    trials = result.get("trials")
    return State(
        str(path),
        folder.state() or FINISHED,
        result.get("status"),
        _mean(result.get("before")),
        _mean(result.get("after")),
        result.get("metric"),
        trials if isinstance(trials, int) else len(folder.ledger),
        result.get("seconds"),
        run.get("error"),
    )


def result_of(path: Path) -> dict[str, Any]:
    """Returns all that a run folder says of its result.

    Raises:
        FixYourCall: If there is no result.
    """
    existing(path)
    folder = RunFolder.at(path)
    metrics = folder.result_document()
    if "status" not in metrics:
        state = folder.state()
        way = "Run the same command again to go on" if state else "Name the folder that --out named"
        raise FixYourCall(f"{str(path)!r} holds no result{f': the run is {state}' if state else ''}. {way}.")
    return {**folder.diagnosis_document(), **folder.changes_document(), **metrics, "folder": str(path)}


def summary_of(path: Path) -> dict[str, Any]:
    """Returns what a script wants to know of a result: all but what is long and stands in files of its own."""
    return {key: value for key, value in result_of(path).items() if key not in ELSEWHERE}


def as_json(path: Path) -> str:
    """Returns it as JSON."""
    from autofix.cli.showing import serialised

    return serialised(summary_of(path), "json")


def as_yaml(path: Path) -> str:
    """Returns it as YAML."""
    from autofix.cli.showing import serialised

    return serialised(summary_of(path), "yaml")


def text(path: Path) -> str:
    """Returns what a run found, changed and proved, as text."""
    from autofix.cli.showing import summarised

    return summarised(result_of(path))


def markdown(path: Path) -> str:
    """Returns the change log as Markdown."""
    result_of(path)  # says why where there is none
    return RunFolder.at(path).change_log()


def html(path: Path) -> str:
    """Returns the report as one HTML page."""
    from autofix.report import document
    from autofix.report.html import render

    result_of(path)
    run = RunFolder.at(path)
    return render(document.of_run(run, _study(run)))


def _study(run: RunFolder) -> Any:
    """The study of a search that is over; None where it is kept elsewhere or there was none."""
    from autofix.store.studies import in_journal, in_memory

    document = run.run_document()
    if run.state() != FINISHED or document.get("storage") or not (run / JOURNAL).is_file():
        return None
    return in_memory(in_journal(run / JOURNAL, document["study"]).get_trials())


def _runs(path: Path, depth: int) -> Iterator[State]:
    found = state_of(path)
    if found is not None:
        yield found
    elif depth > 0:
        for item in sorted(item for item in path.iterdir() if item.is_dir() and not item.is_symlink()):
            yield from _runs(item, depth - 1)


def _mean(measured: Any) -> float | None:
    return measured.get("mean") if isinstance(measured, dict) else None
