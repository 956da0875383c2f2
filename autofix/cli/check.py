"""`autofix check`: what shows without any training."""

from __future__ import annotations

from typing import Any

import click

from autofix.cli import options
from autofix.cli.ending import ending
from autofix.cli.types import SpecType
from autofix.exits import Exit


@click.command(epilog=options.SOURCES)
@click.argument("model", type=SpecType("MODEL"))
@options.optional_data_option
@options.table_options
@options.fit_options
@options.format_option
@options.allow_unsafe_option
@options.common_options
def check(
    model: str,
    data: str | None,
    target_column: str | None,
    drop_columns: tuple[str, ...],
    epochs: int | None,
    batch_size: int | None,
    class_weight: dict[str, float] | None,
    shuffle: bool,
    form: str,
    allow_unsafe: bool,
    verbose: int,
) -> None:
    """Say what is wrong with a model, and with its data, as far as it shows without training.

    MODEL and DATA are named as for autofix repair. Without --data the model alone is looked at. Exits with 3 if
    something is found that matters.
    """
    from autofix.cli.running import configure_logs, with_tensorflow
    from autofix.cli.showing import show_findings, write

    configure_logs(verbose)
    with ending(), with_tensorflow(verbose):
        from autofix.executing import load
        from autofix.preflight import check as checked
        from autofix.sources.loaded import Table
        from autofix.sources.model import hints_for, load_model

        built = load_model(model, allow_unsafe=allow_unsafe)
        given = None
        if data is not None:
            given = load(data, None, Table(target_column, drop_columns), hints_for(built)).data
        result = checked(built, given, epochs=epochs, batch_size=batch_size, class_weight=class_weight, shuffle=shuffle)
    count = len(result)
    counted = f"{count} {'thing is' if count == 1 else 'things are'} wrong, as shows before training."
    sentence = "Nothing is wrong that shows before training." if result.ok else counted
    document: dict[str, Any] = {**result.to_dict(), "sentence": sentence}
    write(document, form, show_findings)
    raise SystemExit(int(Exit.DONE if result.ok else Exit.NO_REPAIR))
