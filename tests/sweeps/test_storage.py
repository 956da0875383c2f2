"""Opening storages: drivers, addresses, what is there already."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest
from sqlalchemy.exc import OperationalError

from autofix.errors import FixYourCall, TryLater
from autofix.sweeps import storage
from autofix.sweeps.patience import Patience, is_away
from tests.sweeps.standin import QUICK

SHORT = replace(QUICK, opening=0.3, patience=0.3)


def test_a_missing_driver_names_the_extra_that_brings_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(FixYourCall, match=r"pip install 'keras-autofix\[postgresql\]'") as caught:
        storage.create("postgresql://me:secret@host/db", SHORT)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("opened", [storage.create, lambda address, terms: storage.join(address, terms, wait=0.0)])
def test_a_server_that_is_not_there_is_told_without_its_password(opened):
    with pytest.raises(TryLater, match="does not answer since") as caught:
        opened("postgresql://me:secret@127.0.0.1:1/db", SHORT)
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_storage_that_comes_back_in_time_is_waited_for():
    answers = [OperationalError("select", {}, Exception("gone")), ConnectionResetError(), "here"]

    def call():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    patience = Patience(QUICK, 60.0, "postgresql://host/db")
    assert patience(call) == "here"
    assert patience.calls == 1


@pytest.mark.parametrize("error", [KeyError("x"), FileNotFoundError("x"), PermissionError("x"), ValueError("x")])
def test_what_waiting_does_not_mend_is_not_waited_for(error):
    assert not is_away(error)

    def call():
        raise error

    with pytest.raises(type(error)):
        Patience(QUICK, 60.0, "x")(call)


@pytest.mark.parametrize("kept", range(1, 40, 3))
def test_a_journal_that_was_cut_anywhere_opens_with_all_whole_lines(tmp_path, kept):
    path = tmp_path / "sweep.journal"
    lines = b'{"op_code":0,"worker_id":"a"}\n'
    path.write_bytes(lines + (b'{"op_code":4,"study_id":0,"worker_id":"b"}')[:kept])
    storage._cut_torn_line(path)
    assert path.read_bytes() == lines
