"""The config file of the command line: a flat YAML mapping whose keys are the names of options.

    # autofix.yaml
    epochs: 20
    budget: 30m
    strategies: [learning_rate, activation]

It is read without running code from it. A file that lies in the working folder and was not named by `--config` may have
come with somebody else's project: it cannot name code to run, a database to write to or a folder that others may read
from, and no file can allow a model file to run its own code.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from autofix.cli.ending import usage
from autofix.errors import FixYourCall, did_you_mean

DEFAULT = "autofix.yaml"
# A config file is written by hand; beyond this it is something else.
MOST_BYTES = 2**20
# Settings that decide whether code is run: given by whoever starts the command.
BY_HAND = ("allow_unsafe",)
# Settings that are written with commas on the command line, and in a file as a list too.
LISTED = ("strategies", "seeds")
SPECS = ("data", "validation_data")
# Settings that let others read or write: `sqlite:////any/file` changes any file, a worker reads what is below `folder`.
NAMED = ("storage", "folder")


def read(path: Path, options: Mapping[str, click.Option], *, named: bool) -> dict[str, Any]:
    """Reads the settings of one command.

    Args:
        path: The file.
        options: What the command knows, by key.
        named: Whether the user named the file.

    Returns:
        Values by parameter name.

    Raises:
        click.UsageError: If the file cannot be read, a key is unknown, or a value is none of the kind.
    """
    document, lines = _document(path)
    found: dict[str, Any] = {}
    for key, value in document.items():
        where = f"{path}, line {lines.get(key, 1)}"
        if key not in options:
            _known(key, where)
            continue
        if value is None:
            continue
        if key in BY_HAND:
            raise usage(f"{where}: `{key}` must be given on the command line, as --{key.replace('_', '-')}.")
        if not named:
            _harmless(key, value, where)
        if key == "out":
            _below(path.parent, value, where)
        found[options[key].name or key] = _value(key, value, options[key], where)
    return found


def _document(path: Path) -> tuple[dict[str, Any], dict[str, int]]:
    from autofix import yaml_text

    try:
        if path.stat().st_size > MOST_BYTES:
            raise usage(f"{path} must be a config file written by hand. Received: {path.stat().st_size:,} bytes.")
        text = path.read_text(encoding="utf-8")
        document = yaml_text.read(text)
    except FileNotFoundError as error:
        raise usage(f"there is no config file {str(path)!r}. Check --config.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise usage(f"the config file {str(path)!r} cannot be read ({error}). Check --config.") from error
    except FixYourCall as error:
        raise usage(f"{path}: {error}") from error
    if document is None:
        return {}, {}
    if not isinstance(document, dict) or not all(isinstance(key, str) for key in document):
        raise usage(f'{path} must hold settings, one a line, like "epochs: 20". Received: {type(document).__name__}.')
    return document, _lines(text)


def _lines(text: str) -> dict[str, int]:
    import yaml

    node = yaml.compose(text, Loader=yaml.SafeLoader)
    return {key.value: key.start_mark.line + 1 for key, _ in node.value} if node is not None else {}


def _known(key: str, where: str) -> None:
    """Passes over what other commands know; they share the file."""
    from autofix.cli.options import every_key

    known = every_key()
    if key not in known:
        raise usage(f"{where}: there is no setting `{key}`.{did_you_mean(key, known)}")


def _harmless(key: str, value: Any, where: str) -> None:
    """Refuses what a file that nobody named must not say."""
    from autofix.sources.spec import names_code

    values = value if isinstance(value, list) else [value]
    code = key in SPECS and any(isinstance(item, str) and names_code(item) for item in values)
    if code or key in NAMED:
        what = "names code" if code else "leads elsewhere"
        raise usage(
            f"{where}: `{key}` {what}, and nobody asked for this file. "
            f"Pass it on the command line, or name the file: --config {DEFAULT}."
        )


def _below(folder: Path, value: Any, where: str) -> None:
    root = os.path.realpath(folder)
    goal = os.path.realpath(os.path.join(root, str(value)))  # noqa: PTH118 - an absolute value must stay one
    if os.path.commonpath([root, goal]) != root:
        raise usage(
            f"{where}: `out` must stay below the folder of the config file. Received: {value!r}. "
            "Pass --out on the command line to write elsewhere."
        )


def _value(key: str, value: Any, option: click.Option, where: str) -> Any:
    """Returns a value as the command line would give it: text, which the type of the option reads."""
    if option.is_flag and isinstance(value, bool):
        return value
    if isinstance(value, str | int | float):
        return [str(value)] if option.multiple else str(value)
    listed = option.multiple or key in LISTED
    if listed and isinstance(value, list) and all(isinstance(item, str | int | float) for item in value):
        return [str(item) for item in value] if option.multiple else ",".join(map(str, value))
    if key == "class_weight" and isinstance(value, dict):
        return value
    raise usage(f"{where}: `{key}` must be a single value. Received: {value!r}.")
