"""The `models/` folder: versions that never change, and a pointer that is always whole.

```
models/
  current -> versions/0003      what serves; replaced by a rename, so that a reader sees the old version or the new one
  current.json                  the same for systems without symbolic links
  versions/0001/                model.keras, patch.yaml, metrics.json, run.json, data.json, BLESSED or NOT_BLESSED
  history.jsonl                 one line a finished retraining
  work/                         what is under way
```
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autofix.errors import FixYourCall
from autofix.files import flush, write_json

BLESSED, NOT_BLESSED = "BLESSED", "NOT_BLESSED"
MODEL = "model.keras"
_NAME = re.compile(r"[0-9]{4,}")


@dataclass(frozen=True)
class Models:
    """A folder of models.

    Attributes:
        root: The folder.
    """

    root: Path

    @property
    def versions(self) -> tuple[int, ...]:
        """Numbers of the versions that are there, the oldest first."""
        folder = self.root / "versions"
        names = [item.name for item in folder.iterdir()] if folder.is_dir() else []
        return tuple(sorted(int(name) for name in names if _NAME.fullmatch(name)))

    @property
    def history(self) -> Path:
        """The history file."""
        return self.root / "history.jsonl"

    @property
    def work(self) -> Path:
        """The folder of what is under way."""
        return self.root / "work"

    def folder(self, version: int) -> Path:
        """Returns the folder of a version."""
        return self.root / "versions" / f"{version:04d}"

    def blessed(self, version: int) -> bool:
        """Whether a version was found fit to serve."""
        return (self.folder(version) / BLESSED).is_file()

    def document(self, version: int, name: str) -> dict[str, Any]:
        """Returns a JSON file of a version, such as "metrics.json"; empty where it is missing or unreadable."""
        try:
            found = json.loads((self.folder(version) / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def current(self) -> int | None:
        """Returns the version that serves, None before the first.

        Raises:
            FixYourCall: If the pointer leads to a version that is not there.
        """
        link, version = self.root / "current", None
        if link.is_symlink():
            name = link.readlink().name
            version = int(name) if _NAME.fullmatch(name) else None
        else:
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                version = int(json.loads((self.root / "current.json").read_text(encoding="utf-8"))["version"])
            if version is None:
                return None
        if version is None or not (self.folder(version) / MODEL).is_file():
            whole = [number for number in self.versions if self.blessed(number)]
            raise FixYourCall(
                f"`current` in {self.root} must lead to a version with a {MODEL}. Received: {version}. "
                f"Roll back to one of {whole} with `autofix retrain --rollback`."
            )
        return version

    def add(self, draft: Path, version: int) -> None:
        """Makes a folder that is ready a version. After a crash it is there as a whole or not at all.

        Args:
            draft: A folder on the same file system; it is moved.
            version: Its number, which must not be taken.
        """
        target = self.folder(version)
        target.parent.mkdir(parents=True, exist_ok=True)
        for item in sorted(draft.rglob("*")):
            flush(item)
        flush(draft)
        draft.rename(target)
        flush(target.parent)

    def point(self, version: int) -> None:
        """Makes a version the one that serves."""
        link = self.root / "current"
        name = f"versions/{version:04d}"
        draft = self.root / ".current"
        try:
            draft.unlink(missing_ok=True)
            draft.symlink_to(name, target_is_directory=True)
            draft.replace(link)
            flush(self.root)
        except (OSError, NotImplementedError):
            # No symbolic links here, such as on some network shares: the file alone tells. A link that is there rules.
            if link.is_symlink():
                raise
        self._tell(version)

    def settle(self) -> None:
        """Brings the two pointers together after a crash, and removes drafts and half-removed versions."""
        (self.root / ".current").unlink(missing_ok=True)
        for left in (*self.root.glob(".writing-*"), *(self.root / "versions").glob(".gone-*")):
            shutil.rmtree(left, ignore_errors=True)
        link = self.root / "current"
        if link.is_symlink():
            version = self.current()
            assert version is not None
            self._tell(version)

    def prune(self, keep: int, protected: int | None = None) -> list[int]:
        """Removes the oldest versions, so that `keep` are left; never the one that serves, nor `protected`.

        Returns:
            The numbers that are gone.
        """
        serving = {self.current(), protected}
        spare = [number for number in self.versions if number not in serving]
        excess = max(0, len(self.versions) - keep)
        gone = spare[:excess]
        for number in gone:
            # Renamed first: a version with half of its files must not look like one.
            grave = self.root / "versions" / f".gone-{number:04d}"
            shutil.rmtree(grave, ignore_errors=True)
            self.folder(number).rename(grave)
            shutil.rmtree(grave, ignore_errors=True)
        return gone

    def _tell(self, version: int) -> None:
        path, told = self.root / "current.json", {"version": version, "path": f"versions/{version:04d}/{MODEL}"}
        with contextlib.suppress(OSError, ValueError):
            if json.loads(path.read_text(encoding="utf-8")) == told:
                return
        write_json(path, told)
