"""Paths in a config: what is read is relative to the file, what is written stays in one folder."""

from __future__ import annotations

import re
from pathlib import Path

from autofix.errors import FixYourCall
from autofix.sources.spec import SKLEARN, code_of

# What is safe as the name of a file everywhere.
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")


def file_of(spec: str) -> str | None:
    """Returns the file or folder that a model or data set is read from; None if it comes from elsewhere.

    Raises:
        FixYourCall: If it begins like code, but names no function.
    """
    code = code_of(spec)
    if code is not None:
        return code.module if code.is_file else None
    return None if spec.startswith(SKLEARN) else spec


def resolved(spec: str, folder: Path) -> str:
    """Returns a model or data set with its file relative to `folder`, absolute paths as they are."""
    file = file_of(spec)
    return spec if file is None else str(folder / Path(file).expanduser()) + spec[len(file) :]


def inside(folder: Path, name: str) -> Path:
    """Returns the path of an output in a folder.

    Args:
        folder: The one folder that is written to.
        name: Name of a file or folder in it; may itself have folders, with ``/``.

    Raises:
        FixYourCall: If it leads out of the folder: an absolute path, ``..``, or a link to elsewhere.
    """
    target = (folder / name).resolve()
    if not target.is_relative_to(folder.resolve()) or target == folder.resolve():
        raise FixYourCall(
            f"outputs must stay in {folder}. Received: {name!r}. Pass a name without `..` or a leading `/`."
        )
    return folder / name


def is_safe_name(name: str) -> bool:
    """Whether a name can be that of a file anywhere: letters, digits, ``. _ + -``, 100 characters at most."""
    return _SAFE.fullmatch(name) is not None


def safe_name(text: str) -> str:
    """Returns a text as the name of a file: what is not safe becomes ``-``."""
    name = re.sub(r"[^A-Za-z0-9._+-]+", "-", text).strip("-._+")[:100]
    return name or "unnamed"
