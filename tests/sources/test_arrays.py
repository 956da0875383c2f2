"""Arrays: what names are taken for what, and functions of the user's own."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from autofix.errors import FixYourCall, FixYourData
from autofix.hints import ModelHints, OutputHint
from autofix.sources import limits
from autofix.sources.data import NOTHING, load_data

X, Y = np.arange(40.0).reshape(20, 2), np.arange(20) % 2


@pytest.fixture(autouse=True)
def _path(monkeypatch):
    """Folders of the user's modules stay on the path; not so in the tests that follow."""
    monkeypatch.setattr(sys, "path", [*sys.path])


def hints(*shapes, names=("input",), output=(1,)) -> ModelHints:
    return ModelHints(names, shapes, (OutputHint("out", output, "linear", "mean_squared_error", False),))


def npz(tmp_path, *, model=NOTHING, **arrays):
    np.savez(tmp_path / "d.npz", **arrays)
    return load_data(str(tmp_path / "d.npz"), hints=model)


@pytest.mark.parametrize(
    "names", [("x", "y"), ("X", "Y"), ("x_train", "y_train"), ("data", "target"), ("images", "labels")]
)
def test_usual_names(tmp_path, names):
    x, y = npz(tmp_path, **dict(zip(names, (X, Y), strict=True))).data
    assert x.tolist() == X.tolist()
    assert y.tolist() == Y.tolist()


def test_validation_and_weights_have_their_names_and_test_rows_are_left_alone(tmp_path):
    found = npz(tmp_path, x_train=X, y_train=Y, x_val=X[:5], y_val=Y[:5], x_test=X, y_test=Y, sample_weight=Y + 1)
    assert len(found.data) == 3
    assert [len(part) for part in found.validation_data] == [5, 5]
    assert found.notes == ("'x_test' of d.npz was left alone",)


def test_arrays_called_like_the_inputs_and_outputs(tmp_path):
    model = hints((2,), (), names=("a", "b"))
    found = npz(tmp_path, model=model, a=X, b=Y, y=Y)
    assert found.data[0].keys() == {"a", "b"}
    found = npz(tmp_path, model=model, a=X, b=Y, out=Y)
    assert found.data[1].keys() == {"out"}


def test_x_alone_is_for_autoencoders(tmp_path):
    assert npz(tmp_path, x=X).data.tolist() == X.tolist()
    np.save(tmp_path / "some.npy", X)
    assert load_data(str(tmp_path / "some.npy"), hints=hints((2,), output=(2,))).data.tolist() == X.tolist()


@pytest.mark.parametrize(("x", "y"), [("x.npy", "y.npy"), ("x_train.npy", "y_train.npy"), ("images.npy", "labels.npy")])
def test_targets_lie_beside(tmp_path, x, y):
    np.save(tmp_path / x, X)
    np.save(tmp_path / y, Y)
    found = load_data(str(tmp_path / x))
    assert found.data[1].tolist() == Y.tolist()
    assert y in found.notes[0]


def test_what_memory_cannot_hold_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "memory_bytes", lambda: 400)
    with pytest.raises(FixYourData, match="fit into the memory"):
        npz(tmp_path, x=X, y=Y)


def test_scikit_learn_takes_the_shape_of_the_input():
    assert load_data("sklearn:digits", hints=hints((8, 8, 1))).data[0].shape[1:] == (8, 8, 1)
    assert load_data("sklearn:iris", hints=hints((4,))).data[0].shape[1:] == (4,)


def module(tmp_path, text: str, name: str = "own_data.py") -> str:
    (tmp_path / name).write_text(text)
    return f"{tmp_path / name}:load_data"


def test_a_function_returns_data_in_any_form(tmp_path):
    one = load_data(module(tmp_path, "def load_data(): return [[1.0]], [0]"))
    assert one.data == ([[1.0]], [0])
    assert one.validation_data is None
    two = load_data(module(tmp_path, "def load_data(): return ([1.0], [0]), ([2.0], [1])", "other_data.py"))
    assert two.validation_data == ([2.0], [1])


def test_a_function_may_import_what_lies_beside_its_file(tmp_path):
    (tmp_path / "beside_own_data.py").write_text("VALUE = [1.0], [0]")
    found = load_data(
        module(tmp_path, "import beside_own_data\ndef load_data(): return beside_own_data.VALUE", "third.py")
    )
    assert found.data == ([1.0], [0])


def test_a_package_is_named_by_dots(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pack_of_data").mkdir()
    (tmp_path / "pack_of_data" / "part.py").write_text("def load(): return [1.0], [0]")
    assert load_data("pack_of_data.part:load").data == ([1.0], [0])
    with pytest.raises(FixYourCall, match="must hold a function 'laod'"):
        load_data("pack_of_data.part:laod")


def test_a_file_called_like_a_module_of_python_takes_no_place_but_its_own(tmp_path):
    import random

    assert load_data(module(tmp_path, "def load_data(): return [1.0], [0]", "random.py")).data == ([1.0], [0])
    assert sys.modules["random"] is random
