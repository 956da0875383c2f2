"""Folders: images by class, a saved `tf.data.Dataset`, or TFRecords."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from autofix.errors import FixYourCall, FixYourData, one_line
from autofix.hints import ModelHints
from autofix.sources import records
from autofix.sources.labels import DENSE
from autofix.sources.loaded import Loaded, Table

IMAGES = (".jpg", ".jpeg", ".png", ".bmp", ".gif")
TRAIN = ("train", "training")
APART = ("validation", "val", "valid")
# What a saved dataset consists of, by the name of the file that says what is in it.
SAVED = "dataset_spec.pb"
# Entries of a folder that are looked at to see what kind of folder it is.
LOOKED_AT = 10_000


def read_folder(path: Path, hints: ModelHints, table: Table) -> Loaded:
    """Reads a folder by what is in it.

    Raises:
        FixYourCall: If it is none of the kinds.
        FixYourData: If it is damaged, or its images do not fit the model.
    """
    if (path / SAVED).is_file():
        return Loaded(_saved(path))
    files = sorted(item for item in itertools.islice(path.iterdir(), LOOKED_AT) if item.is_file())
    shards = [item for item in files if ".tfrecord" in item.name]
    if shards:
        return records.read_shards(shards, path, hints)
    train = next((path / name for name in TRAIN if (path / name).is_dir()), None)
    if train is None:
        return Loaded(_images(path, hints))
    apart = next((path / name for name in APART if (path / name).is_dir()), None)
    names = [_classes(folder) for folder in (train, apart) if folder is not None]
    if any(other != names[0] for other in names):
        raise FixYourData(
            f"{str(train)!r} and {str(apart)!r} must hold the same classes. Received: {names[0]} and {names[1]}."
        )
    return Loaded(_images(train, hints), None if apart is None else _images(apart, hints))


def _saved(path: Path) -> Any:
    """Opens what `tf.data.Dataset.save` wrote: protocol buffers and tensors, no code."""
    from autofix.tensors.datasets import open_dataset

    try:
        return open_dataset(str(path))
    except Exception as error:  # whatever TensorFlow raises about files that anybody may have written
        raise FixYourData(f"the dataset in {str(path)!r} cannot be read: {one_line(error)}. Save it again.") from error


def _images(path: Path, hints: ModelHints) -> Any:
    """Opens a folder of images by class, in the size and with the channels that the model takes."""
    from autofix.tensors.datasets import open_images

    classes = _classes(path)
    if len(classes) < 2:
        raise FixYourData(
            f"{str(path)!r} must hold a folder of images ({', '.join(IMAGES)}) for each of at least two classes, or "
            f"TFRecords, or a saved tf.data.Dataset. Received: {', '.join(classes) or 'no folder with images'}."
        )
    shape = hints.input_shapes[0] if len(hints.input_shapes) == 1 else ()
    if len(shape) != 3 or None in shape[:2] or shape[2] not in (1, 3, 4):
        raise FixYourCall(
            f"images need a model whose input is (height, width, channels), all of them fixed, with 1, 3 or 4 "
            f"channels. Received: {shape or 'no such input'}. Load them by your own code: --data module.py:load_data."
        )
    output = hints.outputs[0] if hints.outputs else None
    one_hot = output is not None and output.loss in DENSE and output.units == len(classes)
    try:
        return open_images(str(path), tuple(int(axis or 0) for axis in shape), one_hot=one_hot)
    except Exception as error:  # whatever TensorFlow raises about files that anybody may have written
        raise FixYourData(f"the images in {str(path)!r} cannot be read: {one_line(error)}") from error


def _classes(path: Path) -> list[str]:
    return [item.name for item in sorted(path.iterdir()) if item.is_dir() and _holds_images(item)]


def _holds_images(folder: Path) -> bool:
    some = itertools.islice(folder.rglob("*"), LOOKED_AT)
    return any(item.suffix.lower() in IMAGES for item in some)
