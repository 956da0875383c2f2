"""`autofix demo`: a stuck run and its repair, without anything to set up."""

from __future__ import annotations

import sys

import click

from autofix.cli.terminal import configure_tensorflow, native_messages_held_back, say
from autofix.exits import Exit


@click.command()
@click.option(
    "--seed",
    metavar="N",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Seed of the whole demonstration.",
)
def demo(seed: int) -> None:
    """Repair a digits classifier that is stuck at chance.

    Takes under a minute and downloads nothing. Exits with 3 if the classifier could not be repaired.
    """
    say("Loading TensorFlow ...")
    configure_tensorflow()
    with native_messages_held_back():
        from autofix import demo as demonstration

    outcome = demonstration.run(seed=seed, say=say)
    click.echo(str(outcome))
    sys.exit(Exit.DONE if outcome.repaired else Exit.NO_REPAIR)
