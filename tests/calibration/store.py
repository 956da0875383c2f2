"""The folder of results: one compressed JSON file a run."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .plan import Job


@dataclass(frozen=True)
class Store:
    """Runs by name.

    Attributes:
        folder: Where the files are.
    """

    folder: Path

    def path(self, job: Job) -> Path:
        """Returns the file of a run."""
        return self.folder / "runs" / f"{job.name}.json.gz"

    def put(self, job: Job, row: dict[str, Any]) -> None:
        """Writes what a run showed, whole or not at all."""
        path = self.path(job)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}.partial")
        partial.write_bytes(gzip.compress(json.dumps(row).encode(), compresslevel=5, mtime=0))
        partial.replace(path)

    def get(self, job: Job) -> dict[str, Any] | None:
        """Reads what a run showed; None where it is missing or torn."""
        try:
            return dict(json.loads(gzip.decompress(self.path(job).read_bytes())))
        except (OSError, EOFError, ValueError):
            return None

    def jobs(self) -> Iterator[Job]:
        """Finds the runs that are there, in the order of their names."""
        for path in sorted((self.folder / "runs").glob("*.json.gz")):
            yield Job.named(path.name.removesuffix(".json.gz"))
