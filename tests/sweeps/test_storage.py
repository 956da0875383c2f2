"""Opening storages: drivers, addresses, what is there already."""

from __future__ import annotations

import re
import sqlite3
import sys
import traceback
import uuid
from dataclasses import replace

import pytest
import sqlalchemy
from sqlalchemy.exc import OperationalError

from autofix.errors import FixYourCall, TryLater
from autofix.store import databases
from autofix.store.databases import is_away
from autofix.store.studies import in_database
from autofix.sweeps import storage
from autofix.sweeps.patience import Patience
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


@pytest.mark.parametrize(
    "address", ["postgresql://me:se@cr:et@host/db", "postgresql:/me:secret@host/db", "nosuchdb://me:secret@host/db"]
)
@pytest.mark.parametrize("opened", [storage.create, lambda address, terms: storage.join(address, terms, wait=0.0)])
def test_an_address_that_cannot_be_read_is_told_without_any_part_of_its_password(
    opened, address, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FixYourCall, match="must be the URL of a database") as caught:
        opened(address, SHORT)
    told = "".join(traceback.format_exception(caught.value)).replace(address, "")
    assert not re.search("secret|cr:et|'et@", told)
    assert not list(tmp_path.iterdir())


def test_a_database_in_which_nothing_may_be_created_says_so(fresh, server):
    role = f"r{uuid.uuid4().hex[:8]}"
    server.psql(f"CREATE ROLE {role} LOGIN")
    with pytest.raises(FixYourCall, match=r"which refuses: permission denied.*the rights of its user"):
        storage.create(fresh.replace("//postgres:", f"//{role}:"), SHORT)


def test_a_creator_that_hangs_is_not_waited_for(fresh):
    engine = databases.engine(fresh)
    with engine.connect() as other:
        other.execute(sqlalchemy.text("SELECT pg_advisory_lock(:key)"), {"key": storage._CREATING})
        with pytest.raises(TryLater, match="lock timeout"):
            storage.create(fresh, SHORT)
    storage.create(fresh, QUICK)


def test_tables_of_another_version_of_optuna_are_no_reason_to_wait(tmp_path):
    address = f"sqlite:///{tmp_path / 'study.db'}"
    storage.create(address, SHORT)
    with sqlite3.connect(tmp_path / "study.db") as database:
        database.execute("UPDATE alembic_version SET version_num = 'v0.9.0.a'")
        database.execute("UPDATE version_info SET schema_version = 1, library_version = '0.9.0'")
    for opened in (lambda: storage.create(address, SHORT), lambda: in_database(address, "study")):
        with pytest.raises(FixYourCall, match=r"which refuses: The runtime optuna version.*same version of Optuna"):
            opened()


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
