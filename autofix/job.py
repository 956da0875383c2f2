"""`Job`: one repair as plain data, so that it can be written down, sent to another process and resumed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from autofix.errors import FixYourCall, did_you_mean
from autofix.frozen import FrozenDict


@dataclass(frozen=True)
class Job:
    """What `autofix repair` is asked for. Fields that `autofix.repair` has mean the same.

    Attributes:
        model: A `.keras` or `.h5` file, or `module.py:function` or `package.module:function` that builds one.
        data: A file or folder of data, `sklearn:NAME`, or `module.py:function` that loads it.
        out: The run folder.
        target_column: The column to predict, for data that comes as a table.
        drop_columns: Columns of a table to leave out.
        validation_data: Data set apart for validation, named as `data` is; None to hold rows of `data` out.
        epochs: Epochs that the user trains for.
        batch_size: Rows in a batch.
        class_weight: Weight per class.
        shuffle: Whether `fit` shuffles.
        metric: Name of the metric.
        target: Score that is good enough.
        budget: What the repair may cost.
        strategies: Names of the strategies to use; None for all.
        weights: Which weights runs start from.
        seed: Seed of everything.
        storage: URL of the database that holds the search; None for a journal in the run folder.
        jobs: Candidates trained at the same time.
        allow_unsafe: Whether a model file may hold Lambda layers, which are code.
    """

    model: str
    data: str
    out: str
    target_column: str | None = None
    drop_columns: tuple[str, ...] = ()
    validation_data: str | None = None
    epochs: int | None = None
    batch_size: int | None = None
    class_weight: Mapping[str, float] | None = None
    shuffle: bool = True
    metric: str = "auto"
    target: float | None = None
    budget: str = "10x"
    strategies: tuple[str, ...] | None = None
    weights: Literal["auto", "keep", "reset"] = "auto"
    seed: int = 0
    storage: str | None = None
    jobs: int = 1
    allow_unsafe: bool = False

    def __post_init__(self) -> None:
        if self.class_weight is not None:
            object.__setattr__(self, "class_weight", FrozenDict(self.class_weight))
        if self.strategies is not None:
            object.__setattr__(self, "strategies", tuple(self.strategies))
        object.__setattr__(self, "drop_columns", tuple(self.drop_columns))

    def to_dict(self) -> dict[str, Any]:
        """Returns the job as JSON-ready data."""
        document = asdict(self)
        document["class_weight"] = None if self.class_weight is None else dict(self.class_weight)
        document["drop_columns"] = list(self.drop_columns)
        document["strategies"] = None if self.strategies is None else list(self.strategies)
        return document

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Job:
        """Reads what `to_dict` wrote.

        Raises:
            FixYourCall: If a key is unknown or one is missing.
        """
        known = {item.name for item in fields(cls)}
        for key in document:
            if key not in known:
                raise FixYourCall(f"`{key}` is no setting of a job.{did_you_mean(key, known)}")
        try:
            return cls(**document)
        except TypeError as error:
            raise FixYourCall(f"this is not a job: {error}") from error
