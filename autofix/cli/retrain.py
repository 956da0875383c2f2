"""`autofix retrain`: fresh data, the champion's recipe, and a contest; for cron and other schedulers."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from autofix.cli import options

if TYPE_CHECKING:
    from types import FrameType

EPILOG = f"""{options.VALUES}

\b
Exit codes: 0 done: promoted, or the champion rightly kept; 2 wrong usage or
pipeline; 3 no acceptable model came of it, the champion is kept; 4 unusable
model or data; 75 try again later (another one is under way, a disk is full);
130/143 interrupted: the same command goes on.

\b
The last line on standard output is JSON: status, exit_code, promoted, version,
current, scores, reason, fingerprint, seconds and more. Everything else goes to
standard error."""


class LastLine(click.Command):
    """A command whose last line on standard output is JSON, even where its own words are wrong."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Reads the command line; of what is wrong with it the last line is written before it is told."""
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as error:
            from autofix.exits import Exit
            from autofix.retraining import line
            from autofix.retraining.decision import Status

            _told({**line.blank(), **line.ended(Status.USAGE, Exit.USAGE, error.format_message())}, 0)
            raise


@click.command(cls=LastLine, epilog=EPILOG, short_help="Train on fresh data, and promote what is better.")
@click.argument("pipeline", type=click.Path())
@options.setting(
    "--exit-code-healthy",
    type=click.IntRange(0, 125),
    default=0,
    show_default=True,
    help="Exit code in place of 0 where the champion stays and nothing is wrong: 99 lets Airflow skip what follows.",
)
@options.setting("--force", is_flag=True, help="Train though the data is known.")
@click.option("--rollback", metavar="VERSION", type=click.IntRange(min=1), help="Make a version the champion again.")
@options.allow_unsafe_option
@options.common_options
def retrain(
    pipeline: str, exit_code_healthy: int, force: bool, rollback: int | None, allow_unsafe: bool, verbose: int
) -> None:
    """Train the champion's recipe on fresh data, and promote the new model if it is better.

    PIPELINE is a YAML file; `autofix config example pipeline` prints one to begin with. A stalled training is repaired
    within its budget. Known data trains nothing and gives the same answer.
    """
    from autofix import config
    from autofix.cli.running import configure_logs, telling
    from autofix.cli.terminal import configure_tensorflow, say
    from autofix.errors import AutofixError, of_the_machine
    from autofix.exits import Exit, exit_of
    from autofix.retraining import line, running
    from autofix.retraining.children import trainer
    from autofix.retraining.config import Pipeline
    from autofix.retraining.decision import Status

    configure_logs(verbose)
    configure_tensorflow()
    with _terminable():
        try:
            settings = config.read(pipeline, Pipeline)
            if rollback is not None:
                document = running.roll_back(settings, rollback, say=say)
            else:
                with telling(verbose) as tell:
                    train = trainer(tell)
                    document = running.retrain(settings, train=train, say=say, allow_unsafe=allow_unsafe, force=force)
        except AutofixError as error:
            document = {**line.blank(), **line.ended(Status.USAGE, exit_of(error), str(error))}
        except (KeyboardInterrupt, running.Interrupted) as stop:
            code = stop.code if isinstance(stop, running.Interrupted) else Exit.INTERRUPTED
            document = {**line.blank(), **line.ended(Status.INTERRUPTED, code, Status.INTERRUPTED.value)}
        except OSError as error:
            document = {**line.blank(), **line.ended(Status.FAILED, exit_of(error), of_the_machine(error))}
    say(f"{document['status'].upper()}  {document['reason']}")
    sys.exit(_told(document, exit_code_healthy))


def _told(document: dict[str, Any], exit_code_healthy: int) -> int:
    """Prints the last line and returns the exit code."""
    if document["status"] == "kept":
        document = {**document, "exit_code": exit_code_healthy}
    click.echo(json.dumps(document, separators=(",", ":")))
    return int(document["exit_code"])


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """Makes SIGTERM an exception, so that the last line is written; what is on the disk is whole at any moment."""
    from autofix.exits import Exit
    from autofix.retraining.running import Interrupted

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise Interrupted(Exit.TERMINATED)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
