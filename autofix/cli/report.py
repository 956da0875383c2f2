"""`autofix report`: a finished run for people to read."""

from __future__ import annotations

from pathlib import Path

import click

from autofix.cli import options
from autofix.cli.ending import ending

# What is written of a run, by the name of the format: each takes the run folder and returns the text.
FORMATS = {
    "table": "autofix.cli.folder:text",
    "json": "autofix.cli.folder:as_json",
    "yaml": "autofix.cli.folder:as_yaml",
    "markdown": "autofix.cli.folder:markdown",
    "html": "autofix.cli.folder:html",
}


@click.command(epilog=options.READING)
@click.argument("run", type=click.Path())
# On the command line alone: in a config file, and in the environment, `out` is a run folder.
@click.option("-o", "--out", metavar="FILE", type=click.Path(), help="File to write to.  [default: standard output]")
@options.setting(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    default="table",
    show_default=True,
    help="How the result is written.",
)
@options.common_options
def report(run: str, out: str | None, form: str, verbose: int) -> None:
    """Write what a run found, changed and proved.

    RUN is a run folder.
    """
    import importlib

    from autofix.cli.running import configure_logs
    from autofix.files import write_text

    configure_logs(verbose)
    module, _, name = FORMATS[form].partition(":")
    with ending():
        text = getattr(importlib.import_module(module), name)(Path(run))
        if out is not None:
            write_text(out, text)
    if out is None:
        click.echo(text, nl=False)
