"""The `autofix` command.

Results go to standard output, everything else to standard error, so that a result can be piped. Each command is a file
of its own that is read when it is asked for, and imports what it needs when it runs: `autofix --help` must not wait for
TensorFlow.
"""

from __future__ import annotations

import importlib

import click

from autofix.errors import did_you_mean

# Module of each command, which is the function of the same name in it, in the order in which `--help` lists them.
COMMANDS = {
    "demo": "autofix.cli.demo",
    "repair": "autofix.cli.repair",
    "sweep": "autofix.cli.sweep",
    "diagnose": "autofix.cli.diagnose",
    "check": "autofix.cli.check",
    "explain": "autofix.cli.explain",
    "retrain": "autofix.cli.retrain",
    "worker": "autofix.cli.worker",
    "status": "autofix.cli.status",
    "report": "autofix.cli.report",
    "apply": "autofix.cli.apply",
    "patch": "autofix.cli.patch",
    "config": "autofix.cli.config",
    "completion": "autofix.cli.completion",
}


class Commands(click.Group):
    """A group whose members are imported one by one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Returns the names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Returns a command, None if there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(COMMANDS[cmd_name]), cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Returns the command that is asked for; of a name that is not known, the nearest one is named."""
        if args[0] not in COMMANDS and not args[0].startswith("-") and not ctx.resilient_parsing:
            raise click.UsageError(f"there is no command {args[0]!r}.{did_you_mean(args[0], COMMANDS)}", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="keras-autofix", prog_name="autofix", message="%(prog)s %(version)s")
def main() -> None:
    """Find out why a Keras training run is stuck, and repair it."""
