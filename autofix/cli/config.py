"""`autofix config`: what config files may hold."""

from __future__ import annotations

import click

# The kinds of `autofix.config.KINDS`, without importing what reads them.
KIND = click.Choice(["sweep", "pipeline"])


@click.group()
def config() -> None:
    """Print the schema or an example of a config file."""


@config.command(short_help="Print the JSON schema of a config file.")
@click.argument("kind", type=KIND)
def schema(kind: str) -> None:
    """Print the JSON schema of a config file, for editors that check while you type."""
    from autofix import config as configs

    click.echo(configs.schema(kind))


@config.command()
@click.argument("kind", type=KIND)
def example(kind: str) -> None:
    """Print a commented config file to begin with."""
    from autofix import config as configs

    click.echo(configs.example(kind), nl=False)
