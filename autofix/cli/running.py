"""Jobs, from the command line: run them, tell of their progress, hand back how they ended."""

from __future__ import annotations

import contextlib
import importlib
import logging
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from autofix.cli.terminal import configure_tensorflow, native_messages_held_back, say
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

    with Console(stderr=True).status("autofix") as status:
        yield lambda text: status.update(f"autofix: {text}")


def configure_logs(verbose: int) -> None:
    """Lets logs through to standard error: warnings, with -v what is done, with -vv everything."""
    level = (logging.WARNING, logging.INFO, logging.DEBUG)[min(verbose, 2)]
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("autofix").setLevel(level)


@contextlib.contextmanager
def with_tensorflow(verbose: int) -> Iterator[Callable[[str], None]]:
    """Imports TensorFlow into this process, for what is over in one run; yields who is told lines of progress."""
    configure_tensorflow()
    with telling(verbose) as tell:
        tell("importing TensorFlow")
        with native_messages_held_back():
            importlib.import_module("autofix.recipe.build")
        logging.getLogger("absl").setLevel(logging.ERROR)
        # What the user's own code prints is no result.
        with contextlib.redirect_stdout(sys.stderr):
            yield tell


def run(job: Job, *, verbose: int = 0) -> Ended:
    """Does one job in processes below this one, which stays free of TensorFlow.

    One that is finished in its run folder, of the same files, is answered from there.
    """
    from autofix.answered import answered
    from autofix.store.folder import RunFolder
    from autofix.supervisor import Ended, supervise

    before = answered(job)
    if before is not None:
        say("this repair is finished already; delete its folder to make it again")
        return Ended(before, RunFolder.at(job.out).result_document())

    configure_tensorflow()
    with telling(verbose) as tell:
        return supervise([job], say=tell)[0]
