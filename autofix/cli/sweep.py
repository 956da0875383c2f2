"""`autofix sweep`: many repairs from one file."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from autofix.cli.terminal import say

if TYPE_CHECKING:
    from autofix.sweeps.config import Sweep

CONFIGS = (".yaml", ".yml")


def _names(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    return None if value is None else tuple(name.strip() for name in value.split(",") if name.strip())


def _seeds(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    if value is None:
        return None
    try:
        return tuple(int(seed) for seed in value.split(","))
    except ValueError as error:
        raise click.BadParameter(f"seeds must be whole numbers parted by commas, as 0,1,2. Received: {value!r}.") from error


@click.command()
@click.argument("source", metavar="SWEEP.YAML | MODEL")
@click.option("-d", "--data", multiple=True, help="Data set for a MODEL; may be repeated.")
@click.option("--target", "target_column", metavar="COLUMN", help="The column to predict, for tables.")
@click.option("--strategies", metavar="A,B,...", callback=_names, help="Strategies to compare, one cell each and one for all of them.")
@click.option("--seeds", metavar="0,1,...", callback=_seeds, help="Seeds, each a repair of its own.  [default: 0]")
@click.option("--epochs", envvar="AUTOFIX_EPOCHS", type=click.IntRange(min=1), help="Epochs that you train for.")
@click.option("--batch-size", envvar="AUTOFIX_BATCH_SIZE", type=click.IntRange(min=1), help="Rows in a batch.")
@click.option("--metric", envvar="AUTOFIX_METRIC", help="Name of a scikit-learn scorer.")
@click.option("--budget", envvar="AUTOFIX_BUDGET", help="90s, 30m, 2h, or multiples of one run such as 10x.")
@click.option("-o", "--out", envvar="AUTOFIX_OUT", help="Folder of the sweep.  [default: out of the file, or runs/MODEL]")
@click.option("--jobs", envvar="AUTOFIX_JOBS", type=click.IntRange(min=1), help="Repairs under way at the same time.  [default: 1]")
@click.option("--storage", envvar="AUTOFIX_STORAGE", metavar="URL", help="Database that other machines can join.  [default: a file in the folder]")
@click.option("--study", envvar="AUTOFIX_STUDY", help="Name of the sweep in the database.  [default: name of the folder]")
@click.option("--allow-unsafe", is_flag=True, help="Load Lambda layers from model files: they run code that is in them.")
@click.option("--format", "form", envvar="AUTOFIX_FORMAT", type=click.Choice(["table", "json", "yaml"]), default="table", show_default=True, help="How the summary is written to standard output.")
def sweep(source: str, form: str, allow_unsafe: bool, **settings: Any) -> None:
    """Repair many models on many data sets, with many sets of strategies and seeds.

    SWEEP.YAML says which; `autofix config example sweep` prints one to begin with. For a single MODEL, the options say
    it: with --strategies, one repair for each strategy alone and one for all of these together.

    Run the same command again to go on where it stopped: what is finished is not done again.

    \b
    Exit codes: 130/143 interrupted; else 75 the storage or a disk does not
    answer; else 4 some model or data cannot be used; else 3 some cell found no
    acceptable repair; else 0.  2 wrong usage.
    """
    from autofix.cli.ending import ending

    with ending():
        from autofix.supervisor import supervise
        from autofix.sweeps import summary, sweeping

        config, base = _config(source, settings)
        swept = sweeping.begin(config, base=base, supervise=supervise, say=say, allow_unsafe=allow_unsafe)
        whole = summary.document(swept.name, swept.rows, swept.exit)
        width = click.get_terminal_size().columns if sys.stdout.isatty() else 160
        click.echo(summary.as_text(swept.rows, form, whole, width), nl=False)
    sys.exit(int(swept.exit))
