"""The heavy part, in a process of its own: train, look, repair if need be, and measure against the champion."""

from __future__ import annotations

import contextlib
import shutil
import time
import traceback
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from autofix import judge
from autofix.budget import Budget, Clock
from autofix.change import Patch
from autofix.controller import Controller
from autofix.errors import AutofixError, FixYourCall, one_line
from autofix.exits import Exit, exit_of
from autofix.files import write_json, write_text
from autofix.isolation.session import isolated, serving
from autofix.job import Job
from autofix.outcome import Outcome, Status
from autofix.progress import Narrator
from autofix.recipe import Recipe
from autofix.registry import strategies as registered
from autofix.result import Verdict
from autofix.retraining import drift
from autofix.retraining.asked import Answer, Asked
from autofix.retraining.measuring import WITH_MODEL, Challenger, measured
from autofix.retraining.models import MODEL
from autofix.retraining.rows import Rows, encoding_document, read, target_columns
from autofix.retraining.work import ANSWER, ASKED, CHALLENGER, RUN, Work
from autofix.session import Session, prepare
from autofix.sources.model import load_model
from autofix.store.folder import LOCK, RunFolder
from autofix.store.inputs import Inputs, settings_of
from autofix.store.record import Record
from autofix.strategy import Strategy
from autofix.versions import versions

# Beside the answer, where the user's own code ended the training with an error.
TRACEBACK = "traceback.txt"
# Files of a version beside the model.
PATCH, METRICS, PROFILE, ENCODING = "patch.yaml", "metrics.json", "data.json", "encoding.json"
# What a repair may cost where nobody says, as in `autofix.repair`; and weights start fresh: it is a training anew.
BUDGET, WEIGHTS = "10x", "reset"


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
        with warnings.catch_warnings():
            # What Keras has to say of a stuck program is said once, by the findings.
            warnings.simplefilter("ignore")
            answer = train(Asked.from_dict(document), work.folder, tell)
    except Exception as error:  # whatever the user's own code or data does
        text = str(error)
        if not isinstance(error, AutofixError):
            write_text(work.folder / TRACEBACK, traceback.format_exc())
            text = f"{one_line(error)}. Its traceback is in {work.folder / TRACEBACK}"
        answer = Answer(error=text, exit_code=int(exit_of(error)))
    work.write(ANSWER, answer.to_dict())
    return Exit(answer.exit_code)


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
    with contextlib.ExitStack() as stack:
        # In a process below the supervisor every run is made by a slot: what kills one ends that run alone.
        servers = stack.enter_context(serving(asked.jobs))
        session = isolated(session_of(model, rows, asked), servers, asked.jobs)
        stack.callback(session.trainer.close)
        challenger = _challenger(session, asked, folder, tell)
        tell("comparing it with the champion" if asked.champion else "comparing it with guessing")
        answer = measured(session, rows, challenger, asked)
        if challenger.model is not None:
            _write(folder / CHALLENGER, challenger, rows, session, answer)
    return replace(answer, seconds=time.monotonic() - began)


def session_of(model: Any, rows: Rows, asked: Asked) -> Session:
    """Returns the program on the rows to train on, ready to be looked at whatever its weights score.

    Args:
        model: What `load_model` gave for `asked.model`; a champion is marked as trained.
        rows: The fresh rows.
        asked: Settings.
    """
    if asked.model == asked.champion:
        # A model that is handed over has a new optimizer. Taken for one that was never fitted, it would keep the moving
        # statistics of its batch normalizations.
        model.optimizer.iterations.assign(1)
    fit = dict(asked.fit)
    if "batch_size" not in fit and rows.batch_size is not None:
        fit["batch_size"] = rows.batch_size
    session = prepare(
        model,
        rows.train.data(),
        fit=fit,
        metric=asked.settings.get("metric", "auto"),
        weights=asked.settings.get("weights", WEIGHTS),
        seed=asked.seed,
        labels=asked.labels,
    )
    return replace(session, anew=True)


def _challenger(session: Session, asked: Asked, folder: Path, tell: Narrator) -> Challenger:
    """Trains the program as it is; a healthy run is then made with every row, a stalled one is repaired."""
    settings = asked.settings
    clock = Clock(Budget.of(settings.get("budget", BUDGET)))
    chosen = registered(settings.get("strategies"))
    run = RunFolder.at(folder / RUN)
    with run.held():
        record = _record(run, session, asked, clock.budget, chosen)
        session = replace(session, trainer=record.trainer(session.trainer, clock))
        with record.running(clock):
            controller = Controller(
                session, chosen, clock, tell, asked.seed, settings.get("target"), slots=asked.jobs, shelf=record.shelf
            )
            result = controller.run()
            recipe = result.patch.apply(session.recipe)
            if result.verdict is not Verdict.HEALTHY:
                return Challenger(result.model if result.verdict in WITH_MODEL else None, recipe, result)
            tell("training the healthy program on every row but the holdout")
            outcome = _in_full(session, recipe, controller.baseline)
            return Challenger(None if outcome is None else session.trainer.build(outcome, recipe), recipe, result)


def _record(
    folder: RunFolder, session: Session, asked: Asked, budget: Budget, strategies: Sequence[Strategy]
) -> Record:
    """The runs that were made before an interruption; begun anew where rows or program are others by now."""
    settings = settings_of(
        metric=asked.settings.get("metric", "auto"),
        target=asked.settings.get("target"),
        budget=budget,
        strategies=[strategy.name for strategy in strategies],
        weights=asked.settings.get("weights", WEIGHTS),
        watched=False,
        seed=asked.seed,
    )
    inputs = Inputs.of(session.model, session.recipe, session.data, settings=settings, versions=versions())
    try:
        return Record(folder, inputs)
    except FixYourCall:
        for item in folder.path.iterdir():
            if item.is_dir():
                shutil.rmtree(item)
            elif item.name != LOCK:
                item.unlink()
        return Record(folder, inputs)


def _in_full(session: Session, recipe: Recipe, looked_at: Outcome | None) -> Outcome | None:
    """The healthy program trained on every row; the run that was looked at where that goes worse."""
    full = session.trainer.run(recipe, Patch(), holdout=True, refit=True)
    if full.status is Status.DONE:
        least = -float("inf") if looked_at is None else looked_at.rank - judge.tolerance(session, 1.0)
        if full.rank >= least:
            return full
    return looked_at if looked_at is not None and looked_at.weights is not None and looked_at.share == 1.0 else None


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
