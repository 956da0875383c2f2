"""`autofix explain`: the manual of symptoms and strategies."""

from __future__ import annotations

import click

from autofix.cli.ending import ending


def _names(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    from autofix.registry import strategies
    from autofix.symptom import Symptom

    names = (*(symptom.code for symptom in Symptom), *(strategy.name for strategy in strategies()))
    return [name for name in (*names, "symptoms", "strategies") if name.startswith(incomplete)]


@click.command()
@click.argument("name", required=False, shell_complete=_names)
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
    from autofix.report import pages

    with ending():
        click.echo(pages.written(name, form), nl=form != "markdown")
