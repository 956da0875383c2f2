"""Whatever is wrong with what a command is given, it ends in a message with the way out and the right exit code.

No case runs code that is in a file, and none leaves anything behind.
"""

from __future__ import annotations

import json
import pickle
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.cli import hostile
from tests.cli.hostile import CANARY, TOUCH, everything_in

Make = Callable[[Path, Path], object]
USAGE, UNUSABLE = 2, 4


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


HEADER = "p,q,r,s,label"


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
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(folder / "m.keras", "w") as archive:
        for name, content in hostile.keras_members(models / "plain.keras").items():
            archive.writestr(name, content)
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


def run_folder(name: str, content: str) -> Make:
    def make(folder: Path, models: Path) -> None:
        (folder / "run").mkdir()
        (folder / "run" / name).write_text(content)

    return make


def stale(path: str, before: object) -> Make:
    change = {"path": path, "before": before, "after": "gelu", "strategy": "activation", "why": "w", "effect": None}
    return text("patch.json", json.dumps({"changes": [change]}))


BOMB_YAML = "a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a]\nc: [*b,*b,*b,*b]\n"
HOSTILE_YAML = f"epochs: !!python/object/apply:exec [{TOUCH!r}]\n"
CODE = f"{TOUCH}\ndef load_data():\n    return None\n"

MODEL_FILES = [
    Case("no such model", "repair m.kears DATA", USAGE, ("no model", "m.keras"), raw("m.keras", b"")),
    Case("a folder as model", "repair m DATA", USAGE, ("folder", "model.save"), lambda f, m: (f / "m").mkdir()),
    Case("a pickle as model", "repair m.pkl DATA", USAGE, (".keras", "module.py"), pickled("m.pkl")),
    Case("a pickle called .keras", "repair m.keras DATA", UNUSABLE, ("damaged", "again"), pickled("m.keras")),
    Case("a pickle called .h5", "repair m.h5 DATA", UNUSABLE, ("cannot be read", "again"), pickled("m.h5")),
    Case("an empty model", "repair m.keras DATA", UNUSABLE, ("empty", "model.save"), raw("m.keras", b"")),
    Case("text as model", "repair m.keras DATA", UNUSABLE, ("damaged", "again"), text("m.keras", "hello")),
    Case("half a model", "repair m.keras DATA", UNUSABLE, ("damaged", "again"), cut("plain.keras", "m.keras")),
    Case("half a model in HDF5", "repair m.h5 DATA", UNUSABLE, ("cannot be read", "again"), cut("plain.h5", "m.h5")),
    Case("an archive of something", "repair m.keras DATA", UNUSABLE, ("config.json", "whole model"),
         lambda f, m: hostile.zipped(f / "m.keras", {"readme.txt": b"hello"})),
    Case("weights alone", "repair plain.weights.h5 DATA", UNUSABLE, ("whole model", "model.save"),
         copied("plain.weights.h5")),
    Case("a configuration that is no JSON", "repair m.keras DATA", UNUSABLE, ("config.json", "again"),
         lambda f, m: hostile.zipped(f / "m.keras", {"config.json": b"{", "model.weights.h5": b""})),
    Case("a configuration that is a list", "repair m.keras DATA", UNUSABLE, ("Keras cannot load", "build_model"),
         keras(lambda document: [])),
    Case("a configuration nested without end", "repair m.keras DATA", UNUSABLE, ("config.json", "again"),
         lambda f, m: hostile.zipped(f / "m.keras", {"config.json": hostile.nested(200_000)})),
    Case("a member above the folder", "repair m.keras DATA", UNUSABLE, ("leads out", "trust"), member("../../x")),
    Case("a member at an absolute path", "repair m.keras DATA", UNUSABLE, ("leads out", "trust"), member("/tmp/x")),
    Case("a member in the way of Windows", "repair m.keras DATA", UNUSABLE, ("leads out", "trust"), member("..\\x")),
    Case("a member that is a link", "repair m.keras DATA", UNUSABLE, ("leads out", "trust"),
         lambda f, m: hostile.with_link(m / "plain.keras", f / "m.keras")),
    Case("two members of one name", "repair m.keras DATA", UNUSABLE, ("two members", "again"), twice),
    Case("a bomb as configuration", "repair m.keras DATA", UNUSABLE, ("packed", "again"),
         lambda f, m: hostile.bomb(f / "m.keras", "config.json", 80)),
    Case("a bomb as weights", "repair m.keras DATA", UNUSABLE, ("packed", "again"),
         lambda f, m: hostile.bomb(f / "m.keras", "model.weights.h5", 80, {"config.json": b"{}"})),
    Case("a Lambda layer", "repair lambda.keras DATA", UNUSABLE, ("Lambda", "--allow-unsafe"), copied("lambda.keras")),
    Case("a Lambda layer in HDF5", "repair lambda.h5 DATA", UNUSABLE, ("Lambda", "--allow-unsafe"), copied("lambda.h5")),
    Case("a layer from the operating system", "repair m.keras DATA", UNUSABLE, ("needs code", "build_model"),
         keras(hostile.layer("system", "os", f"touch {CANARY}"))),
    Case("a layer from a file beside", "repair m.keras DATA", UNUSABLE, ("needs code", "build_model"),
         lambda f, m: [text("evil.py", TOUCH)(f, m), keras(hostile.layer("Evil", "evil", {}))(f, m)]),
    Case("a function of Keras that downloads", "repair m.keras DATA", UNUSABLE, ("Keras cannot load", "build_model"),
         keras(hostile.layer("get_file", "keras.utils", {"origin": "file:///etc/passwd"}))),
    Case("a layer that nobody knows", "repair m.keras DATA", UNUSABLE, ("Keras cannot load", "build_model"),
         keras(hostile.layer("Dens", "keras.layers", {}))),
    Case("a link to another file in HDF5", "repair m.h5 DATA", UNUSABLE, ("link", "trust"), linked_h5),
    Case("a configuration in HDF5 that is no JSON", "repair m.h5 DATA", UNUSABLE, ("configuration", "again"),
         h5_config("{")),
    Case("code in HDF5", "repair m.h5 DATA", UNUSABLE, ("needs code", "build_model"),
         h5_config(json.dumps({"class_name": "system", "module": "os", "config": f"touch {CANARY}"}))),
    Case("a model that is not compiled", "repair uncompiled.keras DATA", UNUSABLE, ("compiled", "model.compile"),
         copied("uncompiled.keras")),
]  # fmt: skip

MODEL_CODE = [
    Case("no such Python file", "repair m.py:build DATA", USAGE, ("no Python file", "path")),
    Case("a Python file without a function", "repair m.py DATA", USAGE, ("name of a function", "m.py:"),
         text("m.py", TOUCH)),
    Case("no such function", "repair m.py:biuld DATA", USAGE, ("'biuld'", "Did you mean 'build'"),
         text("m.py", "def build(): pass")),
    Case("a module that raises", "repair m.py:build DATA", USAGE, ("ZeroDivisionError", "python m.py"),
         text("m.py", "1 / 0")),
    Case("a module that is no Python", "repair m.py:build DATA", USAGE, ("SyntaxError", "python m.py"),
         text("m.py", "def build(")),
    Case("a function that builds nothing", "repair m.py:build DATA", UNUSABLE, ("must return a compiled",),
         text("m.py", "def build(): pass")),
    Case("a function that raises", "repair m.py:build DATA", UNUSABLE, ("ZeroDivisionError",),
         text("m.py", "def build(): 1 / 0")),
    Case("no such package", "repair nobody_has.this:build DATA", USAGE, ("no module", "Install it")),
]  # fmt: skip

TABLES = [
    Case("no target", "repair MODEL --data t.csv", USAGE, ("--target", "label"), rows(HEADER, good)),
    Case("a target misspelled", "repair MODEL --data t.csv --target labl", USAGE, ("Did you mean 'label'", "p, q"),
         rows(HEADER, good)),
    Case("a column to drop misspelled", "repair MODEL --data t.csv --target label --drop pp", USAGE,
         ("no column 'pp'", "Did you mean"), rows(HEADER, good)),
    Case("the target dropped", "repair MODEL --data t.csv --target label --drop label", USAGE,
         ("predicted and dropped", "--drop"), rows(HEADER, good)),
    Case("an empty table", "repair MODEL --data t.csv --target label", UNUSABLE, ("empty", "again"), raw("t.csv", b"")),
    Case("blank lines", "repair MODEL --data t.csv --target label", UNUSABLE, ("no table", "header"), text("t.csv", "\n\n")),
    Case("a header alone", "repair MODEL --data t.csv --target label", UNUSABLE, ("one row", "header"), table(HEADER)),
    Case("a table in UTF-16", "repair MODEL --data t.csv --target label", UNUSABLE, ("UTF-8",),
         raw("t.csv", "p,label\n1,2\n".encode("utf-16"))),
    Case("ragged rows", "repair MODEL --data t.csv --target label", UNUSABLE, ("no table", "header"),
         table("p,label", "1,2", "1,2,3,4")),
    Case("an open quote", "repair MODEL --data t.csv --target label", UNUSABLE, ("no table", "header"),
         table("p,label", '1,"2', "3,4")),
    Case("nothing but the target", "repair MODEL --data t.csv --target label", UNUSABLE, ("beside", "predict from"),
         rows("label", lambda n: str(n % 2))),
    Case("targets that are all missing", "repair MODEL --data t.csv --target label", UNUSABLE, ("none in any row",),
         rows(HEADER, lambda n: f"{n},1,2,3,")),
    Case("one class", "repair MODEL --data t.csv --target label", UNUSABLE, ("two different", "--target"),
         rows(HEADER, lambda n: f"{n},1,2,3,a")),
    Case("one number to predict", "repair MODEL --data t.csv --target label", UNUSABLE, ("two different", "--target"),
         rows(HEADER, lambda n: f"{n},1,2,3,7")),
    Case("a table too wide", "repair MODEL --data t.csv --target label", UNUSABLE, ("takes 4 values", "--drop"),
         rows("o," + HEADER, lambda n: f"1,{good(n)}")),
    Case("categories that do not fit", "repair MODEL --data t.csv --target label", UNUSABLE,
         ("takes 4 values", "o with 3 categories", "--drop"), rows("o," + HEADER, lambda n: f"{'xyz'[n % 3]},{good(n)}")),
    Case("dates", "repair MODEL --data t.csv --target label", UNUSABLE, ("dates", "--drop"),
         rows(HEADER, lambda n: f"2024-01-{n % 28 + 1:02},1,2,3,{'ab'[n % 2]}")),
    Case("prose", "repair MODEL --data t.csv --target label", UNUSABLE, ("different texts", "--drop"),
         rows(HEADER, lambda n: f"text number {n},1,2,3,{'ab'[n % 2]}")),
    Case("an empty column", "repair MODEL --data t.csv --target label", UNUSABLE, ("none in any row", "--drop"),
         rows(HEADER, lambda n: f",1,2,3,{'ab'[n % 2]}")),
    Case("names as targets", "repair MODEL --data t.csv --target label", UNUSABLE, ("different texts",),
         rows(HEADER, lambda n: f"{n},1,2,3,name {n}")),
    Case("columns that no input is called like", "repair two_inputs.keras --data t.csv --target label", UNUSABLE,
         ("input 'rest'", "--drop"), lambda f, m: [copied("two_inputs.keras")(f, m),
         rows("age,rest,label", lambda n: f"{'xyz'[n % 3]},1,{n % 2}")(f, m)]),
    Case("validation without a column", "repair MODEL --data t.csv --target label --validation-data v.csv", USAGE,
         ("needs a column 's'",), two_tables("p,q,r,label", lambda n: f"1,2,3,{'ab'[n % 2]}")),
    Case("validation with a class of its own", "repair MODEL --data t.csv --target label --validation-data v.csv",
         UNUSABLE, ("must hold the classes a, b", "'c'"), two_tables(HEADER, lambda n: "1,2,3,4,c")),
    Case("half a Parquet file", "repair MODEL --data t.parquet --target label", UNUSABLE, ("damaged", "again"), parquet),
    Case("text called .parquet", "repair MODEL --data t.parquet --target label", UNUSABLE, ("damaged", "again"),
         table(HEADER, name="t.parquet")),
]  # fmt: skip

ARRAYS = [
    Case("no such data", "repair MODEL --data d.npz", USAGE, ("no data", "path")),
    Case("data of an unknown type", "repair MODEL --data d.xls", USAGE, (".csv", "module.py"), raw("d.xls", b"x")),
    Case("data in a pickle", "repair MODEL --data d.pkl", USAGE, (".npz", "module.py"), pickled("d.pkl")),
    Case("a pickle called .npz", "repair MODEL --data d.npz", UNUSABLE, ("damaged", "again"), pickled("d.npz")),
    Case("a pickle called .npy", "repair MODEL --data x.npy", UNUSABLE, ("objects",), lambda f, m: [
        pickled("x.npy")(f, m), np.save(f / "y.npy", np.zeros(20))]),
    Case("pickles in .npz", "repair MODEL --data d.npz", UNUSABLE, ("objects", "np.savez"),
         lambda f, m: hostile.pickled_npz(f / "d.npz")),
    Case("pickles in .npy", "repair MODEL --data x.npy", UNUSABLE, ("objects", "np.savez"), lambda f, m: [
        hostile.pickled_npy(f / "x.npy"), np.save(f / "y.npy", np.zeros(20))]),
    Case("text called .npz", "repair MODEL --data d.npz", UNUSABLE, ("damaged", "again"), text("d.npz", "hello")),
    Case("half an archive", "repair MODEL --data d.npz", UNUSABLE, ("damaged", "again"), cut("data.npz", "d.npz")),
    Case("an archive that writes elsewhere", "repair MODEL --data d.npz", UNUSABLE, ("leads out", "trust"),
         lambda f, m: hostile.zipped(f / "d.npz", {"../x.npy": hostile.npy_bytes(np.zeros(3))})),
    Case("a bomb of zeros", "repair MODEL --data d.npz", UNUSABLE, ("packed", "again"),
         lambda f, m: hostile.bomb(f / "d.npz", "x.npy", 80)),
    Case("a header that promises a petabyte", "repair MODEL --data d.npz", UNUSABLE, ("damaged", "again"),
         lambda f, m: hostile.zipped(f / "d.npz", {"x.npy": hostile.promising(10**14), "y.npy": hostile.promising(3)})),
    Case("a header that is no header", "repair MODEL --data d.npz", UNUSABLE, ("damaged", "again"),
         lambda f, m: hostile.zipped(f / "d.npz", {"x.npy": hostile.promising(3).replace(b"}", b"("), "y.npy": b""})),
    Case("an archive without arrays", "repair MODEL --data d.npz", UNUSABLE, ("np.savez",), arrays()),
    Case("arrays of other names", "repair MODEL --data d.npz", USAGE, ("x and y", "a, b"), arrays(a=[1], b=[2])),
    Case("no rows", "repair MODEL --data d.npz", UNUSABLE, ("at least one row",), arrays(x=np.zeros((0, 4)), y=[])),
    Case("parts of different length", "repair MODEL --data d.npz", UNUSABLE, ("equally many rows", "30", "20"),
         arrays(x=np.zeros((30, 4)), y=np.zeros(20))),
    Case("text as inputs", "repair MODEL --data d.npz", UNUSABLE, ("numbers",),
         arrays(x=np.array([["a", "b", "c", "d"]] * 20), y=np.zeros(20))),
    Case("targets that are all NaN", "repair MODEL --data d.npz", UNUSABLE, ("targets", "NaN"),
         arrays(x=np.zeros((20, 4)), y=np.full(20, np.nan))),
    Case("a single number as x", "repair MODEL --data d.npz", UNUSABLE, ("one row an example",), arrays(x=1.0, y=[1.0])),
    Case("half an array", "repair MODEL --data x.npy", UNUSABLE, ("damaged", "again"), lambda f, m: [
        np.save(f / "whole.npy", np.zeros((50, 4))), hostile.cut(f / "whole.npy", f / "x.npy"),
        (f / "whole.npy").unlink(), np.save(f / "y.npy", np.zeros(50))]),
    Case("inputs without targets", "repair MODEL --data x.npy", USAGE, ("'y.npy'", "np.savez"),
         lambda f, m: np.save(f / "x.npy", np.zeros((20, 4)))),
    Case("a data set that scikit-learn does not have", "repair MODEL --data sklearn:digit", USAGE,
         ("Did you mean 'digits'",)),
    Case("a function that loads nothing", "repair MODEL --data l.py:load_data", UNUSABLE, ("return x, y",),
         text("l.py", "def load_data(): pass")),
    Case("a function that cannot load", "repair MODEL --data l.py:load_data", UNUSABLE, ("KeyError",),
         text("l.py", "def load_data(): {}['x']")),
    Case("data by a module that is not there", "repair MODEL --data nobody_has:load_data", USAGE, ("no module",)),
]  # fmt: skip

FOLDERS = [
    Case("an empty folder", "repair image.keras --data imgs", UNUSABLE, ("two classes", "tf.data"),
         lambda f, m: [copied("image.keras")(f, m), (f / "imgs").mkdir()]),
    Case("images of one class", "repair image.keras --data imgs", UNUSABLE, ("two classes",),
         lambda f, m: [copied("image.keras")(f, m), images("cats")(f, m)]),
    Case("images that are none", "repair image.keras --data imgs", UNUSABLE, ("image",),
         lambda f, m: [copied("image.keras")(f, m), images("cats", "dogs")(f, m)]),
    Case("images for a model of numbers", "repair MODEL --data imgs", USAGE, ("height, width, channels", "load_data"),
         images("cats", "dogs")),
    Case("a saved dataset that is damaged", "repair MODEL --data saved", UNUSABLE, ("cannot be read", "again"),
         torn_dataset),
    Case("a TFRecord that is none", "repair MODEL --data d.tfrecord", UNUSABLE, ("cannot be read", "again"),
         raw("d.tfrecord", b"not a record at all")),
    Case("bytes without a description", "repair MODEL --data d.tfrecord", UNUSABLE, ("features.json", "shape"),
         records("bytes")),
    Case("a description that is none", "repair MODEL --data d.tfrecord", UNUSABLE, ("must describe", "shape"),
         records("bytes", "[1, 2]")),
    Case("a description of an unknown type", "repair MODEL --data d.tfrecord", UNUSABLE, ("complex", "float32"),
         records("bytes", '{"x": {"shape": [4], "dtype": "complex"}}')),
    Case("a description that does not fit", "repair MODEL --data d.tfrecord", UNUSABLE, ("cannot be read", "again"),
         records("float", '{"x": {"shape": [9], "dtype": "float32"}, "y": {"shape": [], "dtype": "int64"}}')),
    Case("records without a target", "repair MODEL --data d.tfrecord", UNUSABLE, ("label", "load_data"),
         records("float", "no target")),
]  # fmt: skip

OPTIONS = [
    Case("a command misspelled", "repiar MODEL DATA", USAGE, ("Did you mean 'repair'",)),
    Case("an option misspelled", "repair MODEL DATA --epoch 3", USAGE, ("--epochs",)),
    Case("no epochs", "repair MODEL DATA --epochs 0", USAGE, ("--epochs", "0")),
    Case("epochs in words", "repair MODEL DATA --epochs many", USAGE, ("--epochs", "many")),
    Case("a batch of a half", "repair MODEL DATA --batch-size 0.5", USAGE, ("--batch-size",)),
    Case("a budget without a unit that is known", "repair MODEL DATA --budget 3d", USAGE, ("30m", "10x")),
    Case("a budget of nothing", "repair MODEL DATA --budget 0s", USAGE, ("--budget", "10x")),
    Case("a strategy misspelled", "repair MODEL DATA --strategies activatoin", USAGE, ("Did you mean 'activation'",)),
    Case("a strategy twice", "repair MODEL DATA --strategies activation,activation", USAGE, ("twice",)),
    Case("weights of classes without numbers", "repair MODEL DATA --class-weight a", USAGE, ("0=1,1=5",)),
    Case("weights of classes below zero", "repair MODEL DATA --class-weight 0=-1", USAGE, ("0=1,1=5",)),
    Case("weights that are none of three", "repair MODEL DATA --weights fresh", USAGE, ("auto", "keep")),
    Case("a metric that nobody knows", "repair MODEL DATA --metric acuracy", USAGE, ("acuracy", "accuracy")),
    Case("a seed below zero", "repair MODEL DATA --seed -1", USAGE, ("--seed",)),
    Case("no slots", "repair MODEL DATA --jobs 0", USAGE, ("--jobs",)),
    Case("a format that is none", "repair MODEL DATA --format xml", USAGE, ("table", "json")),
    Case("no data", "repair MODEL", USAGE, ("--data",)),
    Case("an empty name", "repair MODEL --data=", USAGE, ("--data", "empty")),
    Case("a shell that nobody knows", "completion tcsh", USAGE, ("bash",)),
    Case("a symptom misspelled", "explain dead_unit", USAGE, ("dead_units",)),
]  # fmt: skip

CONFIGS = [
    Case("no such config", "repair MODEL DATA --config c.yaml", USAGE, ("no config file", "--config")),
    Case("a folder as config", "repair MODEL DATA --config c", USAGE, ("cannot be read", "--config"),
         lambda f, m: (f / "c").mkdir()),
    Case("a config that is no YAML", "repair MODEL DATA", USAGE, ("autofix.yaml", "YAML"), text("autofix.yaml", "a: [")),
    Case("a config that is no mapping", "repair MODEL DATA", USAGE, ("autofix.yaml", "epochs: 20"),
         text("autofix.yaml", "- epochs")),
    Case("a config that runs code", "repair MODEL DATA", USAGE, ("YAML",), text("autofix.yaml", HOSTILE_YAML)),
    Case("a config that grows", "repair MODEL DATA", USAGE, ("aliases",), text("autofix.yaml", BOMB_YAML)),
    Case("a config in bytes", "repair MODEL DATA", USAGE, ("cannot be read",), raw("autofix.yaml", b"\xff\xfe\x00")),
    Case("a config of a gigabyte", "repair MODEL DATA", USAGE, ("by hand",), raw("autofix.yaml", b"#" * 2_000_000)),
    Case("a setting misspelled", "repair MODEL DATA", USAGE, ("line 2", "Did you mean 'epochs'"),
         text("autofix.yaml", "seed: 1\nepoch: 3\n")),
    Case("a setting of the wrong type", "repair MODEL DATA", USAGE, ("`epochs`", "autofix.yaml", "many"),
         text("autofix.yaml", "epochs: many\n")),
    Case("yes for a number", "repair MODEL DATA", USAGE, ("`epochs`", "True"), text("autofix.yaml", "epochs: yes\n")),
    Case("several values for one", "repair MODEL DATA", USAGE, ("line 1", "single"), text("autofix.yaml", "epochs: [1, 2]\n")),
    Case("a config that allows code", "repair lambda.keras DATA", USAGE, ("--allow-unsafe",), lambda f, m: [
        copied("lambda.keras")(f, m), text("autofix.yaml", "allow_unsafe: true")(f, m)]),
    Case("a config that nobody named and that names code", "repair MODEL", USAGE, ("names code", "--config"),
         lambda f, m: [text("autofix.yaml", "data: evil.py:load_data")(f, m), text("evil.py", CODE)(f, m)]),
    Case("a config that writes elsewhere", "repair MODEL DATA", USAGE, ("stay below", "--out"),
         text("autofix.yaml", "out: ../elsewhere\n")),
    Case("a config that writes to the root", "repair MODEL DATA", USAGE, ("stay below", "--out"),
         text("autofix.yaml", "out: /etc/autofix\n")),
]  # fmt: skip

OTHERS = [
    Case("no such patch", "apply pacth.yaml MODEL -o o.keras", USAGE, ("Did you mean 'patch.yaml'",),
         text("patch.yaml", "changes: []")),
    Case("a patch that runs code", "apply patch.yaml MODEL -o o.keras", USAGE, ("YAML",), text("patch.yaml", HOSTILE_YAML)),
    Case("a patch that grows", "apply patch.yaml MODEL -o o.keras", USAGE, ("aliases",), text("patch.yaml", BOMB_YAML)),
    Case("a patch that is a list", "apply patch.yaml MODEL -o o.keras", USAGE, ("mapping",), text("patch.yaml", "- 1")),
    Case("a patch of words", "apply patch.yaml MODEL -o o.keras", USAGE, ("not a patch",), text("patch.yaml", "changes: [a]")),
    Case("a patch nested without end", "apply p.json MODEL -o o.keras", USAGE, ("no patch",),
         raw("p.json", hostile.nested(200_000))),
    Case("a patch in bytes", "apply patch.yaml MODEL -o o.keras", USAGE, ("no patch",), raw("patch.yaml", b"\xff\xfe")),
    Case("a folder without a patch", "apply run MODEL -o o.keras", USAGE, ("patch.yaml",), run_folder("a.txt", "")),
    Case("a patch for another value", "apply patch.json MODEL -o o.keras", USAGE, ("'tanh'", "'relu'", "Diagnose"),
         stale("layers/dense/activation", "tanh")),
    Case("a patch for another model", "apply patch.json MODEL -o o.keras", USAGE, ("'dense_77'", "Known"),
         stale("layers/dense_77/activation", "relu")),
    Case("a patch of another program", "apply patch.json MODEL -o o.keras", USAGE, ("`path`", "layers"),
         stale("model/dense/activation", "relu")),
    Case("a patched model of another type", "apply run MODEL -o o.h5", USAGE, (".keras",)),
    Case("retraining on nothing", "apply run MODEL -o o.keras --retrain", USAGE, ("--data",)),
    Case("data for nothing", "apply run MODEL -o o.keras DATA", USAGE, ("--retrain",)),
    Case("the state of nothing", "status run", USAGE, ("run folder",)),
    Case("the state of a file", "status a.txt", USAGE, ("run folder",), text("a.txt", "")),
    Case("the state of a folder of something", "status run", USAGE, ("run folder",), run_folder("a.txt", "")),
    Case("a result that was torn", "report run", USAGE, ("metrics.json", "JSON"), run_folder("metrics.json", '{"st')),
    Case("a report of nothing", "report run", USAGE, ("no result", "--out"), run_folder("a.txt", "")),
    Case("a check of nothing", "check m.keras", USAGE, ("no model", "path")),
    Case("a diagnosis of nothing", "diagnose MODEL --data t.csv", USAGE, ("no data", "path")),
]  # fmt: skip

CASES = [*MODEL_FILES, *MODEL_CODE, *TABLES, *ARRAYS, *FOLDERS, *OPTIONS, *CONFIGS, *OTHERS]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_message_and_exit_code(case, command, models, tmp_path):
    case.make(tmp_path, models)
    (tmp_path / CANARY).unlink(missing_ok=True)
    before = everything_in(tmp_path)
    given = case.arguments.replace("MODEL", str(models / "plain.keras")).replace(
        "DATA", f"--data {models / 'data.npz'}"
    )
    result = command(*given.split(" "))
    assert result.exit_code == case.code, (result.output, result.exc_info)
    for word in case.says:
        assert word in result.stderr
    assert "Traceback" not in result.output
    assert not result.stdout
    left = {name for name in everything_in(tmp_path) - before if "__pycache__" not in name}
    assert not left
    assert not (tmp_path / CANARY).exists()


def test_there_are_at_least_sixty():
    assert len({case.name for case in CASES}) == len(CASES) >= 60
