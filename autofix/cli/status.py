"""`autofix status`: what became of a run, or what it is at."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from autofix.cli import options
from autofix.cli.ending import ending


@click.command(epilog=options.READING)
@click.argument("run", type=click.Path())
@options.format_option
@options.common_options
def status(run: str, form: str, verbose: int) -> None:
    """Say what became of a run, or what it is at.

    RUN is a run folder, or a folder of run folders, such as that of a sweep.
    """
    from autofix.cli.folder import runs_in
    from autofix.cli.running import configure_logs
    from autofix.cli.showing import write

    configure_logs(verbose)
    with ending():
        rows = [state.to_dict() for state in runs_in(Path(run))]
    write({"runs": rows}, form, _show)


def _show(document: Mapping[str, Any]) -> None:
    from autofix.cli.showing import show_rows

    columns = ("run", "state", "result", "before", "after", "metric", "trials", "seconds")
    show_rows(document["runs"], columns)
    for row in document["runs"]:
        if row["error"]:
            click.echo(f"{row['run']}: {row['error']}")
