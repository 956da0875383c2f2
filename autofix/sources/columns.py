"""What the columns of a table hold, and how one becomes numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from autofix.errors import FixYourData

Kind = Literal["number", "codes", "one_hot", "one_hot_but_first"]
KINDS = ("number", "codes", "one_hot", "one_hot_but_first")
# A text column is one of numbers with gaps ("?", "n/a") if at least this share of its values are numbers.
NUMBERS = 0.9
# Texts in more than this share of the rows, and more than so many, are names or prose, not categories.
DISTINCT_SHARE = 0.5
FEW = 20
# A layer this wide on one column is no longer a category that somebody meant.
MOST_CATEGORIES = 1_000
DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}([ T]\d.*)?|\d{1,2}[./]\d{1,2}[./]\d{2,4}")


@dataclass(frozen=True)
class Column:
    """One column of a table, and how it becomes numbers.

    Attributes:
        name: Its name.
        kind: "number" as it is; "codes" the position among the categories; "one_hot" one column a category;
            "one_hot_but_first" the same without that of the first category.
        categories: The categories in order, as text; empty for numbers. Others are encoded as none of them, and as
            NaN by "codes".
    """

    name: str
    kind: Kind
    categories: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """Number of columns that it becomes."""
        count = len(self.categories)
        return {"number": 1, "codes": 1, "one_hot": count, "one_hot_but_first": count - 1}[self.kind]

    def encode(self, frame: Any) -> np.ndarray[Any, Any]:
        """Returns the column of a frame as numbers, array [rows, width]; what is missing is NaN, or no category."""
        if self.kind == "number":
            return numbers(frame[self.name])[:, None]
        place = {category: index for index, category in enumerate(self.categories)}
        index = np.array([place.get(text or "", -1) for text in texts(frame[self.name])], dtype=np.int64)
        if self.kind == "codes":
            return (index if (index >= 0).all() else np.where(index >= 0, index, np.nan))[:, None]
        first = 1 if self.kind == "one_hot_but_first" else 0
        matches: np.ndarray[Any, Any] = index[:, None] == np.arange(first, len(self.categories))[None, :]
        return matches.astype(np.int64)

    def to_dict(self) -> dict[str, Any]:
        """Returns the column as JSON-ready data."""
        return {"name": self.name, "kind": self.kind, "categories": list(self.categories)}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Column:
        """Reads what `to_dict` wrote."""
        kind = next(kind for kind in KINDS if kind == document["kind"])
        return cls(str(document["name"]), kind, tuple(map(str, document["categories"])))  # type: ignore[arg-type]


def categories_of(series: Any) -> tuple[str, ...] | None:
    """Returns the categories that a column holds, sorted; None where it holds numbers.

    Raises:
        FixYourData: If it holds dates, lists, prose or nothing at all.
    """
    name, kind = str(series.name), getattr(series.dtype, "kind", "O")
    if kind in "Mm":
        raise _date(name, series.dtype)
    present = series.dropna()
    if len(present) == 0:
        raise FixYourData(
            f"column {name!r} must hold values. Received: none in any row. Leave it out: --drop {name!r}."
        )
    if kind in "biuf":
        return None
    for item in present.head(FEW):
        if not isinstance(item, str | bool | int | float | np.generic) and not hasattr(item, "as_tuple"):
            raise FixYourData(
                f"column {name!r} must hold one number or text a row. Received: {type(item).__name__}. "
                f"Leave it out: --drop {name!r}."
            )
    found = tuple(sorted({text for text in texts(present) if text is not None}))
    if set(found) <= {"False", "True"} or _share_of_numbers(present) >= NUMBERS:
        return None
    if all(DATE.fullmatch(text) for text in found[:FEW]):
        raise _date(name, found[0])
    if len(found) > MOST_CATEGORIES or (len(found) > FEW and len(found) > DISTINCT_SHARE * len(present)):
        raise FixYourData(
            f"column {name!r} must hold numbers or categories. Received: {len(found)} different texts in "
            f"{len(present)} rows, such as {found[0][:40]!r}. Leave it out: --drop {name!r}."
        )
    return found


def numbers(series: Any) -> np.ndarray[Any, Any]:
    """Returns a column of numbers as an array [rows]: whole numbers as such, what is missing or no number as NaN."""
    import pandas as pd

    if getattr(series.dtype, "kind", "O") not in "biuf":
        truth = {"True": 1, "False": 0}
        mapped = [truth.get(str(item), item) for item in series]
        series = pd.to_numeric(pd.Series(mapped, dtype=object), errors="coerce")
    if getattr(series.dtype, "kind", "f") in "bi" and not series.isna().any():
        return np.asarray(series.to_numpy(dtype=np.int64))
    return np.asarray(series.to_numpy(dtype=np.float64, na_value=np.nan))


def not_numbers(series: Any) -> tuple[str, ...]:
    """Returns the texts in a column of numbers that are none, such as "?"."""
    if getattr(series.dtype, "kind", "O") in "biuf":
        return ()
    missing = np.isnan(numbers(series))
    return tuple(dict.fromkeys(text for text, gap in zip(texts(series), missing, strict=True) if gap and text))


def numbers_the_rows(series: Any) -> bool:
    """Whether a column does nothing but count the rows."""
    values = numbers(series)
    return len(values) > FEW and bool(np.all(np.diff(values) == 1))


def texts(series: Any) -> list[str | None]:
    """Returns the values of a column as text, None where one is missing."""
    return [None if gone else str(item).strip() for item, gone in zip(series, series.isna(), strict=True)]


def _share_of_numbers(present: Any) -> float:
    return float(np.mean(~np.isnan(numbers(present))))


def _date(name: str, example: Any) -> FixYourData:
    return FixYourData(
        f"column {name!r} must hold numbers or categories. Received: dates ({example}). Write what matters of them as "
        f"numbers, such as the month or the days since another date, or leave the column out: --drop {name!r}."
    )
