"""`autofix patch`: the changes of a repair in the user's own script."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autofix import files
from autofix.cli.ending import ending, usage
from autofix.cli.terminal import say
from autofix.exits import Exit

if TYPE_CHECKING:
    from autofix.code.folder import Kept
    from autofix.code.patching import Proposal


@click.command(short_help="Show what a repair changes in your own script.")
@click.argument("script", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--run",
    "folder",
    required=True,
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the repair.",
)
@click.option("--write", is_flag=True, help="Change the script itself; without it, the diff is only shown.")
@click.option("--model", metavar="NAME", help="Function, class or variable of the script that holds the model.")
@click.option("--comments/--no-comments", default=True, show_default=True, help="Say beside each line why it changed.")
def patch(script: Path | None, folder: Path, write: bool, model: str | None, comments: bool) -> None:
    """Show what a repair changes in your own SCRIPT, as a unified diff on standard output.

    The script is parsed and never run. What has no safe place in it (values that are computed, layers that share a line
    with others, classes of your own) is told on standard error, with what to do by hand. Without SCRIPT, a new script
    that builds and fits the repaired model is written to standard output.

    Exits with 0 if the script holds all changes afterwards, with 3 if something remains to be done by hand, and with 2
    if the script is not the one that was repaired.
    """
    from autofix.code.folder import Kept

    with ending():
        kept = Kept.in_folder(folder)
        if script is None:
            if write:
                raise usage("--write needs a SCRIPT to write to.")
            click.echo(kept.to_code(), nl=False)
            return
        if not kept.patch:
            say("The repair changed nothing: there is nothing to patch.")
            return
        proposal = _proposed(script, kept, model, comments)
        if write and proposal.diff:
            with files.replacing(script.resolve()) as draft:  # a link to the script stays one
                draft.write_bytes(proposal.content)
                draft.chmod(script.stat().st_mode)
    click.echo(proposal.diff, nl=False)
    for remark in proposal.remarks:
        say(f"Note: {remark}")
    if proposal.is_done:
        say(f"{script} holds these changes already.")
    elif write and proposal.diff:
        say(f"{script} is changed.")
    if proposal.by_hand:
        say("To be done by hand:")
        for told in proposal.by_hand:
            say(f"  - {told}")
        sys.exit(Exit.NO_REPAIR)


def _proposed(script: Path, kept: Kept, model: str | None, comments: bool) -> Proposal:
    try:
        from autofix.code.patching import propose
    except ModuleNotFoundError as error:
        if error.name != "libcst":
            raise
        raise usage("`autofix patch` needs libcst to read scripts: pip install 'keras-autofix[code]'") from error
    return propose(script.read_bytes(), kept.recipe, kept.patch, name=_named(script), model=model, comments=comments)


def _named(script: Path) -> str:
    """What a script is called: its path from here, where `patch -p1` is run, as far as it is below."""
    path, here = script.absolute(), Path.cwd()
    return (path.relative_to(here) if path.is_relative_to(here) else path).as_posix()
