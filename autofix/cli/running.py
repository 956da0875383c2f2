"""Jobs, from the command line: run them, tell of their progress, hand back how they ended."""

from __future__ import annotations

import contextlib
import importlib
import json
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from autofix.cli.terminal import configure_tensorflow, native_messages_held_back, say
from autofix.exits import Exit
from autofix.job import Job


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


def run(job: Job, *, verbose: int = 0) -> tuple[Exit, dict[str, Any]]:
    """Runs one job, and returns how it ended and what its run folder says about that."""
    configure_tensorflow()
    from autofix.executing import execute

    with telling(verbose) as tell:
        tell("loading TensorFlow")
        with native_messages_held_back():
            importlib.import_module("autofix.recipe.build")
        code = execute(job, tell=tell)
    return code, ended(Path(job.out))


def ended(folder: Path) -> dict[str, Any]:
    """Returns what a run folder says about how the run ended; empty where it says nothing."""
    try:
        document: dict[str, Any] = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return document
