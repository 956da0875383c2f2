"""`autofix sweep`: many repairs from one file."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from autofix.cli import options
from autofix.cli.ending import ending, usage
from autofix.cli.terminal import configure_tensorflow, say
from autofix.cli.types import BUDGET, COLUMN, STRATEGIES, SpecType

if TYPE_CHECKING:
    from autofix.sweeps.config import Sweep

CONFIGS = (".yaml", ".yml")
# Columns of the table where nobody looks at a terminal.
WIDTH = 160
# Options that a repair of a sweep file takes over; those of one model or data set in the file stay as they are.
REPAIR = ("epochs", "batch_size", "metric", "budget", "target")
# Options that belong to a MODEL alone.
MODEL = ("data", "target_column", "strategies", "seeds")


def _seeds(_ctx: click.Context, _param: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    try:
        return None if value is None else tuple(int(seed) for seed in value.split(","))
    except ValueError as error:
        raise click.BadParameter(
            f"{value!r} are no seeds. Write whole numbers parted by commas, like 0,1,2."
        ) from error


EPILOG = """\b
A value that is not given as an option is taken from the environment
variable AUTOFIX_<OPTION>, then from SWEEP.YAML; for a MODEL from the config
file, which holds "epochs: 20" and is ./autofix.yaml unless named by --config.

\b
Exit codes, the first that holds: 130/143 interrupted; 75 the storage or a
disk does not answer; 2 wrong usage; 4 some model or data cannot be used;
3 some cell found no acceptable repair; 0 all well."""


@click.command(epilog=EPILOG, short_help="Repair many models on many data sets.")
@click.argument("source", metavar="SWEEP.YAML|MODEL", type=SpecType("SWEEP.YAML|MODEL"))
@options.setting("-d", "--data", type=SpecType("DATA"), multiple=True, help="Data set for MODEL; may be repeated.")
@options.setting("--target", "target_column", type=COLUMN, help="The column to predict, for tables.")
@options.setting(
    "-o",
    "--out",
    metavar="FOLDER",
    type=click.Path(),
    help="Folder of the sweep.  [default: as in the file; runs/MODEL-sweep]",
)
@options.setting("--epochs", type=click.IntRange(min=1), help="Epochs that you train for.  [default: 10]")
@options.setting("--batch-size", type=click.IntRange(min=1), help="Rows in a batch.  [default: 32]")
@options.setting("--metric", metavar="NAME", help="Balanced accuracy or R2, or a scikit-learn scorer.  [default: auto]")
@options.setting("--seeds", callback=_seeds, metavar="N,...", help="Seeds, each a repair of its own.  [default: 0]")
@options.setting("--budget", type=BUDGET, help="90s, 30m, 2h, or multiples of one run.  [default: 10x]")
@options.setting("--strategies", type=STRATEGIES, help="Remedies to compare: each alone, and all of these together.")
@options.setting("--target-score", "target", type=float, help="A score that is good enough: a search stops there.")
@options.setting("--storage", metavar="URL", help="Database that other machines join.  [default: a file in the folder]")
@options.setting("--study", metavar="NAME", help="Name of the sweep in the database.  [default: that of the folder]")
@options.setting("--jobs", type=click.IntRange(min=1), help="Repairs under way at the same time.  [default: 1]")
@options.format_option
@options.allow_unsafe_option
@options.common_options
def sweep(source: str, form: str, allow_unsafe: bool, verbose: int, **settings: Any) -> None:
    """Repair many models on many data sets, with many sets of strategies and seeds.

    SWEEP.YAML says which: `autofix config example sweep` prints one to begin with. For a single MODEL the options say
    it: one repair with all strategies, or with --strategies one for each of these alone and one for them together.

    Run the same command again to go on where it stopped: what is finished is not done again. The summary is written to
    standard output, and to summary.json and summary.csv in the folder.
    """
    from autofix.cli.running import configure_logs, telling

    configure_logs(verbose)
    with ending():
        from autofix.supervisor import supervise
        from autofix.sweeps import summary, sweeping

        configure_tensorflow()
        config, base = (_from_file if source.endswith(CONFIGS) else _from_options)(source, _given(settings, source))
        with telling(verbose) as tell:
            swept = sweeping.begin(
                config, base=base, supervise=supervise, say=say, tell=tell, allow_unsafe=allow_unsafe
            )
    whole = summary.document(swept.name, swept.rows, swept.exit)
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDTH
    click.echo(summary.as_text(swept.rows, form, whole, width), nl=False)
    sys.exit(int(swept.exit))


def _given(settings: dict[str, Any], source: str) -> dict[str, Any]:
    """Returns what was asked for; a sweep in a file of its own asks nothing of the config file."""
    where = click.get_current_context().get_parameter_source
    own = source.endswith(CONFIGS)
    return {
        name: value
        for name, value in settings.items()
        if value not in (None, ()) and not (own and where(name) is ParameterSource.DEFAULT_MAP)
    }


def _from_file(source: str, given: dict[str, Any]) -> tuple[Sweep, Path]:
    """Reads a sweep; options beat what the file says of all its repairs."""
    from autofix.config import read
    from autofix.sweeps.config import Sweep

    for name in MODEL:
        context = click.get_current_context()
        if name in given and context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise usage(f"--{name.replace('_column', '')} is for a MODEL. Set it in {source}, or name a model instead.")
    config = read(source, Sweep, present=True)
    repair = config.repair.model_copy(update={name: given[name] for name in REPAIR if name in given})
    own: dict[str, Any] = {name: given[name] for name in ("out", "jobs", "storage", "study") if name in given}
    return config.model_copy(update={**own, "repair": repair}), Path(source).parent


def _from_options(source: str, given: dict[str, Any]) -> tuple[Sweep, Path]:
    """Returns the sweep that options describe."""
    from autofix.sweeps.config import DataEntry, ModelEntry, StrategySet, Sweep, name_of

    if "data" not in given:
        raise usage("--data is missing. Name a data set, or a sweep.yaml instead of the model.")
    names = given.get("strategies", ())
    sets = [StrategySet(use=(name,)) for name in names]
    if len(names) != 1:
        sets.append(StrategySet(use=names or None))
    repair = {name: given[name] for name in REPAIR if name in given}
    target = given.get("target_column")
    return Sweep.model_validate(
        {
            "out": given.get("out", str(Path("runs") / f"{name_of(source)}-sweep")),
            "models": (ModelEntry(source=source),),
            "data": tuple(DataEntry(source=data, target_column=target) for data in given["data"]),
            "strategies": tuple(sets),
            "seeds": given.get("seeds", (0,)),
            "repair": repair,
            **{name: given[name] for name in ("jobs", "study") if name in given},
        }
    ).model_copy(update={"storage": given.get("storage")}), Path()
