"""`retrain`: one retraining from the lock to the last line. No TensorFlow: what is heavy runs in other processes."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from autofix.errors import AutofixError, FixYourCall, FixYourData, FixYourModel
from autofix.exits import Exit
from autofix.retraining import history, hooks
from autofix.retraining.asked import Answer, Asked
from autofix.retraining.config import Pipeline
from autofix.retraining.contest import Contest, Standing
from autofix.retraining.decision import Decision, Status, Trained, decide
from autofix.retraining.lock import Locked, held
from autofix.retraining.models import MODEL, Models
from autofix.retraining.work import ANSWER, ASKED, DECISION, Work, drop_others, finish, settle
from autofix.sources.fingerprint import identify
from autofix.sources.spec import names_code

# What says how a training ended, and to whom: a hook of that event.
EVENTS = {Status.PROMOTED: "promoted", Status.KEPT: "kept"}
# Settings of `fit` among those of a repair.
FIT = ("epochs", "batch_size", "class_weight", "shuffle")
# What changes nothing about the answer.
BESIDE = frozenset({"hooks", "keep", "models", "jobs"})

Document = dict[str, Any]


@dataclass(frozen=True)
class Ended:
    """How the training process ended.

    Attributes:
        exit: The exit code that it earned.
        error: Why it left no answer; None where it did, or where it was stopped.
    """

    exit: Exit
    error: str | None = None


Train = Callable[[Work, Asked], Ended]


def retrain(
    pipeline: Pipeline,
    *,
    train: Train,
    say: Callable[[str], None],
    allow_unsafe: bool = False,
    force: bool = False,
) -> Document:
    """Retrains once.

    Args:
        pipeline: What is trained, on what, and who is told.
        train: Runs the training in another process, which leaves its answer in the folder of the work.
        say: Told in a line what is going on.
        allow_unsafe: Whether model files may hold Lambda layers, which are code.
        force: Whether to train though the data is known.

    Returns:
        The last line of the command: how it ended, `exit_code` included.
    """
    began = time.monotonic()
    models = Models(Path(pipeline.models))
    try:
        with held(models.root):
            try:
                document = _Retraining(pipeline, models, train, say, allow_unsafe, force).run()
            except AutofixError as error:
                document = _failed(pipeline, models, error, say)
    except Locked as error:
        document = {**blank(models), **ended(Status.LOCKED, Exit.TRY_LATER, str(error))}
    return {**document, "seconds": round(time.monotonic() - began, 3)}


def roll_back(pipeline: Pipeline, version: int, *, say: Callable[[str], None]) -> Document:
    """Makes an earlier version the champion again, and nothing else."""
    models = Models(Path(pipeline.models))
    try:
        with held(models.root):
            settle(models, _notifier(pipeline, models, say))
            if version not in models.versions or not models.blessed(version):
                whole = [number for number in models.versions if models.blessed(number)]
                raise FixYourCall(f"`--rollback` needs one of the blessed versions {whole}. Received: {version}.")
            models.point(version)
            reason = f"version {version} serves again"
            record = {**ended(Status.ROLLED_BACK, Exit.DONE, reason), "time": _now(), "version": version}
            history.append(models.history, record)
            return {**blank(models), **record, "current": version}
    except Locked as error:
        return {**blank(models), **ended(Status.LOCKED, Exit.TRY_LATER, str(error))}


@dataclass
class _Retraining:
    pipeline: Pipeline
    models: Models
    train: Train
    say: Callable[[str], None]
    allow_unsafe: bool
    force: bool

    def run(self) -> Document:
        """The whole path; every step is on the disk before the next one begins."""
        notify = _notifier(self.pipeline, self.models, self.say)
        for record in settle(self.models, notify):
            self.say(f"finished what was decided before: {record['reason']}")
        self.champion = _current(self.models)
        self.settings = self.settings_fingerprint()
        self.source = self.source_fingerprint()
        known = [] if self.force else self.known()
        for record in known:
            if self.source is not None and record["source"] == self.source:
                return self.repeated(record)
        work = Work.of(self.models, _digest([self.settings, self.source, self.champion, self.force]))
        drop_others(self.models, work)
        answer = self.answer(work, known)
        if answer.repeated:
            work.drop()
            return self.repeated(next(item for item in known if item["fingerprint"] == answer.fingerprint))
        decision = decide(_trained(answer), self.pipeline.compare.rule())
        work.write(DECISION, self.decided(answer, decision, work))
        record = finish(self.models, work, notify)
        return {**record, "current": self.models.current()}

    def answer(self, work: Work, known: Sequence[Mapping[str, Any]]) -> Answer:
        """What came of the training; it is made only if nobody made it before.

        Raises:
            AutofixError: If there is none.
        """
        document = work.read(ANSWER)
        if document is None:
            asked = self.asked(tuple(record["fingerprint"] for record in known))
            work.write(ASKED, asked.to_dict())
            end = self.train(work, asked)
            if end.exit in (Exit.INTERRUPTED, Exit.TERMINATED):
                raise Interrupted(end.exit)
            document = work.read(ANSWER)
            if document is None:
                raise NoAnswer(end.error or "the training process left no answer", end.exit)
        answer = Answer.from_dict(document)
        if answer.error is not None:
            (work.folder / ANSWER).unlink()
            raise NoAnswer(answer.error, Exit(answer.exit_code))
        return answer

    def asked(self, known: tuple[str, ...]) -> Asked:
        """What the training process is asked for."""
        pipeline, models, champion = self.pipeline, self.models, self.champion
        run = {} if champion is None else models.document(champion, "run.json")
        saved = None if champion is None else str(models.folder(champion) / MODEL)
        own = saved is None or pipeline.train == "model"
        given = {name: value for name, value in _plain(pipeline.repair.given()).items() if name in FIT}
        fit = given if own else known_fit(run, given)
        settings = {name: value for name, value in _plain(pipeline.repair.given()).items() if name not in FIT}
        return Asked(
            model=pipeline.model if saved is None or own else saved,
            champion=saved,
            data=pipeline.data.source,
            encoding=None if champion is None else models.document(champion, "encoding.json") or None,
            target_column=pipeline.data.target_column,
            drop_columns=pipeline.data.drop_columns,
            holdout=pipeline.holdout.source,
            share=pipeline.holdout.share,
            by=pipeline.holdout.by,
            fit=fit,
            labels=None if own else run.get("labels"),
            champion_labels=run.get("labels"),
            settings=settings,
            seed=pipeline.seed,
            jobs=pipeline.jobs,
            allow_unsafe=self.allow_unsafe,
            profile=None if champion is None else models.document(champion, "data.json") or None,
            drift=pipeline.drift,
            known=known,
        )

    def decided(self, answer: Answer, decision: Decision, work: Work) -> Document:
        """What `finish` needs, so that nothing is decided again after a crash."""
        has_model = (work.folder / "challenger" / MODEL).is_file() and answer.challenger is not None
        version = self.next_version() if has_model else None
        test = dict(answer.contest) if answer.contest is not None else None
        record = {
            **blank(self.models),
            **ended(decision.status, decision.exit, decision.reason),
            "time": _now(),
            "version": version,
            "current": version if decision.promotes else self.champion,
            "champion": self.champion,
            "verdict": answer.verdict,
            "metric": answer.metric,
            "scores": {
                "challenger": None if answer.challenger is None else answer.challenger["score"],
                "champion": None if answer.champion is None else answer.champion["score"],
                "chance": answer.chance,
            },
            "test": test,
            "drift": _short_drift(answer),
            "fingerprint": answer.fingerprint,
            "rows": {"train": answer.rows[0], "holdout": answer.rows[1]},
            "changes": list(answer.changes),
            "findings": list(answer.findings),
            "notes": list(answer.notes),
            "id": secrets.token_hex(8),
            "settings": self.settings,
            "source": self.source,
        }
        given = {name: value for name, value in _plain(self.pipeline.repair.given()).items() if name in FIT}
        run = {
            "fit": dict(answer.fit),
            "given": given,
            "labels": answer.labels,
            "champion": self.champion,
            "fingerprint": answer.fingerprint,
            "source": self.source,
            "settings": self.settings,
            "seconds": answer.seconds,
        }
        return {
            "record": record,
            "version": version,
            "promotes": decision.promotes and version is not None,
            "champion": self.champion,
            "keep": self.pipeline.keep,
            "run": run,
        }

    def next_version(self) -> int:
        """A number that was never given before, though its version may be gone."""
        given = [line["version"] for line in history.read(self.models.history) if line.get("version")]
        return max([0, *self.models.versions, *given]) + 1

    def known(self) -> list[Document]:
        """Finished retrainings whose answer still stands: of the same settings, and nothing has changed since.

        That is the last one, also after a roll back, which a schedule must not undo; and any that left the champion
        that serves now.
        """
        lines = [line for line in history.read(self.models.history) if line.get("settings") and line.get("id")]
        return [
            line
            for line in lines
            if line["settings"] == self.settings
            and (line["current"] == self.champion or (line is lines[-1] and self.champion is not None))
        ]

    def repeated(self, record: Document) -> Document:
        """The answer of a retraining that was made before."""
        self.say("the data is known: nothing is trained")
        return {**record, "current": self.champion, "repeated": True}

    def settings_fingerprint(self) -> str:
        """Changes when the pipeline or the model that it names does; not with the place that it lies in."""
        document = self.pipeline.model_dump(mode="json", exclude=set(BESIDE))
        for section, key in ((document, "model"), (document["data"], "source"), (document["holdout"], "source")):
            section[key] = section[key] is not None
        try:
            program = identify(self.pipeline.model)
        except FixYourCall:
            if self.champion is None or self.pipeline.train == "model":
                raise
            program = None
        return _digest([document, program])

    def source_fingerprint(self) -> str | None:
        """Changes when the data does; None where only running code tells."""
        specs = [spec for spec in (self.pipeline.data.source, self.pipeline.holdout.source) if spec is not None]
        return None if any(map(names_code, specs)) else _digest([identify(spec) for spec in specs])


class Interrupted(BaseException):
    """A signal stopped the training; the same command goes on. No `Exception`: nothing but clean-up may catch it.

    Args:
        exit: 130 or 143.
    """

    def __init__(self, exit: Exit) -> None:  # noqa: A002 (the word of the field)
        super().__init__("interrupted")
        self.exit = exit


class NoAnswer(AutofixError):
    """The training process ended without an answer.

    Args:
        message: Why.
        exit: The exit code that says so.
    """

    def __init__(self, message: str, exit: Exit) -> None:  # noqa: A002 (the word of the field)
        super().__init__(message)
        self.exit = exit


def known_fit(run: Mapping[str, Any], given: Mapping[str, Any]) -> Document:
    """Returns the settings of `fit` of the champion, which a repair may have changed, and what was given anew since.

    Args:
        run: `run.json` of the champion's version: `fit`, what it was trained with, and `given`, what was asked for then.
        given: What the pipeline asks for now.
    """
    fit, before = dict(run.get("fit", {})), run.get("given", {})
    return {**fit, **{name: value for name, value in given.items() if name not in before or before[name] != value}}


def blank(models: Models) -> Document:
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
        "models": str(models.root.absolute()),
    }


def ended(status: Status, code: Exit, reason: str) -> Document:
    """Returns the part of the last line that says how it ended."""
    return {
        "status": status.name.lower(),
        "exit_code": int(code),
        "promoted": status is Status.PROMOTED,
        "reason": reason,
    }


def _failed(pipeline: Pipeline, models: Models, error: AutofixError, say: Callable[[str], None]) -> Document:
    """A retraining that ended with an error: written down and told, but not as an answer to this data."""
    code = _exit_of(error)
    status = {Exit.USAGE: Status.USAGE, Exit.UNUSABLE: Status.UNUSABLE}.get(code, Status.FAILED)
    record = {**blank(models), **ended(status, code, str(error)), "time": _now()}
    try:
        record["current"] = models.current()
    except AutofixError:
        record["current"] = None
    history.append(models.history, record)
    failed = _notifier(pipeline, models, say)(record)
    return {**record, "notes": failed}


def _exit_of(error: AutofixError) -> Exit:
    if isinstance(error, NoAnswer):
        return error.exit if error.exit is not Exit.DONE else Exit.UNUSABLE
    return Exit.UNUSABLE if isinstance(error, FixYourData | FixYourModel) else Exit.USAGE


def _notifier(
    pipeline: Pipeline, models: Models, say: Callable[[str], None]
) -> Callable[[Mapping[str, Any]], list[str]]:
    listeners = [entry.hook() for entry in pipeline.hooks]

    def notify(record: Mapping[str, Any]) -> list[str]:
        events = ["drift"] if (record.get("drift") or {}).get("found") else []
        status = Status[str(record["status"]).upper()]
        failed = []
        for event in (*events, EVENTS.get(status, "failed")):
            failed += hooks.notify(listeners, event, record)
        for trouble in failed:
            say(trouble)
        return failed

    return notify


def _current(models: Models) -> int | None:
    return models.current()


def _trained(answer: Answer) -> Trained:
    return Trained(
        answer.verdict,
        answer.sentence,
        None if answer.challenger is None else Standing.from_dict(answer.challenger),
        None if answer.champion is None else Standing.from_dict(answer.champion),
        None if answer.contest is None else Contest.from_dict(answer.contest),
        answer.chance,
    )


def _short_drift(answer: Answer) -> Document | None:
    """Drift without the index of each of hundreds of features: the largest ten."""
    if answer.drift is None:
        return None
    features = dict(list(answer.drift["features"].items())[:10])
    return {**answer.drift, "features": features, "drifted": len(answer.drift["features"]), "text": answer.drift_text}


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value, default=dict))


def _digest(document: Any) -> str:
    text = json.dumps(document, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode("utf-8"), digest_size=16).hexdigest()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
