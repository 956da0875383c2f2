"""`autofix diagnose`: what is wrong with a run, without a repair."""

from __future__ import annotations

from typing import Literal

import click

from autofix.cli import options
from autofix.cli.ending import ending
from autofix.cli.types import SpecType


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
    from autofix.cli.running import configure_logs, once
    from autofix.cli.showing import show_findings, write
    from autofix.job import Job

    configure_logs(verbose)
    job = Job(
        model=model,
        data=data,
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
        ended = once("diagnose", job, verbose=verbose)
    count = len(ended.document["findings"])
    counted = f"{count} {'thing stalls' if count == 1 else 'things stall'} this run."
    sentence = "Nothing stalls this run." if ended.document["ok"] else counted
    write({**ended.document, "sentence": sentence}, form, show_findings)
    raise SystemExit(int(ended.exit))
