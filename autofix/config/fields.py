"""Types of the fields of configs: what a setting may be written as, and the message where it is not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

from autofix.budget import Budget
from autofix.config.paths import file_of, is_safe_name, resolved
from autofix.errors import FixYourCall, did_you_mean


class Section(BaseModel):
    """Base of every part of a config: immutable, no unknown settings, nothing guessed from text."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


def _budget(value: Any) -> Any:
    """Seconds as a number become a duration: a job holds text."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = f"{value}s"
    if not isinstance(value, str):
        raise ValueError("must be a duration such as 90s, 30m or 2h, or multiples of one run such as 10x.")
    try:
        Budget.of(value)
    except FixYourCall as error:
        raise ValueError(str(error)) from error
    return value


def _duration(value: Any) -> Any:
    budget = Budget.of(_budget(value))
    if budget.seconds is None:
        raise ValueError(f"must be a duration such as 90s, 30m or 2h. Received: {value!r}.")
    return budget.seconds


def _in_folder(spec: str, info: ValidationInfo) -> str:
    context = info.context or {}
    spec = resolved(spec, context.get("folder", Path()))
    file = file_of(spec)
    if context.get("present") and file is not None and not Path(file).exists():
        raise ValueError(f"there is no file or folder {file!r}. Paths are relative to the folder of the config.")
    return spec


def _folder(path: str, info: ValidationInfo) -> str:
    return str((info.context or {}).get("folder", Path()) / Path(path).expanduser())


def _name(text: str) -> str:
    if not is_safe_name(text):
        raise ValueError(
            f"must be at most 100 letters, digits and . _ + -, since it names a folder. Received: {text!r}."
        )
    return text


def _strategies(names: Sequence[str]) -> Sequence[str]:
    from autofix.registry import strategies

    try:
        strategies(names)
    except FixYourCall as error:
        raise ValueError(str(error)) from error
    return names


def one_of(text: str, known: Sequence[str]) -> str:
    """Returns `text`, refuses it with a did-you-mean where it is none of `known`."""
    if text not in known:
        raise ValueError(f"must be one of {', '.join(known)}. Received: {text!r}.{did_you_mean(text, known)}")
    return text


Budgeted = Annotated[str, BeforeValidator(_budget, json_schema_input_type=str | float)]
"""What a repair may cost: `90s`, `30m`, `2h`, a number of seconds, or `10x` for multiples of one run."""

Duration = Annotated[float, BeforeValidator(_duration, json_schema_input_type=str | float)]
"""Seconds, written as `90s`, `30m`, `2h` or a number."""

Source = Annotated[str, Field(min_length=1), AfterValidator(_in_folder)]
"""A model or data set to read: a file relative to the config, `sklearn:NAME`, or `module.py:function`."""

Folder = Annotated[str, Field(min_length=1), AfterValidator(_folder)]
"""A folder to write to, relative to the config."""

Name = Annotated[str, AfterValidator(_name)]
"""A name that becomes part of the names of folders."""

Strategies = Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(_strategies)]
"""Names of strategies."""
