"""How a run folder learns with which exit code its command was stopped; needs nothing but the file."""

from __future__ import annotations

import json
import os
from pathlib import Path

from autofix.files import write_json

RUN = "run.json"
INTERRUPTED = "interrupted"


def note_exit(folder: str | os.PathLike[str], code: int) -> None:
    """Notes the exit code of a command that a signal stopped; the process that was interrupted cannot know it.

    Raises:
        OSError, ValueError: If `run.json` cannot be read or written.
    """
    path = Path(folder).expanduser() / RUN
    document = json.loads(path.read_bytes())
    if isinstance(document, dict) and document.get("state") == INTERRUPTED:
        write_json(path, {**document, "exit": int(code)})
