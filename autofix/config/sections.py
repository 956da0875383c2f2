"""Parts that several kinds of configs share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from autofix.config.fields import Budgeted, Section, Source, Strategies

Whole = Annotated[int, Field(ge=1)]


class Repair(Section):
    """Settings of a repair, as `autofix.repair` takes them; what is left out has its default."""

    epochs: Whole | None = None
    """Epochs that you train for."""
    batch_size: Whole | None = None
    """Rows in a batch."""
    class_weight: Mapping[str, Annotated[float, Field(ge=0)]] | None = None
    """Weight per class, as in `fit`."""
    shuffle: bool | None = None
    """Whether `fit` shuffles the rows."""
    metric: Annotated[str, Field(min_length=1)] | None = None
    """`auto`, or the name of a scikit-learn scorer."""
    target: float | None = None
    """A score that is good enough."""
    budget: Budgeted | None = None
    """What the repair may cost: `90s`, `30m`, `2h`, or `10x` for multiples of one run."""
    strategies: Strategies | None = None
    """Names of the strategies to use; all of them if left out."""
    weights: Literal["auto", "keep", "reset"] | None = None
    """Which weights runs start from."""

    def given(self) -> dict[str, Any]:
        """Returns what was given, by the names of the fields of a `Job`."""
        return {name: value for name, value in self if value is not None}


class Data(Section):
    """Where rows come from."""

    source: Source
    """A file or folder of data, `sklearn:NAME`, or `module.py:function` that loads it."""
    target_column: str | None = None
    """The column to predict, where the data is a table."""
    drop_columns: tuple[str, ...] = ()
    """Columns of a table to leave out."""
    validation_data: Source | None = None
    """Data set apart for validation; rows are held out if left out."""
