"""Options that commands share, and where their values come from.

A value is that of the option if it is given, else that of the environment variable `AUTOFIX_<OPTION>`, else that of
the config file, else the default.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

import click
from click.core import ParameterSource

from autofix.cli.types import BUDGET, CLASS_WEIGHT, COLUMN, STRATEGIES, SpecType

Decorated = TypeVar("Decorated", bound=Callable[..., Any] | click.Command)


class Decorator(Protocol):
    """Declares options of a command."""

    def __call__(self, command: Decorated, /) -> Decorated:
        """Returns the command with the options."""


VALUES = """\b
A value that is not given as an option is taken from the environment
variable AUTOFIX_<OPTION> (AUTOFIX_EPOCHS for --epochs), then from the config
file, which holds "epochs: 20" and is ./autofix.yaml unless named by --config."""
SOURCES = f"""{VALUES}

\b
Exit codes: 0 healthy or repaired, 2 wrong usage, 3 something is wrong and not
repaired, 4 unusable model or data, 75 try again later, 130/143 interrupted."""
READING = f"""{VALUES}

\b
Exit codes: 0 told, 2 wrong usage or no such run, 75 try again later."""
# What `--help` calls a value, by the type that click has a longer name for.
METAVARS = {click.IntRange: "N", type(click.FLOAT): "NUMBER", click.Path: "FILE"}


class Setting(click.Option):
    """An option that may also come from the environment and from a config file; messages say where a value is from."""

    def __init__(self, param_decls: Any = None, **attributes: Any) -> None:
        metavar = METAVARS.get(type(click.types.convert_type(attributes.get("type"))))
        if not attributes.get("count"):
            attributes.setdefault("metavar", metavar)
        super().__init__(param_decls, **attributes)
        self.envvar = f"AUTOFIX_{self.key.upper()}"

    @property
    def key(self) -> str:
        """What the setting is called in a config file."""
        return max(self.opts, key=len).lstrip("-").replace("-", "_")

    def get_error_hint(self, ctx: click.Context | None) -> str:
        """Returns what is wrong in the words of whoever set it."""
        source = ctx.get_parameter_source(self.name) if ctx is not None and self.name else None
        if source is ParameterSource.ENVIRONMENT:
            return f"{self.envvar} in the environment"
        if source is ParameterSource.DEFAULT_MAP and ctx is not None:
            return f"`{self.key}` in {ctx.meta.get(CONFIG, 'the config file')}"
        return super().get_error_hint(ctx)


# Key of `Context.meta` under which the config file in use is known.
CONFIG = "autofix.config"


def _read_config(ctx: click.Context, _: click.Parameter, value: str | None) -> str | None:
    from autofix.cli.settings import DEFAULT, read

    named = value is not None
    path = Path(value) if value is not None else Path(DEFAULT)
    if named or path.is_file():
        ctx.meta[CONFIG] = str(path)
        options = {item.key: item for item in ctx.command.params if isinstance(item, Setting)}
        ctx.default_map = read(path, options, named=named)
    return value


def every_key() -> set[str]:
    """Returns the keys of all settings of all commands, which may share one config file."""
    from autofix.cli import COMMANDS, main

    commands = (main.get_command(click.Context(main), name) for name in COMMANDS)
    return {param.key for command in commands if command for param in command.params if isinstance(param, Setting)}


def setting(*declarations: str, **attributes: Any) -> Decorator:
    """Declares a `Setting`."""
    return click.option(*declarations, cls=Setting, **attributes)


def together(*decorators: Decorator) -> Decorator:
    """Returns one decorator that declares several options, in the order in which `--help` lists them."""

    def decorate(command: Any) -> Any:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


config_option = click.option(
    "--config",
    envvar="AUTOFIX_CONFIG",
    metavar="FILE",
    type=click.Path(),
    is_eager=True,
    expose_value=False,
    callback=_read_config,
    help="YAML file with settings.  [default: autofix.yaml, if there is one]",
)
verbose_option = setting("-v", "--verbose", count=True, help="Show logs; twice for those of debugging.")
format_option = setting(
    "--format",
    "form",
    type=click.Choice(["table", "json", "yaml"]),
    default="table",
    show_default=True,
    help="How the result is written to standard output.",
)
allow_unsafe_option = setting(
    "--allow-unsafe", is_flag=True, help="Load Lambda layers from the model file: they run code that is in it."
)
table_options = together(
    setting("--target", "target_column", type=COLUMN, help="The column to predict, for tables."),
    setting("--drop", "drop_columns", type=COLUMN, multiple=True, help="A column to leave out; may be repeated."),
)
data_option = setting(
    "-d",
    "--data",
    type=SpecType("DATA"),
    help="Data set: a file, a folder, sklearn:NAME or module.py:function.",
    required=True,
)
optional_data_option = setting("-d", "--data", type=SpecType("DATA"), help="Data set, named as for autofix repair.")
validation_option = setting(
    "--validation-data", type=SpecType("DATA"), help="Data set apart for validation, named as --data is."
)
fit_options = together(
    setting("--epochs", type=click.IntRange(min=1), help="Epochs that you train for.  [default: 10]"),
    setting("--batch-size", type=click.IntRange(min=1), help="Rows in a batch.  [default: 32]"),
    setting("--class-weight", type=CLASS_WEIGHT, help="Weight of each class in the loss."),
    setting("--shuffle/--no-shuffle", default=True, show_default=True, help="Whether you shuffle the rows."),
)
run_options = together(
    setting(
        "--metric",
        metavar="NAME",
        default="auto",
        show_default=True,
        help="Balanced accuracy or R2, or a scikit-learn scorer.",
    ),
    setting(
        "--weights",
        type=click.Choice(["auto", "keep", "reset"]),
        default="auto",
        show_default=True,
        help="Which weights runs start from.",
    ),
    setting("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of everything."),
)
search_options = together(
    setting("--budget", type=BUDGET, default="10x", show_default=True, help="90s, 30m, 2h, or multiples of one run."),
    setting("--strategies", type=STRATEGIES, help="Remedies to use; all of them if left out."),
    setting("--target-score", "target", type=float, help="A score that is good enough: the search stops there."),
    setting("--storage", metavar="URL", help="Database of the search.  [default: a journal in the run folder]"),
    setting("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Candidates trained at once."),
)
common_options = together(config_option, verbose_option)
