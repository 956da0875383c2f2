"""Files that are written whole or not at all, whatever happens meanwhile."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Begins the names of the folders in which files are drafted; a killed process leaves them behind.
DRAFTS = ".writing-"


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yields a path beside `path` to write to; once the block ends well, that file takes the place of `path`.

    The content is on the disk before the name is: a machine that loses its power leaves the old file or the new one.

    Args:
        path: File to write; its folder is created if needed.

    Raises:
        OSError: If it cannot be written. What was there before is still there.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    # Its own folder: what writes the draft may insist on a suffix, or write beside it.
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=DRAFTS) as folder:
        draft = Path(folder) / target.name
        yield draft
        flush(draft)
        draft.replace(target)
    flush(target.parent)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Writes a text file whole or not at all; see `replacing`."""
    with replacing(path) as draft:
        draft.write_text(text, encoding="utf-8")


def write_json(path: str | os.PathLike[str], document: Any) -> None:
    """Writes a JSON file whole or not at all; NaN and infinities become `null`, which every reader understands."""
    write_text(path, json.dumps(finite(document), indent=1, allow_nan=False) + "\n")


def finite(document: Any) -> Any:
    """Returns JSON-ready data with `None` for NaN and infinities, which JSON does not know."""
    if isinstance(document, dict):
        return {str(key): finite(value) for key, value in document.items()}
    if isinstance(document, list | tuple):
        return [finite(value) for value in document]
    if isinstance(document, float) and not float("-inf") < document < float("inf"):
        return None
    return document


def flush(path: Path) -> None:
    """Waits until a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
