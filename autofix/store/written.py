"""Results as JSON that any reader takes and that comes back as it was, to the last bit."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, get_type_hints

from autofix.change import Patch
from autofix.outcome import Outcome, Status
from autofix.strategy import RangeTest
from autofix.trace import Trace

# JSON has no word for NaN and infinities: they are written as an object with this one key.
FLOAT = "$float"
# What is not written by the type of the field: enumerations by name, patches as the change log has them.
APART = ("patch", "status", "weights")


def dumped(document: Mapping[str, Any]) -> str:
    """Returns plain data as JSON text; every float comes back from `loaded` as it was."""
    return json.dumps(_escaped(document), allow_nan=False, separators=(",", ":"))


def loaded(text: str | bytes) -> Any:
    """Reads what `dumped` wrote.

    Raises:
        ValueError: If it is no JSON.
    """
    return json.loads(text, object_hook=_unescaped)


def of_outcome(outcome: Outcome) -> dict[str, Any]:
    """Returns an outcome as plain data, without its weights."""
    model = _plain_outcome()
    values = {name: getattr(outcome, name) for name in model.model_fields}
    document = dict(model.model_construct(**values).model_dump())
    return {"patch": outcome.patch.to_dict(), "status": outcome.status.name, **document}


def to_outcome(document: Mapping[str, Any]) -> Outcome:
    """Reads what `of_outcome` wrote.

    Raises:
        ValueError, KeyError: If it is no outcome.
    """
    plain = _plain_outcome().model_validate({name: document[name] for name in document if name not in APART})
    values = {name: getattr(plain, name) for name in type(plain).model_fields}
    return Outcome(patch=Patch.from_dict(document["patch"]), status=Status[document["status"]], **values)


def to_range_test(document: Mapping[str, Any]) -> RangeTest:
    """Reads what `RangeTest.to_dict` wrote.

    Raises:
        ValueError: If it is none.
    """
    test: RangeTest = _adapter(RangeTest).validate_python(dict(document))
    return test


def to_trace(document: Mapping[str, Any]) -> Trace:
    """Reads what `Trace.to_dict` wrote.

    Raises:
        ValueError: If it is none.
    """
    trace: Trace = _adapter(Trace).validate_python(dict(document))
    return trace


@functools.cache
def _adapter(kind: Any) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


@functools.cache
def _plain_outcome() -> Any:
    """A model of the fields of `Outcome` that follow from their types, whatever fields it will have."""
    from pydantic import ConfigDict, create_model

    hints = get_type_hints(Outcome)
    # What has a default may be missing: it was written before there was such a field.
    known: Any = {
        item.name: (hints[item.name], ... if item.default is MISSING else item.default)
        for item in fields(Outcome)
        if item.name not in APART
    }
    return create_model("PlainOutcome", __config__=ConfigDict(extra="forbid"), **known)


def _escaped(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else {FLOAT: repr(float(value))}
    if isinstance(value, Mapping):
        return {key: _escaped(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_escaped(item) for item in value]
    return value


def _unescaped(document: dict[str, Any]) -> Any:
    return float(document[FLOAT]) if document.keys() == {FLOAT} else document
