"""Types of option values: each refuses what `autofix.repair` would refuse, before TensorFlow is loaded."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from autofix.errors import FixYourCall, did_you_mean

if TYPE_CHECKING:
    Text = click.ParamType[str, Any]
    Names = click.ParamType[tuple[str, ...], Any]
    Weights = click.ParamType[dict[str, float], Any]
else:  # generic only since click 8.4
    Text = Names = Weights = click.ParamType


class BudgetType(Text):
    """A duration (`90s`, `30m`, `2h`) or multiples of one run (`10x`); stays the text that was given."""

    name = "budget"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Returns what `--help` shows."""
        return "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Returns the text, checked."""
        from autofix.budget import Budget

        text = str(value).strip()
        text = f"{text}s" if re.fullmatch(r"\d+(\.\d*)?", text) else text
        try:
            Budget.of(text)
        except FixYourCall:
            self.fail(f"{value!r} is no budget. Write a duration (90s, 30m, 2h) or multiples of one run (10x).", param)
        return text


class StrategiesType(Names):
    """Names of strategies, parted by commas."""

    name = "strategies"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Returns what `--help` shows."""
        return "NAME,..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Returns the names, each of which exists."""
        from autofix.registry import strategies

        names = value if isinstance(value, list | tuple) else [part.strip() for part in str(value).split(",")]
        names = tuple(str(name) for name in names if str(name))
        try:
            strategies(names)
        except FixYourCall as error:
            self.fail(str(error), param)
        return names

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Returns the strategies that the last of the names may become."""
        from autofix.registry import strategies

        *before, last = incomplete.split(",")
        lead = "".join(f"{name}," for name in before)
        names = (strategy.name for strategy in strategies())
        return [CompletionItem(lead + name) for name in names if name.startswith(last) and name not in before]


class ClassWeightType(Weights):
    """Weights of classes, such as `0=1,1=5`."""

    name = "class_weight"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Returns what `--help` shows."""
        return "CLASS=WEIGHT,..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, float]:
        """Returns weights by class."""
        pairs = (
            value.items() if isinstance(value, Mapping) else [part.rpartition("=")[::2] for part in value.split(",")]
        )
        weights = {}
        for label, weight in pairs:
            try:
                number = float(weight)
            except (TypeError, ValueError):
                number = -1.0
            if not str(label).strip() or not 0 <= number < float("inf"):
                self.fail(f"{value!r} gives no weights. Write a class and its weight, like 0=1,1=5.", param)
            weights[str(label).strip()] = number
        return weights


class SpecType(Text):
    """A file or folder, `module.py:function`, `package.module:function` or `sklearn:NAME`; completes files.

    In the environment several are parted by commas, where an option takes several.
    """

    name = "spec"
    envvar_list_splitter = ","

    def __init__(self, metavar: str) -> None:
        self.metavar = metavar

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Returns what `--help` shows."""
        return self.metavar

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Returns the text, which must not be empty."""
        text = str(value)
        if not text.strip() or "\0" in text:
            self.fail("is empty. Name a file, or module.py:function.", param)
        return text

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Lets the shell complete names of files."""
        return [CompletionItem(incomplete, type="file")]


class ColumnType(Text):
    """A column's name; in the environment several are parted by commas."""

    name = "column"
    envvar_list_splitter = ","

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Returns what `--help` shows."""
        return "COLUMN"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Returns the name."""
        return str(value)


class NameType(Text):
    """One of several names, with a did-you-mean; they are looked up only when needed."""

    def __init__(self, name: str, known: Callable[[], Collection[str]]) -> None:
        self.name = name
        self.known = known

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Returns the name, which exists."""
        known = self.known()
        if value not in known:
            self.fail(f"there is no {self.name} {value!r}.{did_you_mean(str(value), known)}", param)
        return str(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Returns the names that begin like this."""
        return [CompletionItem(name) for name in self.known() if name.startswith(incomplete)]


BUDGET = BudgetType()
STRATEGIES = StrategiesType()
CLASS_WEIGHT = ClassWeightType()
COLUMN = ColumnType()
