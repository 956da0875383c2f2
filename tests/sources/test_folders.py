"""Folders and records, as TensorFlow reads them, in the form that a model takes."""

from __future__ import annotations

import json

import numpy as np
import pytest

from autofix.data import Data
from autofix.errors import FixYourData
from autofix.hints import ModelHints, OutputHint
from autofix.sources.data import load_data

X = np.random.default_rng(0).normal(size=(12, 4)).astype("float32")
Y = np.arange(12) % 2


def hints(shape, loss="sparse_categorical_crossentropy", names=("input",)) -> ModelHints:
    return ModelHints(names, (shape,) * len(names), (OutputHint("output", (2,), "softmax", loss, False),))


def read(path, model) -> Data:
    found = load_data(str(path), hints=model)
    return Data.of(found.data, validation_data=found.validation_data, hints=model, seed=0)


def draw(folder, classes=("cats", "dogs"), count=6) -> None:
    from PIL import Image

    for number, name in enumerate(classes):
        (folder / name).mkdir(parents=True)
        for index in range(count):
            Image.new("RGB", (10, 12), (100 * number, 0, index)).save(folder / name / f"{index}.png")


def test_images_get_the_size_and_the_channels_of_the_input(tmp_path, capsys):
    draw(tmp_path)
    data = read(tmp_path, hints((8, 8, 3)))
    assert data.x.shape == (12, 8, 8, 3)
    assert data.y.tolist() == [0] * 6 + [1] * 6
    assert read(tmp_path, hints((5, 4, 1), "categorical_crossentropy")).y[0].tolist() == [1, 0]
    assert not capsys.readouterr().out


def test_images_set_apart_for_validation(tmp_path):
    draw(tmp_path / "train")
    draw(tmp_path / "val", count=2)
    data = read(tmp_path, hints((8, 8, 3)))
    assert (data.rows, data.given) == (16, 4)
    draw(tmp_path / "val" / "more", ("birds",), 1)
    (tmp_path / "val" / "more").rename(tmp_path / "val" / "owls")
    with pytest.raises(FixYourData, match="the same classes"):
        read(tmp_path, hints((8, 8, 3)))


def test_a_saved_dataset(tmp_path):
    import tensorflow as tf

    tf.data.Dataset.from_tensor_slices((X, Y)).batch(5).save(str(tmp_path / "saved"))
    assert read(tmp_path / "saved", hints((4,))).x.tolist() == X.tolist()


def write(path, *, options=None, **features) -> None:
    import tensorflow as tf

    def of(value):
        if isinstance(value, bytes):
            return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        array = np.atleast_1d(value)
        if array.dtype.kind == "f":
            return tf.train.Feature(float_list=tf.train.FloatList(value=array))
        return tf.train.Feature(int64_list=tf.train.Int64List(value=array))

    with tf.io.TFRecordWriter(str(path), options) as writer:
        for row in zip(*features.values(), strict=True):
            named = {name: of(value) for name, value in zip(features, row, strict=True)}
            writer.write(tf.train.Example(features=tf.train.Features(feature=named)).SerializeToString())


def test_lists_of_numbers_need_no_description(tmp_path):
    write(tmp_path / "d.tfrecord", x=X, label=Y)
    data = read(tmp_path / "d.tfrecord", hints((4,)))
    assert data.x.tolist() == X.tolist()
    assert data.y.tolist() == Y.tolist()
    assert read(tmp_path / "d.tfrecord", hints((2, 2))).x.shape == (12, 2, 2)


def test_several_files_packed(tmp_path):
    for number in range(2):
        write(tmp_path / f"d-{number}.tfrecord.gz", options="GZIP", x=X[number::2], y=Y[number::2])
    assert read(tmp_path, hints((4,))).rows == 12
    assert read(tmp_path / "d-0.tfrecord.gz", hints((4,))).rows == 6


@pytest.mark.parametrize("encoding", ["tensor", "raw"])
def test_serialized_arrays_are_described(tmp_path, encoding):
    import tensorflow as tf

    rows = [tf.io.serialize_tensor(row).numpy() if encoding == "tensor" else row.tobytes() for row in X]
    write(tmp_path / "d.tfrecord", x=rows, y=Y)
    described = {"x": {"shape": [4], "dtype": "float32", "encoding": encoding}, "y": {"shape": [], "dtype": "int64"}}
    (tmp_path / "features.json").write_text(json.dumps(described))
    assert read(tmp_path / "d.tfrecord", hints((4,))).x.tolist() == X.tolist()


def test_encoded_images_are_described(tmp_path):
    import tensorflow as tf

    image = tf.io.encode_png(np.full((6, 7, 3), 9, "uint8")).numpy()
    write(tmp_path / "d.tfrecord", x=[image] * 12, y=Y)
    described = {"x": {"shape": [8, 8, 3], "dtype": "uint8", "encoding": "image"}, "y": {"shape": [], "dtype": "int64"}}
    (tmp_path / "features.json").write_text(json.dumps(described))
    assert read(tmp_path / "d.tfrecord", hints((8, 8, 3))).x.shape == (12, 8, 8, 3)


def test_features_called_like_the_inputs(tmp_path):
    write(tmp_path / "d.tfrecord", a=X, b=X + 1, y=Y)
    data = read(tmp_path / "d.tfrecord", hints((4,), names=("a", "b")))
    assert {name: array.shape for name, array in data.x.items()} == {"a": (12, 4), "b": (12, 4)}
