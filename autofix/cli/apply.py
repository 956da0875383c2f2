"""`autofix apply`: a patch made before, without searching again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import click

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
def apply(
    patch: str,
    model: str,
    out: str,
    train: bool,
    data: str | None,
    target_column: str | None,
    drop_columns: tuple[str, ...],
    validation_data: str | None,
    epochs: int | None,
    batch_size: int | None,
    class_weight: dict[str, float] | None,
    shuffle: bool,
    metric: str,
    weights: Literal["auto", "keep", "reset"],
    seed: int,
    form: str,
    allow_unsafe: bool,
    verbose: int,
) -> None:
    """Apply the changes of a repair to a model, without searching.

    PATCH is a patch.yaml, a change_log.json or a run folder. MODEL and DATA are named as for autofix repair.

    The weights of the model are kept wherever they still fit; with --retrain the patched model is trained and scored on
    rows held out. A patch that was made for another model is refused, with the change that does not fit.
    """
    from autofix.cli.running import configure_logs, once
    from autofix.cli.showing import write
    from autofix.job import Job
    from autofix.replaying import read_patch

    configure_logs(verbose)
    if not out.endswith(".keras"):
        raise usage(f"--out must end in .keras. Received: {out!r}.")
    if Path(out).is_dir():
        raise usage(f"--out must be a file. Received: {out!r}, a folder.")
    if train and data is None:
        raise usage("--retrain needs --data.")
    if data is not None and not train:
        raise usage("--data is used by --retrain alone. Add --retrain, or leave --data out.")
    job = Job(
        model=model,
        data=data or "",
        out="",
        target_column=target_column,
        drop_columns=drop_columns,
        validation_data=validation_data,
        epochs=epochs,
        batch_size=batch_size,
        class_weight=class_weight,
        shuffle=shuffle,
        metric=metric,
        weights=weights,
        seed=seed,
        allow_unsafe=allow_unsafe,
    )
    with ending():
        read_patch(Path(patch), allow_unsafe=allow_unsafe)  # what is wrong with it shows before TensorFlow is loaded
        ended = once("apply", job, asked={"patch": patch, "model": out}, verbose=verbose)
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
