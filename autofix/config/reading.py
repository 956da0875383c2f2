"""`read`: a YAML file as a validated model, or all that is wrong with it at once."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from autofix.config.faults import START, Fault, FixYourConfig
from autofix.config.lines import LARGEST, Lines, parse
from autofix.errors import FixYourCall, did_you_mean
from autofix.store.urls import hidden

Model = TypeVar("Model", bound=BaseModel)
# Characters of a wrong value that a message repeats.
SHOWN = 60

# What a value must be, by the validator's name for what is wrong. Names in braces are its numbers.
RULES = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text",
    "list_type": "a list (`- item` lines, or [a, b])",
    "tuple_type": "a list (`- item` lines, or [a, b])",
    "dict_type": "a mapping (`key: value` lines)",
    "model_type": "a mapping (`key: value` lines)",
    "model_attributes_type": "a mapping (`key: value` lines)",
    "greater_than": "above {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "below {lt}",
    "less_than_equal": "at most {le}",
    "literal_error": "{expected}",
    "enum": "{expected}",
    "string_pattern_mismatch": "text of the form {pattern}",
    "string_too_short": "text that is not empty",
}


def read(path: str | os.PathLike[str], model: type[Model], *, present: bool = False) -> Model:
    """Reads a config file.

    Args:
        path: The YAML file.
        model: What it must hold: a pydantic model whose fields use the types of `autofix.config.fields`.
        present: Whether files that are to be read must be there already.

    Returns:
        The validated model; paths in it are relative to the folder of the file no more.

    Raises:
        FixYourConfig: If something is wrong, with everything that is wrong.
        FixYourCall: If the file cannot be read.
    """
    file = Path(path)
    try:
        with file.open("rb") as handle:
            content = handle.read(LARGEST + 1)
    except OSError as error:
        raise FixYourCall(f"the config file {str(path)!r} cannot be read: {error.strerror}. Check its name.") from error
    lines = parse(content)
    if lines.faults:
        raise FixYourConfig(str(path), lines.faults)
    if lines.value is None:
        raise FixYourConfig(
            str(path), [Fault(START, "the file is empty. Begin with what `autofix config example` prints.")]
        )
    context = {"folder": file.parent, "present": present}
    try:
        return model.model_validate(lines.value, context=context)
    except ValidationError as error:
        schema = model.model_json_schema()
        found = [_fault(detail, lines, schema) for detail in error.errors(include_url=False) if not _follows(detail)]
        raise FixYourConfig(str(path), list(dict.fromkeys(found))) from error


def _follows(detail: ErrorDetails) -> bool:
    """Whether this only says that a list has no valid item left: what is wrong with them is told anyway."""
    return detail["type"] == "too_short" and bool(detail["input"])


def _fault(detail: ErrorDetails, lines: Lines, schema: Mapping[str, Any]) -> Fault:
    kind, path = detail["type"], detail["loc"]
    if kind == "extra_forbidden":
        known = _known(schema, path[:-1])
        near = did_you_mean(str(path[-1]), known)
        return Fault(lines.key(path), f"there is no setting `{_dotted(path)}`.{near} Known: {', '.join(known)}.")
    if kind == "missing":
        return Fault(lines.place(path[:-1]), f"`{_dotted(path)}` is missing. Add `{path[-1]}:` and a value.")
    while path and path not in lines.values:  # written in its short form
        path = path[:-1]
    name, place = f"`{_dotted(path)}`" if path else "the file", lines.place(path)
    if kind == "value_error":
        text = hidden(str(detail["ctx"]["error"]))
        return Fault(place, f"{name} {text}" if text.startswith("must ") else f"{name}: {text}" if path else text)
    if kind == "too_short":
        return Fault(place, f"{name} must not be empty. Add an item.")
    rule = RULES.get(kind)
    must = f"must be {rule.format(**detail.get('ctx', {}))}" if rule else f"is wrong ({detail['msg']})"
    near = did_you_mean(str(detail["input"]), _choices(schema, path)) if kind == "literal_error" else ""
    return Fault(place, f"{name} {must}. Received: {_shown(detail['input'])}.{near}")


def _shown(value: Any) -> str:
    text = hidden(json.dumps(value, ensure_ascii=False, default=str))
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def _dotted(path: tuple[str | int, ...]) -> str:
    """A path as people write it: ``models[0].source``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def _known(schema: Mapping[str, Any], path: tuple[str | int, ...]) -> list[str]:
    return list(_at(schema, path).get("properties", {}))


def _choices(schema: Mapping[str, Any], path: tuple[str | int, ...]) -> list[str]:
    return [str(choice) for choice in _at(schema, path).get("enum", [])]


def _at(schema: Mapping[str, Any], path: tuple[str | int, ...]) -> Mapping[str, Any]:
    """The part of a JSON schema that describes what is at a path."""
    node = _plain(schema, schema)
    for step in path:
        if isinstance(step, int):
            node = _plain(node.get("items", {}), schema)
        else:
            inner = node.get("properties", {}).get(step) or node.get("additionalProperties") or {}
            node = _plain(inner if isinstance(inner, Mapping) else {}, schema)
    return node


def _plain(node: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follows references; of alternatives takes the one with most to say, which is never the null or the short form."""
    while "$ref" in node:
        node = schema["$defs"][str(node["$ref"]).rpartition("/")[2]]
    if "anyOf" in node:
        parts = [_plain(part, schema) for part in node["anyOf"]]
        return max(parts, key=lambda part: ("properties" in part or "items" in part or "enum" in part, len(part)))
    return node
