"""`autofix explain`: the manual of symptoms and strategies."""

from __future__ import annotations

import click


@click.command()
@click.argument("name", required=False)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="How to write it.",
)
def explain(name: str | None, form: str) -> None:
    """Say what a symptom is or what a strategy does.

    NAME is that of a symptom or a strategy; or "symptoms" or "strategies" for all of them in full. Without a name, all
    are listed in one line each.
    """
    from autofix.errors import FixYourCall
    from autofix.report import pages

    try:
        click.echo(pages.written(name, form), nl=form != "markdown")
    except FixYourCall as error:
        raise click.ClickException(str(error)) from error
