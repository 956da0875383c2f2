"""The column to predict: numbers as they are, classes as the model's loss reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autofix.errors import FixYourData
from autofix.hints import OutputHint
from autofix.sources.columns import categories_of, numbers, texts

# Losses that read one column a class.
DENSE = ("categorical_crossentropy", "categorical_focal_crossentropy", "categorical_hinge", "kl_divergence")


@dataclass(frozen=True)
class Target:
    """A column to predict.

    Attributes:
        column: Its name.
        classes: The classes in the order of their numbers, as text; empty where its values stay what they are.
        one_hot: Whether a row has one column a class, instead of the number of its class.
        output: The model's output that it belongs to; None where the model has one output.
    """

    column: str
    classes: tuple[str, ...] = ()
    one_hot: bool = False
    output: str | None = None

    def encode(self, frame: Any) -> np.ndarray[Any, Any]:
        """Returns the targets, array [rows] or [rows, classes]; what is missing is NaN.

        Raises:
            FixYourData: If there is a class that is not known.
        """
        if not self.classes:
            return numbers(frame[self.column])
        place = {label: index for index, label in enumerate(self.classes)}
        labels = _labels(frame[self.column])
        unknown = sorted({label for label in labels if label is not None and label not in place})
        if unknown:
            raise FixYourData(
                f"column {self.column!r} must hold the classes {', '.join(self.classes[:10])}. Received: "
                f"{unknown[0]!r}. Put rows of every class into the data to train on."
            )
        index = np.array([np.nan if label is None else place[label] for label in labels])
        if self.one_hot:
            rows = (index[:, None] == np.arange(len(self.classes))[None, :]).astype(np.float64)
            return np.where(np.isnan(index)[:, None], np.nan, rows)
        return index if np.isnan(index).any() else index.astype(np.int64)

    def to_dict(self) -> dict[str, Any]:
        """Returns the target as JSON-ready data."""
        return {"column": self.column, "classes": list(self.classes), "one_hot": self.one_hot, "output": self.output}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Target:
        """Reads what `to_dict` wrote."""
        classes = tuple(map(str, document["classes"]))
        return cls(str(document["column"]), classes, bool(document["one_hot"]), document["output"])


def target_of(series: Any, hint: OutputHint | None, output: str | None) -> Target:
    """Returns how a column is to be predicted by an output.

    Text becomes the number of its class, in alphabetical order. Losses that read one column a class get them.

    Args:
        series: The column.
        hint: What the model says about the output; None where it says nothing.
        output: Name of the output, where the model has several.

    Raises:
        FixYourData: If there is nothing to predict in it.
    """
    name = str(series.name)
    classes = categories_of(series)
    if series.dropna().nunique() < 2:
        raise FixYourData(
            f"column {name!r} must hold at least two different values to predict. Received: "
            f"{str(series.dropna().iloc[0])!r} in every row. Pick another --target, or add rows of another class."
        )
    dense = hint is not None and hint.loss in DENSE
    if classes is None and dense:
        values = numbers(series)
        known = values[~np.isnan(values)]
        units = hint.units if hint is not None else None
        if units and units > 1 and set(known.tolist()) <= set(range(units)):
            classes = tuple(map(str, range(units)))
    if classes is None:
        return Target(name, output=output)
    fits = hint is not None and hint.units == len(classes)
    return Target(name, classes, dense and fits, output)


def _labels(series: Any) -> list[str | None]:
    if getattr(series.dtype, "kind", "O") not in "iuf":
        return texts(series)
    return [None if np.isnan(value) else str(int(value)) for value in numbers(series)]
