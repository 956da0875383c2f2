"""What a report is made of: one JSON-ready document, from a result in memory or from a run folder. No TensorFlow."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from autofix.change import Change, Patch
from autofix.errors import FixYourCall
from autofix.outcome import Outcome
from autofix.predictions import Predictions
from autofix.report import importance
from autofix.report.words import place_text, value_text

if TYPE_CHECKING:
    import optuna

    from autofix.result import RepairResult

FORMAT = 1
# Points of a curve that are kept: twice what a chart is wide in CSS pixels would be drawn on top of each other.
MOST_POINTS = 200
# Looks at the gradients that are kept, and layers: a cell of the heat map stays some pixels wide and high.
MOST_STEPS, MOST_LAYERS = 60, 60
# Lines of a candidate's patch that its tooltip names.
MOST_LINES = 6


class Run(Protocol):
    """A run folder, as far as a report asks it."""

    def result_document(self) -> dict[str, Any]:
        """Returns `metrics.json`; empty where there is no result yet."""

    def diagnosis_document(self) -> dict[str, Any]:
        """Returns `diagnosis.json`."""

    def changes_document(self) -> dict[str, Any]:
        """Returns `change_log.json`."""

    def patch(self) -> Patch:
        """Returns what was changed."""

    def trials(self) -> list[Outcome]:
        """Returns every finished run."""


def of(result: RepairResult) -> dict[str, Any]:
    """Returns the document of a result: JSON-ready, without NaN or infinities, some hundred kilobytes at most."""
    measured = {"before": result.before, "after": result.after, "control": result.control}
    proofs = {key: one.outcomes for key, one in measured.items() if one is not None and one.outcomes}
    more = _details(result.to_dict(), result.patch, result.trials, result.recipe.fit, proofs)
    return {**brief(result), **more, "importances": None if result.study is None else importance.of(result.study)}


def brief(result: RepairResult) -> dict[str, Any]:
    """Returns what of a document fits on a screen: verdict, scores, findings, changes and notes."""
    document = {key: value for key, value in result.to_dict().items() if key not in ("recipe", "changes", "trials")}
    lines = [line_of(line) for line in result.patch.lines]
    found: dict[str, Any] = finite({"format": FORMAT, **document, "changes": lines, "count": len(result.trials)})
    return found


def of_run(run: Run, study: optuna.Study | None = None) -> dict[str, Any]:
    """Returns the document of a run folder, the same as that of its result.

    Args:
        run: The folder.
        study: The study of its search, for what the scores depend on.

    Raises:
        FixYourCall: If the folder holds no result.
    """
    document = run.result_document()
    if not document:
        raise FixYourCall(
            "a report needs a run that has come to a result. Received: a folder without `metrics.json`. "
            "Wait for the repair to end, or start it again: it goes on where it was."
        )
    patch, trials, changed = run.patch(), run.trials(), run.changes_document()
    more = _details(document, patch, trials, (changed.get("recipe") or {}).get("fit") or {}, {})
    found: dict[str, Any] = finite(
        {
            "format": FORMAT,
            **document,
            "diagnosis": run.diagnosis_document().get("diagnosis") or [],
            "changes": [line_of(line) for line in patch.lines],
            "count": len(trials),
            **more,
            "importances": None if study is None else importance.of(study),
        }
    )
    return found


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


def _details(
    document: Mapping[str, Any],
    patch: Patch,
    trials: Sequence[Outcome],
    fit: Mapping[str, Any],
    proofs: Mapping[str, Sequence[Outcome]],
) -> dict[str, Any]:
    """Curves, readings, predictions, runs and how to make the model again.

    Args:
        document: The result as JSON-ready data.
        patch: What was changed.
        trials: All runs.
        fit: Settings of `fit` of the program as it came.
        proofs: Runs that the scores are of, by role; found among the trials where they are not known.
    """
    patches = {"before": Patch(), "after": patch}
    found = {key: proofs.get(key) or _proof(document.get(key), trials, made) for key, made in patches.items()}
    details: dict[str, Any] = finite(
        {
            "runs": {
                "before": _run(_looked_at(trials, Patch())),
                "after": _run(_looked_at(trials, patch)) if patch else None,
            },
            "predictions": {key: _predictions(runs) for key, runs in found.items() if runs},
            "trials": [_trial(number, trial, patch) for number, trial in enumerate(trials, 1)],
            "reproduce": {
                "patch": patch.to_yaml() if patch else "",
                "fit": {key: value for key, value in fit.items() if _is_short(value)},
                "seeds": list(dict.fromkeys(run.seed for runs in found.values() for run in runs)),
            },
        }
    )
    return details


def _proof(measured: Mapping[str, Any] | None, trials: Sequence[Outcome], patch: Patch) -> list[Outcome]:
    """The runs that the scores are of, in their order: those without probes first, as runs of a proof are."""
    held = [(run.holdout.value, run) for run in trials if run.patch == patch and run.holdout is not None]
    held.sort(key=lambda item: item[1].trace is not None)
    runs = []
    for value in measured["values"] if measured else ():
        place = next((place for place, (score, _) in enumerate(held) if score == value), None)
        if place is not None:
            runs.append(held.pop(place)[1])
    return runs


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
    shown = [
        f"{place_text([change.path for change in line])}: {value_text(line[0].after)}" for line in lines[:MOST_LINES]
    ]
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
