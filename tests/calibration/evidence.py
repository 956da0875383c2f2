"""`Evidence` to JSON and back, so that rules judge a run again without training it."""

from __future__ import annotations

import enum
import hashlib
import types
import typing
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from typing import Any

import numpy as np

from autofix.facts import DataFacts, InputFacts, TargetFacts
from autofix.recipe import Recipe
from autofix.symptom import Evidence
from autofix.trace import LayerReading, PredictionReading, Trace

KEPT = (Trace, LayerReading, PredictionReading, DataFacts, InputFacts, TargetFacts)


def layout() -> str:
    """Returns 8 hexadecimal digits that change when rules are given more, or less, to look at."""
    names = [(kept.__name__, *(item.name for item in fields(kept))) for kept in KEPT]
    return hashlib.sha256(repr(names).encode()).hexdigest()[:8]


def to_dict(evidence: Evidence) -> dict[str, Any]:
    """Returns the evidence as JSON-ready data; of the user's own functions only the names are kept."""
    return {
        "recipe": evidence.recipe.to_dict(),
        "objects": sorted(evidence.recipe.objects),
        "fit_known": evidence.recipe.fit_known,
        "facts": _plain(asdict(evidence.facts)),
        "input_shapes": _plain(evidence.input_shapes),
        "output_shapes": _plain(evidence.output_shapes),
        "trace": None if evidence.trace is None else _plain(evidence.trace.to_dict()),
        "score": evidence.score,
        "perfect": evidence.perfect,
    }


def from_dict(document: Mapping[str, Any]) -> Evidence:
    """Reads what `to_dict` wrote.

    Raises:
        TypeError: If rules are given more to look at than was kept.
    """
    recipe = Recipe.from_dict(document["recipe"], objects=dict.fromkeys(document["objects"]))
    object.__setattr__(recipe, "fit_known", document["fit_known"])
    return Evidence(
        recipe,
        _restored(DataFacts, document["facts"]),
        _tupled(document["input_shapes"]),
        _tupled(document["output_shapes"]),
        None if document["trace"] is None else _restored(Trace, document["trace"]),
        document["score"],
        document["perfect"],
    )


def _plain(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def _restored(hint: Any, value: Any) -> Any:
    """Makes of JSON what the type hint says."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return None if value is None else _restored(next(item for item in inner if item is not type(None)), value)
    if is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        known = {item.name for item in fields(hint)} & set(value)
        return hint(**{name: _restored(hints[name], value[name]) for name in known})  # type: ignore[operator]
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return hint(value)
    if origin is tuple:
        return tuple(_restored(inner[0], item) for item in value) if inner[-1] is Ellipsis else _tupled(value)
    if isinstance(value, dict):
        return {key: _tupled(item) for key, item in value.items()}
    return _tupled(value)


def _tupled(value: Any) -> Any:
    return tuple(_tupled(item) for item in value) if isinstance(value, list) else value
