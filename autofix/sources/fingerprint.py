"""Fingerprints of what a text names, taken from the bytes of files. No TensorFlow, and no code is run."""

from __future__ import annotations

import hashlib
import importlib.metadata
import sys
from collections.abc import Iterator
from importlib.machinery import PathFinder
from pathlib import Path

from autofix.errors import FixYourCall
from autofix.sources.spec import SKLEARN, Code, code_of, existing

# 64 MiB hash in 0.1 s; of larger files that many bytes are read, at even distances, with the first and the last.
WHOLE_BYTES = 2**26
PIECE_BYTES = 2**16


def identify(spec: str) -> str:
    """Returns 32 hexadecimal digits that change when what `spec` names changes.

    Of files larger than 64 MiB, only that much is read, at even distances. Of code, the module's own file counts, not
    what it imports.

    Args:
        spec: What a job names as its model or its data.

    Raises:
        FixYourCall: If there is nothing of that name.
        OSError: If it cannot be read.
    """
    digest = hashlib.blake2b(digest_size=16)
    code = code_of(spec)
    if spec.startswith(SKLEARN):
        digest.update(f"{spec} {importlib.metadata.version('scikit-learn')}".encode())
    elif code is not None:
        digest.update(code.function.encode())
        _add(digest, _file_of(code))
    else:
        path = existing(spec, "file or folder")
        if path.is_dir():
            for item in sorted(item for item in path.rglob("*") if item.is_file()):
                digest.update(f"\0{item.relative_to(path)}\0".encode())
                _add(digest, item)
        elif path.is_file():
            _add(digest, path)
        else:  # a pipe or a device may never end
            raise FixYourCall(f"{spec!r} must be a file or a folder. Received: a pipe or a device. Write a file first.")
    return digest.hexdigest()


def _add(digest: hashlib.blake2b, path: Path) -> None:
    size = path.stat().st_size
    digest.update(f"{size}\0".encode())
    with path.open("rb") as file:
        if size <= WHOLE_BYTES:
            while piece := file.read(2**20):
                digest.update(piece)
            return
        for start in _starts(size):
            file.seek(start)
            digest.update(file.read(PIECE_BYTES))


def _starts(size: int) -> Iterator[int]:
    pieces = WHOLE_BYTES // PIECE_BYTES
    last = size - PIECE_BYTES
    for number in range(pieces):
        yield number * last // (pieces - 1)


def _file_of(code: Code) -> Path:
    """Returns the file of a module without importing its packages, which would run them."""
    if code.is_file:
        return existing(code.module, "Python file")
    places: list[str] | None = [str(Path.cwd()), *sys.path]
    found = None
    for name in code.module.split("."):
        found = PathFinder.find_spec(name, places)
        if found is None:
            break
        places = list(found.submodule_search_locations or [])
    if found is None or not found.origin or not Path(found.origin).is_file():
        raise FixYourCall(f"there is no module {code.module!r}. Install it, or name its file: {code.module}.py.")
    return Path(found.origin)
