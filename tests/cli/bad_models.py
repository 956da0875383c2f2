"""Models that cannot be used."""

from __future__ import annotations

import json

from tests.cli import hostile
from tests.cli.cases import (
    UNUSABLE,
    USAGE,
    Case,
    copied,
    cut,
    h5_config,
    keras,
    linked_h5,
    member,
    pickled,
    raw,
    text,
    twice,
)
from tests.cli.hostile import CANARY, TOUCH

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
    Case("a Lambda layer in HDF5", "repair lambda.h5 DATA", UNUSABLE, ("Lambda", "--allow-unsafe"),
         copied("lambda.h5")),
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

CASES = [*MODEL_FILES, *MODEL_CODE]
