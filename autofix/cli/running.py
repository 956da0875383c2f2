"""Jobs, from the command line: run them, tell of their progress, hand back how they ended."""

from __future__ import annotations

import contextlib
import logging
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autofix.cli.ending import failure
from autofix.cli.terminal import configure_tensorflow, printable, say
from autofix.job import Job

if TYPE_CHECKING:
    from autofix.supervisor import Ended


@contextlib.contextmanager
def telling(verbose: int) -> Iterator[Callable[[str], None]]:
    """Yields who is told lines of progress: a status line in a terminal, a line of text each with -v, else nobody.

    Args:
        verbose: How often -v was given.
    """
    if verbose:
        last = ""

        def line(text: str) -> None:
            nonlocal last
            phase = text.split(" (", 1)[0]
            if phase != last or verbose > 1:
                say(text)
            last = phase

        yield line
        return
    if not sys.stderr.isatty():
        yield lambda text: None
        return
    from rich.console import Console
    from rich.markup import escape

    with Console(stderr=True).status("autofix") as status:
        yield lambda text: status.update(f"autofix: {escape(printable(text))}")


def configure_logs(verbose: int) -> None:
    """Lets logs through to standard error: warnings, with -v what is done, with -vv everything."""
    level = (logging.WARNING, logging.INFO, logging.DEBUG)[min(verbose, 2)]
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("autofix").setLevel(level)


def job_of(settings: Mapping[str, Any], out: str = "") -> Job:
    """Returns the job that options describe.

    Args:
        settings: Values of the options of a command, which are called like the fields of a job; others are left out.
        out: The run folder; empty where it is `once`'s own.
    """
    known = {item.name for item in fields(Job)} - {"out"}
    given = {name: value for name, value in settings.items() if name in known and value is not None}
    return Job(**{"data": "", **given, "out": out})


def run(job: Job, *, verbose: int = 0) -> Ended:
    """Does one job in processes below this one, which stays free of TensorFlow.

    One that is finished in its run folder, of the same files, is answered from there.
    """
    from autofix.answered import answered
    from autofix.store.folder import RunFolder
    from autofix.supervisor import Ended, supervise

    _look_up(job)
    before = answered(job)
    if before is not None:
        say("this repair is finished already; delete its folder to make it again")
        return Ended(before, RunFolder.at(job.out).result_document())

    configure_tensorflow()
    with telling(verbose) as tell:
        return supervise([job], say=tell)[0]


def once(what: str, job: Job, *, asked: Mapping[str, Any] | None = None, verbose: int = 0) -> Ended:
    """Does what is over in one go in a process below this one, which stays free of TensorFlow.

    Args:
        what: Name of a function of `autofix.once`.
        job: What to do; its `out` is a folder of this function's own.
        asked: What it is asked for beside the job.
        verbose: How often -v was given.

    Returns:
        How it ended; `document` is its answer.

    Raises:
        click.ClickException: If there is none.
    """
    from autofix.files import write_json
    from autofix.once import ASKED
    from autofix.supervisor import supervise

    _look_up(job)
    configure_tensorflow()
    with tempfile.TemporaryDirectory(prefix="autofix-") as folder, telling(verbose) as tell:
        if asked is not None:
            write_json(Path(folder) / ASKED, asked)
        ended = supervise([replace(job, out=folder)], say=tell, execute=f"autofix.once:{what}")[0]
    if ended.error is not None or not ended.document:
        raise failure(ended.error or "stopped.", ended.exit)
    return ended


def _look_up(job: Job) -> None:
    """Names files that are not there before anybody waits for TensorFlow."""
    from autofix.sources.spec import SKLEARN, code_of, existing

    for spec, what in ((job.model, "model"), (job.data, "data"), (job.validation_data, "data")):
        code = code_of(spec or SKLEARN)
        if code is not None and code.is_file:
            existing(code.module, "Python file")
        elif code is None and spec and not spec.startswith(SKLEARN):
            existing(spec, what)
