"""`autofix report`: a finished run for people to read."""

from __future__ import annotations

from pathlib import Path

import click
from click.core import ParameterSource

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
# What a file is to hold, by how its name ends.
ENDINGS = {
    ".json": "json", ".yaml": "yaml", ".yml": "yaml", ".md": "markdown", ".html": "html", ".htm": "html",
}  # fmt: skip


@click.command(epilog=options.READING)
@click.argument("run", type=click.Path())
# On the command line alone: in a config file, and in the environment, `out` is a run folder.
@click.option("-o", "--out", metavar="FILE", type=click.Path(), help="File to write to.  [default: standard output]")
@options.setting(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    default="table",
    help="How the result is written.  [default: by the ending of --out, else table]",
)
@options.common_options
@click.pass_context
def report(ctx: click.Context, run: str, out: str | None, form: str, verbose: int) -> None:
    """Write what a run found, changed and proved.

    RUN is a run folder. `-o report.html` writes a page for the browser, `-o report.md` Markdown.
    """
    import importlib

    from autofix.cli.running import configure_logs
    from autofix.files import write_text

    configure_logs(verbose)
    if ctx.get_parameter_source("form") is not ParameterSource.COMMANDLINE:
        form = ENDINGS.get(Path(out or "").suffix.lower(), form)
    module, _, name = FORMATS[form].partition(":")
    with ending():
        text = getattr(importlib.import_module(module), name)(Path(run))
        if out is not None:
            write_text(out, text)
    if out is None:
        click.echo(text, nl=False)
