"""What a report is made of: one JSON-ready document, from a result in memory or from a run folder. No TensorFlow.

A run folder that holds `report.json` (what `of` returns) gives the same report as the result did; of one
without it, what `metrics.json`, `diagnosis.json` and `change_log.json` tell is shown, and the rest is left out.
"""

from __future__ import annotations

import itertools
import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autofix.change import Change, Patch
from autofix.errors import FixYourCall
from autofix.outcome import Outcome
from autofix.predictions import Predictions
from autofix.report import importance
from autofix.report.words import value_text

if TYPE_CHECKING:
    from autofix.result import RepairResult

FORMAT = 1
FILE = "report.json"
# Points of a curve that are kept: twice what a chart is wide in CSS pixels would be drawn on top of each other.
MOST_POINTS = 200
# Looks at the gradients that are kept, and layers: a cell of the heat map stays some pixels wide and high.
MOST_STEPS, MOST_LAYERS = 60, 60
# Lines of a candidate's patch that its tooltip names.
MOST_LINES = 6


def of(result: RepairResult) -> dict[str, Any]:
    """Returns the document of a result: JSON-ready, without NaN or infinities, some hundred kilobytes at most."""
    before, after = run_before(result), run_after(result)
    document = brief(result)
    measured = {"before": result.before, "after": result.after, "control": result.control}
    seeds = sorted({run.seed for one in measured.values() if one is not None for run in one.outcomes})
    document |= finite(
        {
            "runs": {"before": _run(before), "after": _run(after)},
            "predictions": {name: _predictions(one.outcomes) for name, one in measured.items() if one and one.outcomes},
            "trials": [_trial(number, trial, result.patch) for number, trial in enumerate(result.trials, 1)],
            "importances": importance.of(result.study),
            "reproduce": {
                "patch": result.patch.to_yaml() if result.patch else "",
                "fit": {key: value for key, value in result.recipe.fit.items() if _is_short(value)},
                "seeds": seeds,
            },
        }
    )
    return document


def brief(result: RepairResult) -> dict[str, Any]:
    """Returns what of a document fits on a screen: verdict, scores, findings, changes and notes."""
    document = {key: value for key, value in result.to_dict().items() if key not in ("recipe", "changes", "trials")}
    lines = [line_of(line) for line in result.patch.lines]
    found: dict[str, Any] = finite({"format": FORMAT, **document, "changes": lines, "count": len(result.trials)})
    return found


def of_folder(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """Returns the document of a run folder.

    Raises:
        FixYourCall: If the folder holds no finished run.
    """
    path = Path(folder)
    if (path / FILE).is_file():
        document: dict[str, Any] = _read(path / FILE)
        if document.get("format") != FORMAT:
            raise FixYourCall(
                f"`{path / FILE}` must be of format {FORMAT}. Received: {document.get('format')!r}. "
                "Make the report with the version of autofix that made the run."
            )
        return document
    if not (path / "metrics.json").is_file():
        raise FixYourCall(
            f"a report needs a finished run. Received: {path}, which holds neither {FILE} nor metrics.json. "
            "Pass the folder that `autofix repair --out` wrote, once the run has ended."
        )
    document = {"format": FORMAT, **_read(path / "metrics.json")}
    for key, name in (("diagnosis", "diagnosis.json"), ("changes", "change_log.json")):
        if (path / name).is_file():
            found = json.loads((path / name).read_text(encoding="utf-8"))
            document[key] = found.get(key, []) if isinstance(found, Mapping) else found
    if any("path" in change for change in document.get("changes", [])):
        lines = Patch.from_dict(document).lines
        document["changes"] = [line_of(line) for line in lines]
    document["trials"] = []  # a count in metrics.json; the runs themselves are in the ledger
    return document


def run_before(result: RepairResult) -> Outcome | None:
    """The run of the program as it came that was looked at for longest."""
    return _looked_at(result.trials, Patch())


def run_after(result: RepairResult) -> Outcome | None:
    """The run of the repaired program that was looked at for longest."""
    return _looked_at(result.trials, result.patch) if result.patch else None


def line_of(line: Sequence[Change]) -> dict[str, Any]:
    """Returns one line of a change log: what is changed in all its places, why, and what it is worth."""
    first = line[0]
    return {
        "places": [change.path for change in line],
        "before": list(dict.fromkeys(value_text(change.before) for change in line)),
        "after": value_text(first.after),
        "why": first.why,
        "effect": first.effect,
        "strategy": first.strategy,
    }


def finite(value: Any) -> Any:
    """Returns plain data with None in the place of NaN and infinities, which JSON has no word for."""
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _looked_at(trials: Iterable[Outcome], patch: Patch) -> Outcome | None:
    seen = [trial for trial in trials if trial.trace is not None and trial.trace.loss and trial.patch == patch]
    return max(seen, key=lambda trial: (trial.share, trial.epochs), default=None)


def _run(outcome: Outcome | None) -> dict[str, Any] | None:
    if outcome is None or outcome.trace is None:
        return None
    trace = outcome.trace
    looks = _evenly(len(trace.probe_steps), MOST_STEPS)
    layers = [list(trace.gradient_norms)[index] for index in _evenly(len(trace.gradient_norms), MOST_LAYERS)]
    return {
        "seed": outcome.seed,
        "status": outcome.status.value,
        "epochs": outcome.epochs,
        "steps": len(trace.loss),
        "steps_per_epoch": trace.steps_per_epoch,
        "loss": _thinned(trace.loss),
        "scores": _in_order(trace.scored_epochs, trace.epoch_scores),
        "train_score": trace.train_score,
        "gradients": {
            "layers": layers,
            "all_layers": len(trace.gradient_norms),
            "steps": [trace.probe_steps[look] for look in looks],
            "norms": [[_rounded(trace.gradient_norms[layer][look]) for look in looks] for layer in layers],
        },
        "units": [
            {
                "layer": last.layer,
                "activation": last.activation,
                "dead": last.dead,
                "saturated": last.saturated,
                "finite": last.finite,
            }
            for last in trace.last
        ],
        "non_finite_step": trace.non_finite_step,
        "non_finite_origin": trace.non_finite_origin,
        "learning_rates": [[step, rate] for step, rate in zip(trace.rate_steps, trace.learning_rates, strict=False)],
    }


def _trial(number: int, trial: Outcome, winner: Patch) -> dict[str, Any]:
    lines = trial.patch.lines
    shown = [f"{place_text(line)}: {value_text(line[0].after)}" for line in lines[:MOST_LINES]]
    more = [f"and {len(lines) - MOST_LINES} more"] if len(lines) > MOST_LINES else []
    return {
        "number": number,
        "seed": trial.seed,
        "status": trial.status.name.lower(),
        "kind": "as it came" if not trial.patch else "the repair" if trial.patch == winner else "candidate",
        "changes": [*shown, *more],
        "strategies": list(dict.fromkeys(change.strategy for change in trial.patch)),
        "score": None if trial.score is None else trial.score.value,
        "holdout": None if trial.holdout is None else trial.holdout.value,
        "share": trial.share,
        "epochs": trial.epochs,
        "seconds": trial.seconds,
        "error": trial.error,
    }


def place_text(line: Sequence[Change]) -> str:
    """Names the place of a line, and how many more there are."""
    return line[0].path if len(line) == 1 else f"{line[0].path} and {len(line) - 1} more"


def _predictions(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Counts over all seeds; outputs that were not finite with some seed are left to the others."""
    columns = zip(*(run.predictions for run in outcomes if run.predictions), strict=False)
    found = []
    for column in columns:
        sound = [one for one in column if one.finite] or list(column)
        found.append({**Predictions.joined(sound).to_dict(), "seeds": len(sound) if sound[0].counts else 1})
    return found


def _thinned(loss: Sequence[float]) -> list[list[float | None]]:
    """Means over stretches of steps, each at the last of them; None where the loss was not finite."""
    edges = _evenly(len(loss) + 1, MOST_POINTS + 1)
    stretches = [(stop, loss[start:stop]) for start, stop in itertools.pairwise(edges)]
    return [[stop, _rounded(sum(part) / len(part))] for stop, part in stretches if len(part)]


def _in_order(epochs: Sequence[float], scores: Sequence[float]) -> list[list[float | None]]:
    """Scores by epoch of the first division of the rows: epochs start again with the next one."""
    points: list[list[float | None]] = []
    for epoch, score in zip(epochs, scores, strict=False):
        if points and epoch <= (points[-1][0] or 0.0):
            break
        points.append([epoch, _rounded(score)])
    return [points[index] for index in _evenly(len(points), MOST_POINTS)]


def _evenly(count: int, most: int) -> list[int]:
    """Returns at most so many of the numbers below `count`, evenly spread, the first and the last among them."""
    if count <= most:
        return list(range(count))
    return sorted({round(index * (count - 1) / (most - 1)) for index in range(most)})


def _rounded(value: float) -> float | None:
    return float(f"{value:.5g}") if math.isfinite(value) else None


def _is_short(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | str)


def _read(path: Path) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FixYourCall(f"`{path}` must be a JSON file. Received: {error}. Run the repair again.") from error
    return document
