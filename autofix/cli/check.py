"""`autofix check`: what shows without any training."""

from __future__ import annotations

from typing import Any

import click

from autofix.cli import options
from autofix.cli.ending import ending
from autofix.cli.types import SpecType


@click.command(epilog=options.SOURCES, short_help="Say what is wrong as far as it shows without training.")
@click.argument("model", type=SpecType("MODEL"))
@options.optional_data_option
@options.table_options
@options.fit_options
@options.format_option
@options.allow_unsafe_option
@options.common_options
def check(form: str, verbose: int, **settings: Any) -> None:
    """Say what is wrong with a model, and with its data, as far as it shows without training.

    MODEL and DATA are named as for autofix repair. Without --data the model alone is looked at. Exits with 3 if
    something is found that matters.
    """
    from autofix.cli.running import configure_logs, job_of, once
    from autofix.cli.showing import show_findings, write

    configure_logs(verbose)
    with ending():
        ended = once("check", job_of(settings), verbose=verbose)
    count = len(ended.document["findings"])
    counted = f"{count} {'thing is' if count == 1 else 'things are'} wrong, as shows before training."
    sentence = "Nothing is wrong that shows before training." if ended.document["ok"] else counted
    write({**ended.document, "sentence": sentence}, form, show_findings)
    raise SystemExit(int(ended.exit))
