"""Files that somebody made to do harm, or that time and accidents made unreadable.

Whatever would run code touches `canary` in the working folder.
"""

from __future__ import annotations

import io
import json
import stat
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

CANARY = "canary"
TOUCH = f"import pathlib; pathlib.Path({CANARY!r}).touch()"


class Touches:
    """Unpickled, it runs code."""

    def __reduce__(self):
        return exec, (TOUCH,)


def zipped(path: Path, members: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def keras_members(model: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(model) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def with_config(model: Path, path: Path, change: Callable[[Any], Any]) -> None:
    """Writes a model file whose configuration was changed."""
    members = keras_members(model)
    members["config.json"] = json.dumps(change(json.loads(members["config.json"]))).encode()
    zipped(path, members)


def with_member(model: Path, path: Path, name: str, content: bytes = b"x") -> None:
    zipped(path, {**keras_members(model), name: content})


def with_link(model: Path, path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in keras_members(model).items():
            archive.writestr(name, content)
        link = zipfile.ZipInfo("assets/vocabulary.txt")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")


def bomb(path: Path, name: str, megabytes: int, others: Mapping[str, bytes] | None = None) -> None:
    """Writes an archive of zeros, a thousandth of their size."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for other, content in (others or {}).items():
            archive.writestr(other, content)
        with archive.open(name, "w") as member:
            for _ in range(megabytes):
                member.write(bytes(2**20))


def layer(class_name: str, module: str, config: Any) -> Callable[[Any], Any]:
    """Returns what puts a layer of a class of somebody's into a Sequential model."""

    def change(document: Any) -> Any:
        entry = {"module": module, "class_name": class_name, "config": config, "registered_name": class_name}
        document["config"]["layers"].insert(1, entry)
        return document

    return change


def function(name: str, module: str) -> dict[str, Any]:
    """Returns a function as Keras writes it down."""
    return {"module": module, "class_name": "function", "config": name, "registered_name": name}


def png(width: int, height: int) -> bytes:
    """Returns a picture of a few bytes that says it is so large."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")

    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(999))) + chunk(b"IEND", b"")


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def pickled_npz(path: Path) -> None:
    np.savez(path, x=np.zeros((20, 4)), y=np.array([Touches()] * 20, dtype=object))


def pickled_npy(path: Path) -> None:
    np.save(path, np.array([Touches()] * 20, dtype=object), allow_pickle=True)


def npy_bytes(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def promising(rows: int) -> bytes:
    """Returns an array of three numbers whose header says that it has so many."""
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": "<f8", "fortran_order": False, "shape": (rows,)})
    return buffer.getvalue() + bytes(24)


def cut(source: Path, path: Path, share: float = 0.5) -> None:
    content = source.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])


def everything_in(folder: Path) -> set[str]:
    return {str(item.relative_to(folder)) for item in folder.rglob("*")}
