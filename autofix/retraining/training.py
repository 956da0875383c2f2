"""The heavy part, in a process of its own: train, look, repair if need be, and measure against the champion."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from traceback import print_exc
from typing import TYPE_CHECKING, Any

from autofix import judge
from autofix.budget import Budget, Clock
from autofix.change import Patch
from autofix.controller import Controller
from autofix.errors import AutofixError, FixYourModel, one_line
from autofix.exits import Exit, exit_of
from autofix.files import write_json, write_text
from autofix.frozen import thaw
from autofix.job import Job
from autofix.outcome import Outcome, Status
from autofix.progress import Narrator
from autofix.recipe import Recipe
from autofix.registry import strategies as registered
from autofix.report.text import show
from autofix.result import RepairResult, Verdict
from autofix.retraining import drift
from autofix.retraining.asked import Answer, Asked
from autofix.retraining.contest import Contest, Standing, contest, standing
from autofix.retraining.models import MODEL
from autofix.retraining.predictions import Predictions, mixed, predictions
from autofix.retraining.rows import Rows, encoding_document, read, target_columns
from autofix.retraining.work import ANSWER, ASKED, CHALLENGER, Work
from autofix.session import Session, prepare
from autofix.sources.model import load_model

if TYPE_CHECKING:
    import keras

# Files of a version beside the model.
PATCH, METRICS, PROFILE, ENCODING = "patch.yaml", "metrics.json", "data.json", "encoding.json"
# Verdicts with a model to hand over.
WITH_MODEL = frozenset({Verdict.HEALTHY, Verdict.REPAIRED, Verdict.IMPROVED})
# What a repair may cost where nobody says: that of `autofix.repair`.
BUDGET = "10x"


def execute(job: Job, *, tell: Narrator) -> Exit:
    """Does what `asked.json` in the folder of the work says, and leaves `answer.json` there; see `supervise`.

    Args:
        job: Its `out` is the folder of the work.
        tell: Told how far it is.
    """
    work = Work(Path(job.out))
    document = work.read(ASKED)
    assert document is not None
    try:
        answer = train(Asked.from_dict(document), work.folder, tell)
    except Exception as error:  # whatever the user's own code or data does
        print_exc()
        text = str(error) if isinstance(error, AutofixError) else one_line(error)
        answer = Answer(error=text, exit_code=int(exit_of(error)))
    work.write(ANSWER, answer.to_dict())
    return Exit(answer.exit_code)


@dataclass(frozen=True, eq=False)
class Challenger:
    """A new model.

    Attributes:
        model: The model, trained.
        recipe: Its program.
        result: The repair that it comes from; of a healthy run, what was looked at.
    """

    model: keras.Model | None
    recipe: Recipe
    result: RepairResult


def train(asked: Asked, folder: Path, tell: Narrator) -> Answer:
    """Trains a challenger and measures it, and writes it into `folder/challenger`.

    Args:
        asked: What is asked for.
        folder: The folder of the work.
        tell: Told how far it is.

    Returns:
        What came of it.

    Raises:
        FixYourCall, FixYourData, FixYourModel: If something cannot be used as it is.
    """
    began = time.monotonic()
    tell("reading model and data")
    model = load_model(asked.model, allow_unsafe=asked.allow_unsafe)
    rows = read(model, asked)
    if rows.fingerprint in asked.known:
        return Answer(fingerprint=rows.fingerprint, repeated=True, seconds=time.monotonic() - began)
    session = _session(model, rows, asked)
    try:
        challenger = _challenger(session, asked, tell)
        tell("comparing it with the champion" if asked.champion else "comparing it with guessing")
        answer = _measured(session, rows, challenger, asked)
        if challenger.model is not None:
            _write(folder / CHALLENGER, challenger, rows, session, answer)
    finally:
        session.trainer.close()
    return replace(answer, seconds=time.monotonic() - began)


def _session(model: Any, rows: Rows, asked: Asked) -> Session:
    fit = dict(asked.fit)
    if "batch_size" not in fit and rows.batch_size is not None:
        fit["batch_size"] = rows.batch_size
    return prepare(
        model,
        rows.train.data(),
        fit=fit,
        metric=asked.settings.get("metric", "auto"),
        weights=asked.settings.get("weights", "reset"),
        seed=asked.seed,
        labels=asked.labels,
    )


def _challenger(session: Session, asked: Asked, tell: Narrator) -> Challenger:
    """Trains the program as it is; a healthy run is then made with every row, a stalled one is repaired."""
    settings = asked.settings
    clock = Clock(Budget.of(settings.get("budget", BUDGET)))
    chosen = registered(settings.get("strategies"))
    controller = Controller(session, chosen, clock, tell, asked.seed, settings.get("target"))
    result = controller.run()
    recipe = result.patch.apply(session.recipe)
    if result.verdict is not Verdict.HEALTHY:
        return Challenger(result.model if result.verdict in WITH_MODEL else None, recipe, result)
    tell("training the healthy program on every row but the holdout")
    outcome = _in_full(session, recipe, controller.baseline)
    built = None if outcome is None else session.trainer.build(outcome, recipe)
    return Challenger(built, recipe, result)


def _in_full(session: Session, recipe: Recipe, looked_at: Outcome | None) -> Outcome | None:
    """The healthy program trained on every row; the run that was looked at where that goes worse."""
    full = session.trainer.run(recipe, Patch(), holdout=True, refit=True)
    if full.status is Status.DONE:
        least = -float("inf") if looked_at is None else looked_at.rank - judge.tolerance(session, 1.0)
        if full.rank >= least:
            return full
    return looked_at if looked_at is not None and looked_at.weights is not None and looked_at.share == 1.0 else None


def _measured(session: Session, rows: Rows, challenger: Challenger, asked: Asked) -> Answer:
    facts, scorer, count = session.facts, session.scorer, rows.counts[1]
    chance = scorer.chance(rows.flat_y)
    new = old = None
    if challenger.model is not None:
        new = predictions(challenger.model, challenger.recipe, facts, session.data, rows.held.x)
    if asked.champion is not None:
        old = _of_champion(session, rows, asked)

    def stands(found: Predictions | None) -> Standing | None:
        if found is None:
            return None
        return standing(
            lambda some: (
                scorer.score(
                    [y[some] for y in rows.flat_y], [output[some] for output in found.outputs], found.links
                ).value
            ),
            list(found.outputs),
            count,
            seed=asked.seed,
        )

    standings = stands(new), stands(old)
    test = None if new is None or old is None else _contest(session, rows, new, old, asked.seed)
    result = challenger.result
    found = _drift(rows, session, asked, standings[1])
    return Answer(
        fingerprint=rows.fingerprint,
        verdict=result.status,
        sentence=result.verdict.value if challenger.model or result.verdict not in WITH_MODEL else "It diverged.",
        metric=scorer.name,
        challenger=None if standings[0] is None else standings[0].to_dict(),
        champion=None if standings[1] is None else standings[1].to_dict(),
        contest=None if test is None else test.to_dict(),
        chance=scorer.floor if chance is None else chance,
        drift=None if found is None else found.to_dict(),
        drift_text="" if found is None else str(found),
        rows=rows.counts,
        fit=_fit_by_label(challenger.recipe, session),
        labels=thaw(challenger.recipe.transforms["labels"]),
        changes=tuple(_line(line) for line in result.patch.lines),
        findings=tuple(str(item) for item in result.diagnosis if item.severity >= judge.SUSPECT),
        notes=tuple(dict.fromkeys((*rows.notes, *result.notes, *result.next_steps))),
    )


def _of_champion(session: Session, rows: Rows, asked: Asked) -> Predictions:
    assert asked.champion is not None
    trains_it = asked.model == asked.champion
    model = session.model if trains_it else load_model(asked.champion, allow_unsafe=asked.allow_unsafe)
    recipe = session.recipe
    if not trains_it:
        recipe = Recipe.of(model).set("transforms/labels", asked.champion_labels)
    try:
        return predictions(model, recipe, session.facts, session.data, rows.held.x)
    except Exception as error:  # whatever a model raises about inputs that it was not made for
        raise FixYourModel(
            f"the champion must be able to score the fresh data. Received: {one_line(error)}. "
            "For data of another form begin a new folder: another `models`."
        ) from error


def _contest(session: Session, rows: Rows, new: Predictions, old: Predictions, seed: int) -> Contest:
    targets = session.facts.targets
    if not new.mixes_with(old):
        new, old = new.plain(targets), old.plain(targets)

    def score(some: Any, mine: Any) -> tuple[float, float]:
        truths = [y[some] for y in rows.flat_y]
        first = session.scorer.score(truths, mixed(new, old, some, mine), new.links).value
        second = session.scorer.score(truths, mixed(new, old, some, ~mine), new.links).value
        return first, second

    return contest(score, rows.counts[1], seed=seed)


def _drift(rows: Rows, session: Session, asked: Asked, champion: Standing | None) -> drift.Drift | None:
    if asked.profile is None:
        return None
    old = [drift.Feature.from_dict(item) for item in asked.profile["features"]]
    targets = [drift.Feature.from_dict(item) for item in asked.profile["targets"]]
    return drift.found(
        old,
        targets,
        rows.columns(),
        target_columns(rows.own, session.facts.targets),
        recorded=Standing.from_dict(asked.profile["standing"]) if asked.profile["standing"] else None,
        now=champion,
        threshold=asked.drift,
    )


def _fit_by_label(recipe: Recipe, session: Session) -> Mapping[str, Any]:
    """Settings of `fit` as a user writes them: class weights by label, which columns may not stand for later."""
    fit = dict(thaw(recipe.fit))
    weights, targets = fit.get("class_weight"), session.facts.targets
    if weights is not None and len(targets) == 1:
        classes = targets[0].classes
        fit["class_weight"] = {
            str(classes[int(place)]): weight for place, weight in weights.items() if int(place) < len(classes)
        }
    return fit


def _line(line: Any) -> str:
    first, more = line[0], f" and {len(line) - 1} more" if len(line) > 1 else ""
    return f"{first.path}{more}: {show(first.before)} -> {show(first.after)}"


def _write(folder: Path, challenger: Challenger, rows: Rows, session: Session, answer: Answer) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    assert challenger.model is not None
    challenger.model.save(folder / MODEL)
    write_text(folder / PATCH, challenger.result.patch.to_yaml())
    document = challenger.result.to_dict()
    repair = {key: value for key, value in document.items() if key not in ("recipe", "trials")}
    write_json(folder / METRICS, {**answer.to_dict(), "repair": repair})
    targets = drift.profile(target_columns(rows.own, session.facts.targets))
    spread = {
        "features": [item.to_dict() for item in drift.profile(rows.columns())],
        "targets": [item.to_dict() for item in targets],
        "standing": answer.challenger,
    }
    write_json(folder / PROFILE, spread)
    encoding = encoding_document(rows)
    if encoding is not None:
        write_json(folder / ENCODING, encoding)
