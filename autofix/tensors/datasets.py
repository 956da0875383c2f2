"""Data sets that TensorFlow reads: saved ones, images by class, TFRecords."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import keras
import tensorflow as tf

BATCH = 32
# Channels of an image by what Keras calls them.
COLORS = {1: "grayscale", 3: "rgb", 4: "rgba"}


class Described(Protocol):
    """What is known of a feature; see `autofix.sources.records.Feature`."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of its values."""

    @property
    def dtype(self) -> str:
        """Their type."""

    @property
    def encoding(self) -> str:
        """How they are written: "list", "tensor", "raw" or "image"."""


def open_dataset(path: str) -> Any:
    """Opens what `tf.data.Dataset.save` wrote, and reads its first element, so that damage shows at once."""
    dataset = tf.data.Dataset.load(path)
    for _ in dataset.take(1):
        return dataset
    raise ValueError("it holds no element")


def open_images(path: str, shape: Sequence[int], *, one_hot: bool) -> Any:
    """Opens a folder of images by class.

    Args:
        path: The folder.
        shape: Height, width and channels of the images.
        one_hot: Whether a label is one column a class, instead of the number of its class.
    """
    with contextlib.redirect_stdout(io.StringIO()):  # Keras prints how many files it found
        dataset = keras.utils.image_dataset_from_directory(
            path,
            label_mode="categorical" if one_hot else "int",
            image_size=tuple(shape[:2]),
            color_mode=COLORS[shape[2]],
            batch_size=BATCH,
            shuffle=False,
        )
    for _ in dataset.take(1):  # damage shows at once
        return dataset
    raise ValueError("it holds no image")


def peek(files: Sequence[str]) -> dict[str, tuple[str, int]] | None:
    """Returns kind ("float", "int64" or "bytes") and length of each feature of the first record; None without one."""
    for record in _raw(files).take(1):
        features = tf.train.Example.FromString(record.numpy()).features.feature
        kinds = {name: feature.WhichOneof("kind") for name, feature in features.items()}
        return {
            name: (kind.removesuffix("_list"), len(getattr(features[name], kind).value))
            for name, kind in kinds.items()
            if kind is not None
        }
    return None


def open_records(
    files: Sequence[str], features: Mapping[str, Described], inputs: Mapping[str, Sequence[int]], target: str
) -> Any:
    """Opens TFRecords as a dataset of `(x, y)`.

    Args:
        files: The files.
        features: What is in them.
        inputs: Shapes of the inputs by feature; one alone is fed as an array, several as a dict.
        target: The feature that is the target.
    """
    spec = {name: _spec(features[name]) for name in (*inputs, target)}

    def parsed(record: Any) -> Any:
        values = tf.io.parse_single_example(record, spec)
        x = {name: tf.reshape(_decoded(values[name], features[name]), shape) for name, shape in inputs.items()}
        y = tf.reshape(_decoded(values[target], features[target]), features[target].shape)
        return (x if len(x) > 1 else next(iter(x.values()))), y

    dataset = _raw(files).map(parsed).batch(BATCH)
    for _ in dataset.take(1):
        return dataset
    raise ValueError("it holds no record")


def _raw(files: Sequence[str]) -> Any:
    kind = "GZIP" if files[0].endswith((".gz", ".gzip")) else ""
    return tf.data.TFRecordDataset(list(files), compression_type=kind)


def _spec(feature: Described) -> Any:
    if feature.encoding != "list":
        return tf.io.FixedLenFeature([], tf.string)
    return tf.io.FixedLenFeature(list(feature.shape), tf.float32 if "float" in feature.dtype else tf.int64)


def _decoded(value: Any, feature: Described) -> Any:
    dtype = tf.dtypes.as_dtype(feature.dtype)
    if feature.encoding == "tensor":
        return tf.io.parse_tensor(value, dtype)
    if feature.encoding == "raw":
        return tf.io.decode_raw(value, dtype)
    if feature.encoding == "image":
        image = tf.io.decode_image(value, channels=feature.shape[-1], expand_animations=False)
        return tf.image.resize(image, feature.shape[:2])
    return tf.cast(value, dtype)
