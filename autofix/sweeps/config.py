"""What a sweep's config file holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from autofix.config.fields import Folder, Name, Section, Source, Strategies
from autofix.config.paths import file_of, safe_name
from autofix.config.sections import Data, Repair, Whole
from autofix.store.urls import hidden

ALL = "all"


def _short(value: Any) -> Any:
    """A model or data set may be written as its source alone."""
    return {"source": value} if isinstance(value, str) else value


def _set_of_names(value: Any) -> Any:
    """`all`, a name, or a list of names."""
    if isinstance(value, str):
        return {"use": None if value == ALL else (value,)}
    return {"use": value} if isinstance(value, tuple) else value


def name_of(source: str) -> str:
    """Returns what a model or data set is called where nobody named it: its file without suffix, or its function."""
    file = file_of(source)
    if file is None or not source.endswith(file):  # sklearn:digits, package.module:build, models.py:build
        return safe_name(source.rpartition(":")[2])
    return safe_name(Path(file).stem)


class ModelEntry(Section):
    """One model of a sweep."""

    source: Source
    """A `.keras` or `.h5` file, or `module.py:function` that builds a model."""
    name: Name | None = None
    """What it is called in the table and in folders; the name of the file or function if left out."""
    repair: Repair = Repair()
    """Settings for this model; they beat those of the whole sweep."""


class DataEntry(Data):
    """One data set of a sweep."""

    name: Name | None = None
    """What it is called in the table and in folders; the name of the file or function if left out."""
    repair: Repair = Repair()
    """Settings for this data set; they beat those of the model and of the whole sweep."""


class StrategySet(Section):
    """Strategies that repairs may use together."""

    use: Strategies | None = None
    """Names of strategies; all of them if left out."""
    name: Name | None = None
    """What it is called in the table and in folders; the names joined by `+` if left out."""


def _distinct(seeds: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(seeds)) < len(seeds):
        raise ValueError(f"each seed must be given once. Received: {list(seeds)}.")
    return seeds


class Sweep(Section):
    """Every model on every data set, with every set of strategies and every seed: one repair each."""

    out: Folder
    """Folder of the sweep, relative to this file. Everything that is written is written there."""
    models: Annotated[
        tuple[Annotated[ModelEntry, BeforeValidator(_short, json_schema_input_type=str | ModelEntry)], ...],
        Field(min_length=1),
    ]
    """The models: sources, or mappings with settings of their own."""
    data: Annotated[
        tuple[Annotated[DataEntry, BeforeValidator(_short, json_schema_input_type=str | DataEntry)], ...],
        Field(min_length=1),
    ]
    """The data sets: sources, or mappings with settings of their own."""
    strategies: Annotated[
        tuple[
            Annotated[
                StrategySet, BeforeValidator(_set_of_names, json_schema_input_type=str | list[str] | StrategySet)
            ],
            ...,
        ],
        Field(min_length=1),
    ] = (StrategySet(),)
    """Sets of strategies, each tried apart from the others: `all`, a name, or a list of names."""
    seeds: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1), AfterValidator(_distinct)] = (0,)
    """Seeds, each a repair of its own."""
    repair: Repair = Repair()
    """Settings of all repairs."""
    jobs: Whole | None = None
    """Repairs under way at the same time on this machine; 1 if left out."""
    storage: str | None = None
    """Address of a database that other machines can join; a file in `out` if left out. Passwords: AUTOFIX_STORAGE."""
    study: Name | None = None
    """Name of the sweep in that database; the name of the folder `out` if left out."""

    @model_validator(mode="after")
    def _named_apart(self) -> Sweep:
        """Names make folders: two of the same kind must differ."""
        for kind, names in (
            ("models", [model_name(entry) for entry in self.models]),
            ("data", [data_name(entry) for entry in self.data]),
            ("strategies", [set_name(entry) for entry in self.strategies]),
        ):
            _refuse_twins(kind, names)
        if any(entry.use is not None for entry in self.strategies) and self.repair.strategies is not None:
            raise ValueError("set `strategies` or `repair.strategies`, not both.")
        if self.storage is not None and hidden(self.storage) != self.storage:
            raise ValueError(
                "`storage` must not hold a password: files are shared and committed. Set AUTOFIX_STORAGE or ~/.pgpass."
            )
        return self


def model_name(entry: ModelEntry) -> str:
    """Returns what a model is called."""
    return entry.name or name_of(entry.source)


def data_name(entry: DataEntry) -> str:
    """Returns what a data set is called."""
    return entry.name or name_of(entry.source)


def set_name(entry: StrategySet) -> str:
    """Returns what a set of strategies is called."""
    return entry.name or (ALL if entry.use is None else safe_name("+".join(entry.use)))


def _refuse_twins(kind: str, names: Sequence[str]) -> None:
    for place, name in enumerate(names):
        if name in names[:place]:
            raise ValueError(f"`{kind}` has two entries called {name!r}. Give one of them a `name:` of its own.")
