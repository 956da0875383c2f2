"""`autofix completion`: what a shell needs to complete commands, options, files, strategies and symptoms."""

from __future__ import annotations

import click

SHELLS = ("bash", "zsh", "fish")


USE = """\b
bash:  autofix completion bash >> ~/.bashrc
zsh:   autofix completion zsh >> ~/.zshrc
fish:  autofix completion fish > ~/.config/fish/completions/autofix.fish"""


@click.command(epilog=USE)
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print what makes a shell complete autofix."""
    from click.shell_completion import get_completion_class

    from autofix.cli import main

    made = get_completion_class(shell)
    assert made is not None  # the shells are those that click knows
    click.echo(made(main, {}, "autofix", "_AUTOFIX_COMPLETE").source())
