"""Opens the storage that holds a sweep: a journal file, or a database that other machines reach."""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna
import sqlalchemy
from optuna.storages import BaseStorage, RDBStorage

from autofix.errors import FixYourCall
from autofix.store import databases, journal
from autofix.store.urls import hidden, with_driver
from autofix.sweeps.patience import Patience
from autofix.sweeps.terms import Terms

JOURNAL = "sweep.journal"
# What to do about a journal that is corrupt.
ANEW = (
    "Rename that file and run the sweep again: the journal is written anew, and cells whose run folders are here and "
    "finished are answered from them."
)
# One slash too few is no path.
_SCHEME = re.compile(r"[A-Za-z][\w+.-]+:/")
# Of the lock that creators of tables take; any number does, as long as nobody else in the database uses it.
_CREATING = 0x6175746F666978


def is_database(address: str) -> bool:
    """Whether a storage is a database, rather than a journal file."""
    return _SCHEME.match(address) is not None


def create(address: str, terms: Terms) -> BaseStorage:
    """Opens a storage and creates what is missing in it. Any number of processes may do so at once.

    Args:
        address: Address of a database, or path of a journal file.
        terms: How long to wait for it.

    Raises:
        FixYourCall: If the address is wrong or its driver is not installed.
        TryLater: If it does not answer.
    """
    if not is_database(address):
        return _journal(Path(address))
    engine = databases.engine(address)
    patience = Patience(terms, terms.opening, address)

    def opened() -> BaseStorage:
        with _alone(engine, terms.opening):
            return _database(address)

    try:
        return patience(opened)
    finally:
        engine.dispose()


def join(address: str, terms: Terms, *, wait: float) -> BaseStorage:
    """Opens a storage that somebody else creates.

    Args:
        address: As in `create`.
        terms: How long to wait for it.
        wait: Seconds to wait until it is there.

    Raises:
        FixYourCall: If the address is wrong, its driver is not installed, or nobody has created it by then.
        TryLater: If it does not answer.
    """
    deadline = time.monotonic() + wait
    while not _is_there(address, terms):
        if time.monotonic() >= deadline:
            raise FixYourCall(
                f"there is no sweep in {hidden(address)}. Start it with `autofix sweep`, or pass a longer --wait."
            )
        time.sleep(min(terms.poll, max(0.0, deadline - time.monotonic())))
    if not is_database(address):
        return _journal(Path(address))
    return Patience(terms, terms.opening, address)(lambda: _database(address))


def _is_there(address: str, terms: Terms) -> bool:
    if not is_database(address):
        return Path(address).is_file()
    engine = databases.engine(address)

    def looked() -> bool:
        # Its row is what is written last when the tables are created.
        with engine.connect() as connection:
            if not sqlalchemy.inspect(connection).has_table("alembic_version"):
                return False
            return bool(connection.execute(sqlalchemy.text("SELECT count(*) FROM alembic_version")).scalar())

    try:
        return Patience(terms, terms.opening, address)(looked)
    finally:
        engine.dispose()


def _journal(path: Path) -> BaseStorage:
    return journal.opened(path, way_out=ANEW, shared=True)


def _database(address: str) -> BaseStorage:
    settings = {"pool_pre_ping": True, "pool_size": 1, "connect_args": databases.connecting(address)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.storages.get_storage(RDBStorage(with_driver(address), engine_kwargs=settings))


@contextmanager
def _alone(engine: sqlalchemy.Engine, seconds: float) -> Iterator[None]:
    """Keeps other creators out: two that create the tables of a fresh database at once both crash.

    One that hangs is waited for so many seconds; the database then says that it is busy.
    """
    if engine.dialect.name != "postgresql":
        yield
        return
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text(f"SET lock_timeout = {round(1000 * seconds)}"))
        connection.execute(sqlalchemy.text("SELECT pg_advisory_lock(:key)"), {"key": _CREATING})
        try:
            yield
        finally:
            connection.execute(sqlalchemy.text("SELECT pg_advisory_unlock(:key)"), {"key": _CREATING})
