"""`retrain`: one retraining from the lock to the last line. No TensorFlow: what is heavy runs in other processes."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autofix.errors import AutofixError, FixYourCall, of_the_machine
from autofix.exits import Exit, exit_of
from autofix.retraining import history, hooks, line
from autofix.retraining.asked import Answer, Asked
from autofix.retraining.asking import asked_of, digest, given_fit, settings_fingerprint, source_fingerprint
from autofix.retraining.config import Pipeline
from autofix.retraining.contest import Contest, Standing
from autofix.retraining.decision import Decision, Status, Trained, decide
from autofix.retraining.line import Document
from autofix.retraining.lock import Locked, held
from autofix.retraining.models import MODEL, Models
from autofix.retraining.work import ANSWER, ASKED, CHALLENGER, DECISION, Work, drop_others, finish, settle

# What is told to hooks; every other status is a failure.
EVENTS = {Status.PROMOTED: "promoted", Status.KEPT: "kept"}
STATUS_OF = {Exit.USAGE: Status.USAGE, Exit.UNUSABLE: Status.UNUSABLE}


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


class Interrupted(BaseException):
    """A signal stopped the training; the same command goes on. No `Exception`: nothing but clean-up may catch it.

    Args:
        code: 130 or 143.
    """

    def __init__(self, code: Exit) -> None:
        super().__init__("interrupted")
        self.code = code


class NoAnswer(AutofixError):
    """The training process ended without an answer.

    Args:
        message: Why.
        code: The exit code that says so.
    """

    def __init__(self, message: str, code: Exit) -> None:
        super().__init__(message)
        self.code = code


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

    Raises:
        Interrupted: If a signal stopped it.
        OSError: If the folder of models cannot be locked.
    """
    began = time.monotonic()
    models = Models(Path(pipeline.models))
    notify = _notifier(pipeline, say)
    try:
        with held(models.root):
            try:
                document = _Retraining(pipeline, models, train, say, notify, allow_unsafe, force).run()
            except (AutofixError, OSError) as error:
                document = _failed(models, error, notify)
    except Locked as error:
        document = {**line.blank(models), **line.ended(Status.LOCKED, Exit.TRY_LATER, str(error))}
    return {**document, "seconds": round(time.monotonic() - began, 3)}


def roll_back(pipeline: Pipeline, version: int, *, say: Callable[[str], None]) -> Document:
    """Makes an earlier version the champion again, and nothing else.

    Args:
        pipeline: Names the folder of models.
        version: The version.
        say: Told in a line what is going on.

    Raises:
        FixYourCall: If there is no such version, or it was not found fit to serve.
    """
    models = Models(Path(pipeline.models))
    try:
        with held(models.root):
            if version not in models.versions or not models.blessed(version):
                whole = [number for number in models.versions if models.blessed(number)]
                raise FixYourCall(f"`--rollback` needs one of the blessed versions {whole}. Received: {version}.")
            with contextlib.suppress(FixYourCall):  # the version that serves is missing: that is what is mended here
                settle(models, _notifier(pipeline, say))
            models.point(version)
            ended = line.ended(Status.ROLLED_BACK, Exit.DONE, f"version {version} serves again")
            record = {**ended, "time": line.now(), "version": version, "current": version}
            history.append(models.history, record)
            return {**line.blank(models), **record}
    except Locked as error:
        return {**line.blank(models), **line.ended(Status.LOCKED, Exit.TRY_LATER, str(error))}


@dataclass
class _Retraining:
    pipeline: Pipeline
    models: Models
    train: Train
    say: Callable[[str], None]
    notify: Callable[[Mapping[str, Any]], list[str]]
    allow_unsafe: bool
    force: bool

    def run(self) -> Document:
        """The whole path; every step is on the disk before the next one begins."""
        for record in settle(self.models, self.notify):
            self.say(f"finished what was decided before: {record['reason']}")
        self.champion = self.models.current()
        self.settings = settings_fingerprint(self.pipeline, self.champion)
        self.source = source_fingerprint(self.pipeline)
        known = [] if self.force else self.known()
        for record in known:
            if self.source is not None and record["source"] == self.source:
                return self.repeated(record)
        work = Work.of(self.models, digest([self.settings, self.source, self.champion, self.force]))
        drop_others(self.models, work)
        answer = self.answer(work, known)
        if answer.repeated:
            return self.repeated(next(item for item in known if item["fingerprint"] == answer.fingerprint))
        decision = decide(_trained(answer), self.pipeline.compare.rule())
        work.write(DECISION, self.decided(answer, decision, work))
        return finish(self.models, work, self.notify)

    def answer(self, work: Work, known: Sequence[Mapping[str, Any]]) -> Answer:
        """What came of the training; it is made only if nobody made it before.

        Raises:
            NoAnswer: If there is none.
            Interrupted: If a signal stopped it.
        """
        document = work.read(ANSWER)
        if document is None:
            fingerprints = tuple(record["fingerprint"] for record in known)
            asked = asked_of(
                self.pipeline, self.models, self.champion, known=fingerprints, allow_unsafe=self.allow_unsafe
            )
            work.write(ASKED, asked.to_dict())
            end = self.train(work, asked)
            if end.exit in (Exit.INTERRUPTED, Exit.TERMINATED):
                raise Interrupted(end.exit)
            document = work.read(ANSWER)
            if document is None:
                raise NoAnswer(end.error or "the training process left no answer", end.exit or Exit.UNUSABLE)
        answer = Answer.from_dict(document)
        if answer.error is not None:
            work.drop_answer()
            raise NoAnswer(answer.error, Exit(answer.exit_code))
        return answer

    def decided(self, answer: Answer, decision: Decision, work: Work) -> Document:
        """What `finish` needs, so that nothing is decided again after a crash."""
        has_model = answer.challenger is not None and (work.folder / CHALLENGER / MODEL).is_file()
        version = self.next_version() if has_model else None
        origin = {"settings": self.settings, "source": self.source}
        record = line.decided(answer, decision, self.models, version, self.champion)
        run = {
            "fit": dict(answer.fit),
            "given": given_fit(self.pipeline),
            "labels": answer.labels,
            "champion": self.champion,
            "fingerprint": answer.fingerprint,
            "seconds": answer.seconds,
        }
        return {
            "record": {**record, "id": secrets.token_hex(8), **origin},
            "version": version,
            "promotes": decision.promotes,
            "champion": self.champion,
            "keep": self.pipeline.keep,
            "run": {**run, **origin},
        }

    def next_version(self) -> int:
        """A number that was never given before, though its version may be gone."""
        given: list[int] = [record["version"] for record in history.read(self.models.history) if record.get("version")]
        return max([0, *self.models.versions, *given]) + 1

    def known(self) -> list[Document]:
        """Finished retrainings whose answer still stands: of the same settings, and nothing has changed since.

        That is the last one, also after a roll back, which a schedule must not undo; and any that left the champion
        that serves now.
        """
        told = [record for record in history.read(self.models.history) if record.get("settings")]
        return [
            record
            for record in told
            if record["settings"] == self.settings
            and (record["current"] == self.champion or (record is told[-1] and self.champion is not None))
        ]

    def repeated(self, record: Document) -> Document:
        """The answer of a retraining that was made before."""
        drop_others(self.models, None)
        self.say("the data is known: nothing is trained")
        return {**record, "current": self.champion, "repeated": True}


def _failed(
    models: Models, error: AutofixError | OSError, notify: Callable[[Mapping[str, Any]], list[str]]
) -> Document:
    """A retraining that ended with an error: written down and told, but it is no answer to this data."""
    code = error.code if isinstance(error, NoAnswer) else exit_of(error)
    reason = of_the_machine(error) if isinstance(error, OSError) else str(error)
    status = Status.FAILED if isinstance(error, OSError) else STATUS_OF.get(code, Status.FAILED)
    record = {**line.blank(models), **line.ended(status, code, reason), "time": line.now()}
    with contextlib.suppress(OSError):  # a disk that is full takes no line, and somebody must hear of it
        history.append(models.history, record)
    return {**record, "notes": notify(record)}


def _notifier(pipeline: Pipeline, say: Callable[[str], None]) -> Callable[[Mapping[str, Any]], list[str]]:
    listeners = [entry.hook() for entry in pipeline.hooks]

    def notify(record: Mapping[str, Any]) -> list[str]:
        drifted = (record["drift"] or {}).get("found")
        status = Status[record["status"].upper()]
        failed: list[str] = []
        for event in (*(["drift"] if drifted else []), EVENTS.get(status, "failed")):
            failed += hooks.notify(listeners, event, record)
        for trouble in failed:
            say(trouble)
        return failed

    return notify


def _trained(answer: Answer) -> Trained:
    return Trained(
        answer.verdict,
        answer.sentence,
        None if answer.challenger is None else Standing.from_dict(answer.challenger),
        None if answer.champion is None else Standing.from_dict(answer.champion),
        None if answer.contest is None else Contest.from_dict(answer.contest),
        answer.chance,
    )
