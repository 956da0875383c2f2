"""`autofix report`: a finished run for people to read."""

from __future__ import annotations

from pathlib import Path

import click

from autofix.cli import options
from autofix.cli.ending import ending

# What is written of a run, by the name of the format: each takes the run folder and returns the text.
FORMATS = {
    "text": "autofix.cli.folder:text",
    "markdown": "autofix.cli.folder:markdown",
    "html": "autofix.cli.folder:html",
}
# What a file is to hold, by how its name ends.
ENDINGS = {".html": "html", ".htm": "html", ".md": "markdown", ".markdown": "markdown"}


# Both options are of this call alone: `format` and `out` of a config file say what `autofix repair` writes, and where.
@click.command(epilog=options.SOURCES)
@click.argument("run", type=click.Path())
@click.option(
    "--format", "form", type=click.Choice(list(FORMATS)), help="Form.  [default: by the ending of --out, else text]"
)
@click.option("-o", "--out", type=click.Path(), help="File to write to.  [default: standard output]")
@options.common_options
def report(run: str, form: str | None, out: str | None, verbose: int) -> None:
    """Write what a run found, changed and proved.

    RUN is a run folder. `-o report.html` writes a page for the browser, `-o report.md` Markdown.
    """
    import importlib

    from autofix.cli.running import configure_logs
    from autofix.files import write_text

    configure_logs(verbose)
    form = form or ENDINGS.get(Path(out or "").suffix.lower(), "text")
    module, _, name = FORMATS[form].partition(":")
    with ending():
        text = getattr(importlib.import_module(module), name)(Path(run))
        if out is not None:
            write_text(out, text)
    if out is None:
        click.echo(text, nl=False)
