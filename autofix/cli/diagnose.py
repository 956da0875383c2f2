"""`autofix diagnose`: what is wrong with a run, without a repair."""

from __future__ import annotations

from typing import Any

import click

from autofix.cli import options
from autofix.cli.ending import ending
from autofix.cli.types import SpecType


@click.command(epilog=options.SOURCES)
@click.argument("model", type=SpecType("MODEL"))
@options.data_option
@options.table_options
@options.validation_option
@options.fit_options
@options.run_options
@options.format_option
@options.allow_unsafe_option
@options.common_options
def diagnose(form: str, verbose: int, **settings: Any) -> None:
    """Train a model once, as it is, and say what stalls it.

    MODEL and DATA are named as for autofix repair. Exits with 3 if something is found that matters.
    """
    from autofix.cli.running import configure_logs, job_of, once
    from autofix.cli.showing import show_findings, write

    configure_logs(verbose)
    with ending():
        ended = once("diagnose", job_of(settings), verbose=verbose)
    count = len(ended.document["findings"])
    counted = f"{count} {'thing stalls' if count == 1 else 'things stall'} this run."
    sentence = "Nothing stalls this run." if ended.document["ok"] else counted
    write({**ended.document, "sentence": sentence}, form, show_findings)
    raise SystemExit(int(ended.exit))
