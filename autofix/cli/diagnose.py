"""`autofix diagnose`: what is wrong with a run, without a repair."""

from __future__ import annotations

from typing import Any, Literal

import click

from autofix.cli import options
from autofix.cli.ending import ending
from autofix.cli.types import SpecType
from autofix.exits import Exit


@click.command(epilog=options.SOURCES)
@click.argument("model", type=SpecType("MODEL"))
@options.data_option
@options.table_options
@options.validation_option
@options.fit_options
@options.run_options
@options.format_option
@options.allow_unsafe_option
@options.common_options
def diagnose(
    model: str,
    data: str,
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
    """Train a model once, as it is, and say what stalls it.

    MODEL and DATA are named as for autofix repair. Exits with 3 if something is found that matters.
    """
    from autofix.cli.running import configure_logs, with_tensorflow
    from autofix.cli.showing import show_findings, write
    from autofix.findings import Findings

    configure_logs(verbose)
    with ending(), with_tensorflow(verbose) as tell:
        from autofix.api import diagnose as diagnosed
        from autofix.executing import load
        from autofix.progress import Line
        from autofix.sources.loaded import Table
        from autofix.sources.model import hints_for, load_model

        line = Line()
        built = load_model(model, allow_unsafe=allow_unsafe)
        loaded = load(data, validation_data, Table(target_column, drop_columns), hints_for(built))
        found = diagnosed(
            built,
            loaded.data,
            validation_data=loaded.validation_data,
            epochs=epochs,
            batch_size=batch_size,
            class_weight=class_weight,
            shuffle=shuffle,
            metric=metric,
            weights=weights,
            seed=seed,
            progress=lambda phase, outcome=None, clock=None: tell(line.after(phase, outcome, clock)),
        )
    result = Findings.of(found, ())
    count = len(result)
    sentence = (
        "Nothing stalls this run."
        if result.ok
        else f"{count} {'thing stalls' if count == 1 else 'things stall'} this run."
    )
    document: dict[str, Any] = {**result.to_dict(), "sentence": sentence, "told": list(loaded.notes)}
    write(document, form, show_findings)
    raise SystemExit(int(Exit.DONE if result.ok else Exit.NO_REPAIR))
