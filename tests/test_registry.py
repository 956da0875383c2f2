"""Which strategies there are: built-in ones, registered ones, selected ones, broken ones."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import ClassVar, final

import pytest

from autofix import registry
from autofix.change import Patch
from autofix.errors import FixYourCall
from autofix.strategy import Strategy
from autofix.symptom import Symptom


@final
@dataclass(frozen=True)
class Extra(Strategy):
    name: ClassVar[str] = "extra"
    treats: ClassVar[frozenset[Symptom]] = frozenset({Symptom.SLOW})

    def guess(self, case):
        return Patch()

    def suggest(self, trial, case):
        return Patch()


@final
@dataclass(frozen=True)
class Namesake(Strategy):
    name: ClassVar[str] = "activation"
    treats: ClassVar[frozenset[Symptom]] = frozenset({Symptom.SLOW})

    def guess(self, case):
        return Patch()

    def suggest(self, trial, case):
        return Patch()


class Registered:
    """An entry point that loads to what it is given."""

    def __init__(self, name, value):
        self.name, self.value = name, value

    def load(self):
        if isinstance(self.value, Exception):
            raise self.value
        return self.value


@pytest.fixture
def register(monkeypatch):
    def put(**values):
        entries = [Registered(name, value) for name, value in values.items()]
        monkeypatch.setattr(registry, "entry_points", lambda group: entries if group == registry.GROUP else [])

    put()
    return put


def names(*args):
    return [strategy.name for strategy in registry.strategies(*args)]


def test_all_of_the_built_in_collection(register):
    assert {"activation", "learning_rate", "epochs"} <= set(names())
    assert len(set(names())) == len(names())


def test_selection_keeps_the_order_of_the_collection(register):
    assert names(["learning_rate", "activation"]) == ["activation", "learning_rate"]
    assert names([]) == []


@pytest.mark.parametrize("value", [Extra, Extra(), [Extra], (Extra(),)])
def test_classes_instances_and_sequences_can_be_registered(register, value):
    register(extra=value)
    assert names()[-1] == "extra"
    assert registry.strategies(["extra"]) == (Extra(),)


@pytest.mark.parametrize("value", [ImportError("no such module"), 5, int, [Extra, "text"], Strategy, RuntimeError("x")])
def test_what_fails_to_load_is_logged_and_skipped(register, value, caplog):
    register(a_broken=value, b_good=Extra)
    with caplog.at_level(logging.WARNING):
        assert names()[-1] == "extra"
        assert names().count("extra") == 1
    assert "'a_broken'" in caplog.text


def test_real_entry_points_are_read(monkeypatch):
    entry = EntryPoint("mine", f"{__name__}:nothing", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [entry])
    assert "activation" in names()


def test_unknown_names_get_a_hint(register):
    with pytest.raises(FixYourCall, match=r"no strategy 'activations'\. Did you mean 'activation'"):
        names(["activations"])
    with pytest.raises(FixYourCall, match="no strategy 5"):
        names([5])


def test_a_name_twice_is_refused(register):
    with pytest.raises(FixYourCall, match="once"):
        names(["epochs", "epochs"])


def test_a_bare_string_is_refused(register):
    with pytest.raises(FixYourCall, match=r"Pass \['epochs'\]"):
        names("epochs")


def test_two_strategies_of_one_name_are_refused(register):
    register(other=Namesake)
    with pytest.raises(FixYourCall, match="two strategies are called 'activation'"):
        names()
