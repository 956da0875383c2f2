"""`autofix apply`: a patch made before, without searching again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from autofix.cli import options
from autofix.cli.ending import ending, usage
from autofix.cli.types import SpecType

if TYPE_CHECKING:
    from autofix.change import Patch
    from autofix.replaying import Replayed


@click.command(epilog=options.SOURCES)
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
    weights: Any,
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
    from autofix.cli.running import configure_logs, with_tensorflow
    from autofix.cli.showing import write
    from autofix.replaying import read_patch, replay

    configure_logs(verbose)
    if not out.endswith(".keras"):
        raise usage(f"--out must end in .keras. Received: {out!r}.")
    if Path(out).is_dir():
        raise usage(f"--out must be a file. Received: {out!r}, a folder.")
    if train and data is None:
        raise usage("--retrain needs --data.")
    if data is not None and not train:
        raise usage("--data is used by --retrain alone. Add --retrain, or leave --data out.")
    with ending():
        changes = read_patch(Path(patch))
        with with_tensorflow(verbose):
            from autofix.arguments import fit_settings
            from autofix.executing import load
            from autofix.files import replacing
            from autofix.replaying import retrain
            from autofix.session import prepare
            from autofix.sources.loaded import Table
            from autofix.sources.model import hints_for, load_model

            built = load_model(model, allow_unsafe=allow_unsafe)
            if data is None:
                replayed = replay(changes, built)
            else:
                loaded = load(data, validation_data, Table(target_column, drop_columns), hints_for(built))
                session = prepare(
                    built,
                    loaded.data,
                    validation_data=loaded.validation_data,
                    fit=fit_settings(epochs, batch_size, class_weight, shuffle),
                    metric=metric,
                    weights=weights,
                    seed=seed,
                )
                try:
                    replayed = retrain(changes, session)
                finally:
                    session.trainer.close()
            with replacing(out) as draft:
                replayed.model.save(draft)
    write(_document(changes, replayed, out), form, _show)


def _document(patch: Patch, replayed: Replayed, out: str) -> dict[str, Any]:
    return {
        **patch.to_dict(),
        "model": out,
        "retrained": replayed.metric is not None,
        "weights_kept": replayed.kept,
        "weights": replayed.arrays,
        "metric": replayed.metric,
        "score": replayed.score,
        "for_fit": {change.key: change.to_dict()["after"] for change in patch if change.path.startswith("fit/")},
    }


def _show(document: Mapping[str, Any]) -> None:
    from autofix.cli.showing import show_changes

    show_changes(document)
    click.echo("")
    if document["retrained"]:
        click.echo(f"{document['metric']} on rows held out: {document['score']:.3f}")
    else:
        click.echo(
            f"{document['weights_kept']} of {document['weights']} weight arrays are those of the model that came."
        )
        if document["for_fit"]:
            settings = ", ".join(f"{name}={value!r}" for name, value in document["for_fit"].items())
            click.echo(f"Settings of the patch for your own fit: {settings}")
    click.echo(f"Written to {document['model']}")
