"""`autofix worker`: one more worker for a sweep."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from autofix.cli import options
from autofix.cli.ending import ending
from autofix.cli.terminal import configure_tensorflow, say


def _duration(_ctx: click.Context, _param: click.Parameter, value: str) -> float:
    from autofix.budget import Budget
    from autofix.errors import FixYourCall

    try:
        seconds = 0.0 if value in ("0", "0s") else Budget.of(value).seconds
    except FixYourCall:
        seconds = None
    if seconds is None:
        raise click.BadParameter(f"{value!r} is no duration. Write 90s, 30m or 2h.")
    return seconds


EPILOG = f"""{options.VALUES}

\b
Exit codes: 0 the sweep is done, 2 wrong usage, 4 nothing works on this
machine, 75 the storage or a disk does not answer, 130/143 interrupted."""


@click.command(epilog=EPILOG)
@options.setting(
    "--folder",
    metavar="FOLDER",
    type=click.Path(file_okay=False),
    default=".",
    show_default=True,
    help="Where the models and data of the sweep are; nothing outside of it is read.",
)
@options.setting(
    "-o",
    "--out",
    metavar="FOLDER",
    type=click.Path(file_okay=False),
    help="Folder for run folders.  [default: runs/STUDY]",
)
@options.setting("--storage", metavar="URL", required=True, help="Database of the sweep, as given to autofix sweep.")
@options.setting("--study", metavar="NAME", required=True, help="Name of the sweep in the database.")
@options.setting(
    "--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Repairs under way at the same time."
)
@options.setting(
    "--wait",
    callback=_duration,
    metavar="TIME",
    default="60s",
    show_default=True,
    help="Wait so long for the sweep to be begun.",
)
@options.setting("--stay", is_flag=True, help="When all is done, wait for the sweep to grow instead of ending.")
@click.option("--allow-code", is_flag=True, help="Run functions (module.py:function) that the sweep names.")
@options.allow_unsafe_option
@options.common_options
def worker(
    storage: str,
    study: str,
    jobs: int,
    folder: str,
    out: str | None,
    wait: float,
    stay: bool,
    allow_code: bool,
    allow_unsafe: bool,
    verbose: int,
) -> None:
    """Join a sweep from any machine.

    Takes cells of a sweep that `autofix sweep --storage URL` began, until it is done. Any number of workers may join
    and leave: at SIGTERM a worker gives back what it works on; the cells of one that dies are found and done by others.
    Results go into the storage, so that disks need not be shared.

    Whoever can write to the database decides what a worker does. It reads files below --folder alone, and runs code
    that the sweep names only if you pass --allow-code.
    """
    from autofix.cli.running import configure_logs, telling

    configure_logs(verbose)
    with ending():
        from autofix.supervisor import supervise
        from autofix.sweeps import sweeping

        configure_tensorflow()
        with telling(verbose) as tell:
            code = sweeping.join(
                storage,
                study,
                folder=Path(folder),
                out=Path(out) if out else Path("runs") / study,
                supervise=supervise,
                say=say,
                tell=tell,
                slots=jobs,
                wait=wait,
                stay=stay,
                allow_code=allow_code,
                allow_unsafe=allow_unsafe,
            )
    sys.exit(int(code))
