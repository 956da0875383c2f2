"""`history.jsonl`: one line a finished retraining, only ever appended to."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from autofix.files import finite


def append(path: Path, record: dict[str, Any]) -> None:
    """Adds a line and waits until it is on the disk. What a crash left of a last line is closed off first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(finite(record), allow_nan=False, separators=(",", ":")) + "\n"
    with path.open("ab+") as file:
        if file.seek(0, os.SEEK_END) > 0:
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                line = "\n" + line
        file.write(line.encode("utf-8"))
        file.flush()
        os.fsync(file.fileno())


def read(path: Path) -> list[dict[str, Any]]:
    """Returns the lines that are whole, oldest first. A torn line was never promised to anybody."""
    if not path.exists():
        return []
    records = []
    for line in path.read_bytes().split(b"\n"):
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict):
            records.append(record)
    return records
