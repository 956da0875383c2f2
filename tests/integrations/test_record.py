"""A result at hand and the run folder that it left tell the integrations the same."""

from __future__ import annotations

import sys
from dataclasses import fields

import pytest

import autofix
from autofix.errors import FixYourCall
from autofix.integrations import NotInstalled, needed
from autofix.integrations.record import Record, parameters
from tests.integrations.folders import written
from tests.programs import run

# Keras reads the variables that it saves through an interface of which NumPy 2 warns.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def result():
    return run("tiny_rate").result


def test_result_and_folder_tell_the_same(result, tmp_path):
    taken, read = Record.of(result), Record.of(written(result, tmp_path))
    for field in fields(Record):
        if field.name not in ("folder", "trials", "before", "after"):
            assert getattr(taken, field.name) == getattr(read, field.name), field.name
    assert taken.numbers == read.numbers
    assert [trial.patch for trial in taken.trials] == [trial.patch for trial in read.trials]
    assert [role for role, _ in taken.curves()] == ["before", "after"]
    for (_, one), (_, other) in zip(taken.curves(), read.curves(), strict=True):
        assert one.trace == other.trace
    assert read.change_log.startswith("# REPAIRED: The run is repaired.")


def test_a_healthy_run_has_no_after():
    record = Record.of(run("healthy").result)
    assert [role for role, _ in record.curves()] == ["before"]
    assert (record.status, record.parameters, list(record.scores)) == ("healthy", {}, ["before"])


def test_numbers_by_name(result):
    numbers = Record.of(result).numbers
    assert numbers["after.balanced_accuracy"] == result.after.mean
    assert numbers["before.balanced_accuracy.spread"] == result.before.spread
    assert numbers["trials"] == len(result.trials)


def test_values_are_numbers_or_short_text(result):
    assert Record.of(result).parameters == {"compile/optimizer/learning_rate": result.changes[0].after}
    change = autofix.Change("compile/loss", "mse", {"class_name": "Huber", "config": {}}, "loss", "because")
    assert parameters(autofix.Patch((change,))) == {"compile/loss": "Huber()"}


def test_a_folder_without_a_repair_is_refused(tmp_path):
    with pytest.raises(FixYourCall, match="finished repair"):
        Record.of(tmp_path)


def test_what_is_missing_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "no_such_tool", None)
    with pytest.raises(NotInstalled, match=r"'no_such_tool'.* pip install 'keras-autofix\[tool\]'"):
        needed("no_such_tool", "tool")


def test_what_a_tool_itself_lacks_is_not_hidden(monkeypatch, tmp_path):
    (tmp_path / "half_a_tool.py").write_text("import surely_not_installed\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="surely_not_installed") as error:
        needed("half_a_tool", "tool")
    assert not isinstance(error.value, NotInstalled)
