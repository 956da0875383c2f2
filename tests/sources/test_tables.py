"""Tables: what becomes of their columns for models of different inputs, and for new rows."""

from __future__ import annotations

import json
import sys

import numpy as np
import pandas as pd
import pytest

from autofix.errors import FixYourCall, FixYourData
from autofix.hints import ModelHints, OutputHint
from autofix.sources import limits
from autofix.sources.data import load_data
from autofix.sources.encoding import Encoding
from autofix.sources.loaded import Table

ROWS = 40


def frame() -> pd.DataFrame:
    number = np.arange(ROWS)
    return pd.DataFrame(
        {
            "size": number * 1.5,
            "city": [("Rome", "Oslo", "Bern")[n % 3] for n in number],
            "sex": [("f", "m")[n % 2] for n in number],
            "smokes": [bool(n % 5 == 0) for n in number],
            "label": [("no", "yes")[n % 2] for n in number],
        }
    )


def hints(*shapes, names=("input",), loss="sparse_categorical_crossentropy", units=2) -> ModelHints:
    return ModelHints(names, shapes, (OutputHint("output", (units,), "softmax", loss, False),))


@pytest.fixture
def load(tmp_path):
    def loaded(table: pd.DataFrame, shape, *, target="label", drop=(), **named):
        path = tmp_path / "t.csv"
        table.to_csv(path, index=False)
        model = shape if isinstance(shape, ModelHints) else hints(shape, **named)
        return load_data(str(path), hints=model, table=Table(target, tuple(drop)))

    return loaded


@pytest.mark.parametrize(
    ("width", "row", "way"),
    [
        (7, [1.5, 0, 1, 0, 0, 1, 0], "one-hot"),
        (6, [1.5, 0, 1, 0, 1, 0], "one column for two"),
        (4, [1.5, 1, 1, 0], "codes"),
        (5, [1.5, 1, 0, 1, 0], "without the first"),
    ],
)
def test_categories_take_the_form_that_fits_the_width(load, width, row, way):
    found = load(frame(), (width,))
    x, y = found.data
    assert x.shape == (ROWS, width)
    assert x[1].tolist() == row
    assert y.tolist() == [n % 2 for n in range(ROWS)]
    assert way in found.notes[0]


def test_a_model_that_takes_any_width_gets_one_hot(load):
    assert load(frame(), (None,)).data[0].shape == (ROWS, 7)
    assert load(frame(), ModelHints((), (), ())).data[0].shape == (ROWS, 7)


def test_numbers_stay_as_they_are_in_type_and_value(load):
    table = pd.DataFrame({"a": [2**53 + 1, 5] * 20, "b": [1, 0] * 20, "label": [0, 1] * 20})
    x, y = load(table, (2,)).data
    assert x.dtype == y.dtype == np.int64
    assert x[0].tolist() == [2**53 + 1, 1]  # which no float can tell from its neighbour
    assert y[:2].tolist() == [0, 1]


def test_labels_that_are_numbers_are_not_counted_anew(load):
    table = pd.DataFrame({"a": range(0, 90, 2), "label": [1, 2, 3] * 15})
    assert set(load(table, (1,), units=3).data[1].tolist()) == {1, 2, 3}


def test_losses_of_one_column_a_class_get_them(load):
    y = load(frame(), (7,), loss="categorical_crossentropy").data[1]
    assert y[:2].tolist() == [[1, 0], [0, 1]]
    numbered = frame().assign(label=[n % 2 for n in range(ROWS)])
    assert load(numbered, (7,), loss="categorical_crossentropy").data[1].tolist() == y.tolist()
    # Two classes for three units: what to make of that is not for the loader to say.
    assert load(frame(), (7,), loss="categorical_crossentropy", units=3).data[1].shape == (ROWS,)


def test_a_truth_to_predict_is_a_number(load):
    y = load(frame().assign(label=[n % 2 == 0 for n in range(ROWS)]), (7,), units=1).data[1]
    assert y.tolist() == [(n + 1) % 2 for n in range(ROWS)]


def test_missing_values_stay_missing(load):
    table = frame().astype({"smokes": object})
    table.loc[0, ["size", "city", "smokes", "label"]] = None
    for width, city in ((7, [0, 0, 0]), (4, [np.nan])):
        x, y = load(table, (width,)).data
        assert np.isnan(x[0, 0])
        assert np.isnan(x[0, -1])
        np.testing.assert_array_equal(x[0, 1 : 1 + len(city)], city)
        assert np.isnan(y[0])


def test_a_few_words_in_a_column_of_numbers_count_as_missing(load):
    table = frame().astype({"size": object})
    table.loc[3, "size"] = "?"
    found = load(table, (7,))
    assert np.isnan(found.data[0][3, 0])
    assert "'?'" in found.notes[0]


def test_a_column_that_counts_the_rows_is_told(load):
    found = load(frame().assign(number=range(ROWS)), (8,))
    assert any("'number' counts the rows" in note for note in found.notes)


def test_columns_are_dropped(load):
    assert load(frame(), (2,), drop=["city", "sex"]).data[0].shape == (ROWS, 2)


def test_inputs_by_name_take_the_column_called_like_them_and_the_rest(load):
    model = hints((), (1,), (3,), (1,), names=("size", "city", "others", "smokes"))
    table = frame().drop(columns="sex").assign(sex=["f", "m"] * 20, height=1.0)
    x, _ = load(table, model).data
    assert {name: array.shape for name, array in x.items()} == {
        "size": (ROWS,),
        "city": (ROWS, 1),
        "others": (ROWS, 3),
        "smokes": (ROWS, 1),
    }
    assert x["city"][:3, 0].tolist() == [2, 1, 0]


def test_inputs_by_name_may_be_one_hot(load):
    x, _ = load(frame()[["size", "city", "label"]], hints((1,), (3,), names=("size", "city"))).data
    assert x["city"][:2].tolist() == [[0, 0, 1], [0, 1, 0]]


def test_columns_that_no_input_takes_are_told(load):
    found = load(frame(), hints((1,), (3,), names=("size", "city")))
    assert "sex, smokes" in found.notes[-1]


def test_outputs_by_name_take_the_columns_called_like_them(load):
    outputs = tuple(OutputHint(name, (1,), "linear", "mean_squared_error", False) for name in ("size", "label"))
    _, y = load(frame(), ModelHints(("x",), ((6,),), outputs), target="size").data
    assert y["size"][1] == 1.5
    assert y["label"][:2].tolist() == [0, 1]
    with pytest.raises(FixYourCall, match="--target names one of them"):
        load(frame(), ModelHints(("x",), ((6,),), outputs), target="city")


def test_a_flat_table_takes_the_shape_of_the_input(load):
    assert load(frame(), (7, 1)).data[0].shape == (ROWS, 7, 1)


@pytest.mark.parametrize("loss", ["sparse_categorical_crossentropy", "categorical_crossentropy"])
def test_an_encoding_serves_new_rows_after_a_trip_through_json(load, loss):
    found = load(frame(), (7,), loss=loss)
    again = Encoding.from_dict(json.loads(json.dumps(found.encoding.to_dict())))
    np.testing.assert_array_equal(again.inputs(frame()), found.data[0])
    np.testing.assert_array_equal(again.targets(frame()), found.data[1])
    new = pd.DataFrame({"smokes": [True], "size": [2.5], "sex": ["m"], "city": ["Paris"], "more": [1]})
    assert again.inputs(new).tolist() == [[2.5, 0, 0, 0, 0, 1, 1]]  # a city that is none of those known
    with pytest.raises(FixYourCall, match="needs a column 'city'"):
        again.inputs(new.drop(columns="city"))
    with pytest.raises(FixYourData, match="must hold the classes no, yes"):
        again.targets(frame().assign(label="maybe"))


def test_something_else_is_no_encoding():
    with pytest.raises(FixYourCall, match="no encoding"):
        Encoding.from_dict({"inputs": [{}]})


def test_validation_rows_are_encoded_like_the_others(load, tmp_path):
    found = load(frame(), (7,))
    frame().head(4).to_csv(tmp_path / "v.csv", index=False)  # holds all cities in another order, and fewer rows
    table = Table("label", (), found.encoding)
    apart = load_data(str(tmp_path / "v.csv"), hints=hints((7,)), table=table)
    np.testing.assert_array_equal(apart.data[0], found.data[0][:4])


def test_other_separators_and_a_mark_of_byte_order(tmp_path):
    frame().to_csv(tmp_path / "t.csv", index=False, sep=";", encoding="utf-8-sig")
    frame().to_csv(tmp_path / "t.tsv", index=False, sep="\t")
    for name in ("t.csv", "t.tsv"):
        found = load_data(str(tmp_path / name), hints=hints((7,)), table=Table("label"))
        assert found.data[0].shape == (ROWS, 7)
        assert found.encoding.parts[0].columns[0].name == "size"


def test_parquet_gives_what_csv_gives(load, tmp_path):
    found = load(frame(), (7,))
    frame().astype({"city": "category", "size": "Float64"}).to_parquet(tmp_path / "t.parquet")
    same = load_data(str(tmp_path / "t.parquet"), hints=hints((7,)), table=Table("label"))
    np.testing.assert_array_equal(same.data[0], found.data[0])
    assert same.encoding == found.encoding


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_what_does_not_fit_into_memory_is_not_read(tmp_path, monkeypatch, name):
    frame = pd.DataFrame({"p": np.zeros(10_000), "label": np.arange(10_000) % 2})
    path = tmp_path / name
    frame.to_csv(path, index=False) if name == "t.csv" else frame.to_parquet(path)
    table = Table("label")
    assert len(load_data(str(path), table=table).data[1]) == 10_000
    # Of numbers that are all the same the file has hardly any; what it becomes is what counts.
    least = path.stat().st_size if name == "t.csv" else 10_000 * 2 * 8
    monkeypatch.setattr(limits, "memory_bytes", lambda: least - 1)
    with pytest.raises(FixYourData, match="must fit into the memory"):
        load_data(str(path), table=table)


def test_a_target_of_one_value_is_told_as_it_is_written(tmp_path):
    (tmp_path / "t.csv").write_text("p,label\n1,7\n2,7\n")
    with pytest.raises(FixYourData, match="Received: '7' in every row"):
        load_data(str(tmp_path / "t.csv"), table=Table("label"))


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, monkeypatch):
    frame().to_parquet(tmp_path / "t.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(FixYourData, match=r"keras-autofix\[parquet\]"):
        load_data(str(tmp_path / "t.parquet"), hints=hints((7,)), table=Table("label"))


@pytest.mark.parametrize(
    ("column", "what"),
    [
        (pd.date_range("2024-01-01", periods=ROWS), "dates"),
        ([[1, 2]] * ROWS, "one number or text"),
        ([b"x"] * ROWS, "one number or text"),
    ],
)
def test_parquet_columns_that_are_no_numbers_and_no_text(tmp_path, column, what):
    frame().assign(odd=column).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(FixYourData, match=what):
        load_data(str(tmp_path / "t.parquet"), hints=hints((8,)), table=Table("label"))
