"""What a pipeline's config file holds."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from autofix.config.fields import Duration, Folder, Section, Source
from autofix.config.sections import Repair, Whole
from autofix.retraining.decision import Rule
from autofix.retraining.drift import PSI
from autofix.retraining.hooks import Hook

Event = Literal["promoted", "kept", "failed", "drift"]
# Repetitions of a webhook; with doubled pauses ten take a quarter of an hour, in which the lock is held.
MOST_RETRIES = 10


def _short(value: Any) -> Any:
    """A data set may be written as its source alone."""
    return {"source": value} if isinstance(value, str) else value


def _words(value: Any) -> Any:
    """A command may be written as one line, as in a shell; none is started for it."""
    return tuple(shlex.split(value)) if isinstance(value, str) else value


class Fresh(Section):
    """Where fresh rows come from."""

    source: Source
    """A file or folder of data, `sklearn:NAME`, or `module.py:function` that loads it."""
    target_column: str | None = None
    """The column to predict, where the data is a table."""
    drop_columns: tuple[str, ...] = ()
    """Columns to leave out, where the data is a table."""


class Holdout(Section):
    """The rows that challenger and champion are compared on; no model is ever trained on them."""

    share: Annotated[float, Field(gt=0.0, le=0.5)] = 0.2
    """Share of the rows to hold out."""
    by: Literal["content", "last"] = "content"
    """`content`: a row is in or out for ever, whatever rows come with it. `last`: the last rows, for rows in order of
    time."""
    source: Source | None = None
    """Data set apart for the comparison, named as `data` is; then all rows of `data` are trained on."""


class Compare(Section):
    """What a challenger has to show."""

    alpha: Annotated[float, Field(gt=0.0, lt=0.5)] = 0.05
    """Largest p-value of the paired test at which it counts as better."""
    gain: Annotated[float, Field(ge=0.0)] = 0.0
    """Smallest gain in score that is worth a change."""

    def rule(self) -> Rule:
        """Returns it as what decides."""
        return Rule(self.alpha, self.gain)


class HookEntry(Section):
    """One command or webhook that is told of events."""

    events: Annotated[tuple[Event, ...], Field(min_length=1)] = ("promoted", "kept", "failed", "drift")
    """What it is told of; everything if left out."""
    command: Annotated[
        tuple[str, ...] | None, BeforeValidator(_words, json_schema_input_type=str | list[str] | None)
    ] = None
    """A program and its arguments. It gets the event as JSON on standard input and AUTOFIX_... in the environment."""
    webhook: Annotated[str, Field(pattern=r"^(https?://|\$\{)")] | None = None
    """An address that gets the event as JSON by POST. `${NAME}` is read from the environment."""
    headers: Mapping[str, str] = {}
    """Headers of that request; `${NAME}` is read from the environment."""
    timeout: Duration = 30.0
    """How long it may take, each time."""
    retries: Annotated[int, Field(ge=0, le=MOST_RETRIES)] = 2
    """Repetitions of a webhook that did not go through."""

    @model_validator(mode="after")
    def _one_way(self) -> HookEntry:
        if bool(self.command) == bool(self.webhook):
            raise ValueError("a hook needs `command` or `webhook`, and not both.")
        return self

    def hook(self) -> Hook:
        """Returns it as what is called."""
        headers = tuple(self.headers.items())
        return Hook(frozenset(self.events), self.command or (), self.webhook or "", headers, self.timeout, self.retries)


class Pipeline(Section):
    """A model that is trained again whenever there is fresh data."""

    models: Folder
    """Folder of the versions, relative to this file. Everything that is written is written there."""
    model: Source
    """What is trained first, and where `train` says so: a `.keras` file or `module.py:function` that builds it."""
    data: Annotated[Fresh, BeforeValidator(_short, json_schema_input_type=str | Fresh)]
    """The fresh data: a source, or a mapping with settings of its own."""
    train: Literal["champion", "model"] = "champion"
    """Whose program is trained: the champion's, with what repairs have changed in it, or `model` every time."""
    holdout: Holdout = Holdout()
    """The rows for the comparison."""
    compare: Compare = Compare()
    """What a challenger has to show to take the champion's place."""
    repair: Repair = Repair()
    """How the model is trained, and what a repair may cost, as `autofix.repair` takes it."""
    keep: Whole = 10
    """Versions that are kept; the one that serves always is."""
    drift: Annotated[float, Field(gt=0.0)] = PSI
    """Population stability index from which a feature counts as drifted."""
    hooks: tuple[HookEntry, ...] = ()
    """Who is told."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of everything."""
    jobs: Whole = 1
    """Candidates of a repair that are trained at the same time."""
