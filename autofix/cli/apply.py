"""`autofix apply`: a patch made before, without searching again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from autofix.cli import options
from autofix.cli.ending import ending, usage
from autofix.cli.types import SpecType

EPILOG = f"""{options.VALUES}

\b
Exit codes: 0 written, 2 wrong usage or a patch for another model, 4 unusable
model or data, 75 try again later, 130/143 interrupted."""


@click.command(epilog=EPILOG)
@click.argument("patch", type=SpecType("PATCH"))
@click.argument("model", type=SpecType("MODEL"))
@options.setting("-o", "--out", type=SpecType("FILE"), required=True, help="The .keras file to write.")
@options.setting("--retrain", "train", is_flag=True, help="Train the patched model, on --data.")
@options.optional_data_option
@options.table_options
@options.validation_option
@options.fit_options
@options.run_options
@options.format_option
@options.allow_unsafe_option
@options.common_options
def apply(patch: str, out: str, train: bool, form: str, verbose: int, **settings: Any) -> None:
    """Apply the changes of a repair to a model, without searching.

    PATCH is a patch.yaml, a change_log.json or a run folder. MODEL and DATA are named as for autofix repair.

    The weights of the model are kept wherever they still fit; with --retrain the patched model is trained and scored on
    rows held out. A patch that was made for another model is refused, with the change that does not fit.
    """
    from autofix.cli.running import configure_logs, job_of, once
    from autofix.cli.showing import write
    from autofix.replaying import read_patch

    configure_logs(verbose)
    if not out.endswith(".keras"):
        raise usage(f"--out must end in .keras. Received: {out!r}.")
    if Path(out).is_dir():
        raise usage(f"--out must be a file. Received: {out!r}, a folder.")
    if train and settings["data"] is None:
        raise usage("--retrain needs --data.")
    if not train:
        if click.get_current_context().get_parameter_source("data") is ParameterSource.COMMANDLINE:
            raise usage("--data is used by --retrain alone. Add --retrain, or leave --data out.")
        settings["data"] = None  # a config file says it for all commands
    with ending():
        # What is wrong with it shows before TensorFlow is loaded.
        read_patch(Path(patch), allow_unsafe=settings["allow_unsafe"])
        ended = once("apply", job_of(settings), asked={"patch": patch, "model": out}, verbose=verbose)
    write(ended.document, form, _show)


def _show(document: Mapping[str, Any]) -> None:
    from autofix.cli.showing import show_changes

    show_changes(document)
    click.echo("")
    if document["retrained"]:
        score = document["score"]
        click.echo(f"{document['metric']} on rows held out: {'not finite' if score is None else f'{score:.3f}'}")
    else:
        click.echo(
            f"{document['weights_kept']} of {document['weights']} weight arrays are those of the model that came."
        )
        if document["for_fit"]:
            settings = ", ".join(f"{name}={value!r}" for name, value in document["for_fit"].items())
            click.echo(f"Settings of the patch for your own fit: {settings}")
    click.echo(f"Written to {document['model']}")
