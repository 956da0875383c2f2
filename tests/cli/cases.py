"""What a malformed input is, and what makes one."""

from __future__ import annotations

import json
import pickle  # noqa: TID251 - writes what must never be read
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.cli import hostile

Make = Callable[[Path, Path], object]
USAGE, UNUSABLE = 2, 4
HEADER = "p,q,r,s,label"


@dataclass(frozen=True)
class Case:
    """A command and what it says.

    Attributes:
        name: What is wrong.
        arguments: The command, in words; "repair" alone stands for a good model and good data.
        code: Its exit code.
        says: Words of the message.
        make: Puts files into the working folder; takes it and the folder of good models.
    """

    name: str
    arguments: str
    code: int
    says: tuple[str, ...]
    make: Make = lambda folder, models: None


def text(name: str, content: str) -> Make:
    return lambda folder, models: (folder / name).write_text(content, encoding="utf-8")


def raw(name: str, content: bytes) -> Make:
    return lambda folder, models: (folder / name).write_bytes(content)


def table(*lines: str, name: str = "t.csv") -> Make:
    return text(name, "\n".join(lines) + "\n")


def rows(header: str, row: Callable[[int], str], count: int = 30, name: str = "t.csv") -> Make:
    return table(header, *(row(number) for number in range(count)), name=name)


def arrays(**named) -> Make:
    return lambda folder, models: np.savez(folder / "d.npz", **named)


def good(number: int) -> str:
    return f"{number},{number % 7},{number % 5},{number % 3},{'ab'[number % 2]}"


def two_tables(header: str, row: Callable[[int], str]) -> Make:
    def make(folder: Path, models: Path) -> None:
        rows(HEADER, good)(folder, models)
        rows(header, row, name="v.csv")(folder, models)

    return make


def linked_h5(folder: Path, models: Path) -> None:
    import h5py

    shutil.copy(models / "plain.h5", folder / "m.h5")
    with h5py.File(folder / "m.h5", "a") as file:
        file["elsewhere"] = h5py.ExternalLink("/etc/passwd", "/")


def h5_config(content: str) -> Make:
    def make(folder: Path, models: Path) -> None:
        import h5py

        shutil.copy(models / "plain.h5", folder / "m.h5")
        with h5py.File(folder / "m.h5", "a") as file:
            file.attrs["model_config"] = content

    return make


def twice(folder: Path, models: Path) -> None:
    with zipfile.ZipFile(folder / "m.keras", "w") as archive:
        for name, content in hostile.keras_members(models / "plain.keras").items():
            archive.writestr(name, content)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("config.json", b"{}")


def images(*classes: str, content: bytes = b"no image") -> Make:
    def make(folder: Path, models: Path) -> None:
        for name in classes:
            (folder / "imgs" / name).mkdir(parents=True)
            (folder / "imgs" / name / "1.png").write_bytes(content)

    return make


def records(feature: str, beside: str | None = None) -> Make:
    def make(folder: Path, models: Path) -> None:
        import tensorflow as tf

        values = {
            "bytes": tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"abc"])),
            "float": tf.train.Feature(float_list=tf.train.FloatList(value=[1.0, 2.0, 3.0, 4.0])),
        }
        label = tf.train.Feature(int64_list=tf.train.Int64List(value=[1]))
        features = {"x": values[feature]} | ({} if beside == "no target" else {"y": label})
        example = tf.train.Example(features=tf.train.Features(feature=features))
        with tf.io.TFRecordWriter(str(folder / "d.tfrecord")) as writer:
            writer.write(example.SerializeToString())
        if beside not in (None, "no target"):
            (folder / "features.json").write_text(beside)

    return make


def torn_dataset(folder: Path, models: Path) -> None:
    (folder / "saved").mkdir()
    (folder / "saved" / "dataset_spec.pb").write_bytes(b"\x0a\xff\xff\xff")


def pickled(name: str) -> Make:
    return lambda folder, models: (folder / name).write_bytes(pickle.dumps(hostile.Touches()))


def cut(source: str, name: str, share: float = 0.5) -> Make:
    return lambda folder, models: hostile.cut(models / source, folder / name, share)


def parquet(folder: Path, models: Path) -> None:
    import pandas as pd

    whole = folder / "whole.parquet"
    pd.DataFrame({"p": range(50), "label": [0, 1] * 25}).to_parquet(whole)
    hostile.cut(whole, folder / "t.parquet")
    whole.unlink()


def keras(change: Callable[[object], object]) -> Make:
    return lambda folder, models: hostile.with_config(models / "plain.keras", folder / "m.keras", change)


def member(name: str) -> Make:
    return lambda folder, models: hostile.with_member(models / "plain.keras", folder / "m.keras", name)


def copied(name: str) -> Make:
    return lambda folder, models: shutil.copy(models / name, folder / name)


def linked_run(folder: Path, models: Path) -> None:
    (folder / "run").mkdir()
    (folder / "elsewhere").touch()
    (folder / "run" / "autofix.log").symlink_to(folder / "elsewhere")


def run_folder(name: str, content: str) -> Make:
    def make(folder: Path, models: Path) -> None:
        (folder / "run").mkdir()
        (folder / "run" / name).write_text(content)

    return make


def inserted(layer: object) -> Make:
    change = {"path": "layers/dense/after", "before": [], "after": [layer], "strategy": "s", "why": "w", "effect": None}
    return text("patch.json", json.dumps({"changes": [change]}))


def stale(path: str, before: object) -> Make:
    change = {"path": path, "before": before, "after": "gelu", "strategy": "activation", "why": "w", "effect": None}
    return text("patch.json", json.dumps({"changes": [change]}))
