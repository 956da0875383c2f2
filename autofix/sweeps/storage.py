"""Opens the storage that holds a sweep: a journal file, or a database that other machines reach."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
import sqlalchemy
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from sqlalchemy.exc import ArgumentError

from autofix.errors import FixYourCall
from autofix.store.urls import DRIVER, hidden, with_driver
from autofix.sweeps.patience import Patience
from autofix.sweeps.terms import Terms

JOURNAL = "sweep.journal"
# Of the lock that creators of tables take; any number does, as long as nobody else in the database uses it.
_CREATING = 0x6175746F666978
# Seconds until a connection attempt counts as failed, and until a silent one counts as broken: a server that
# vanishes from the network sends nothing.
_CONNECT = {"connect_timeout": 10, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}


def is_database(address: str) -> bool:
    """Whether a storage is a database, rather than a journal file."""
    return "://" in address


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
    engine = _engine(address)
    patience = Patience(terms, terms.opening, address)

    def opened() -> BaseStorage:
        with _alone(engine):
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
    engine = _engine(address)

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
    path.parent.mkdir(parents=True, exist_ok=True)
    _cut_torn_line(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return JournalStorage(JournalFileBackend(str(path)))


def _cut_torn_line(path: Path) -> None:
    """Cuts what a writer that died left unfinished: the next line would be appended to it, and both be lost."""
    if not path.exists():
        return
    with path.open("rb+") as file:
        content = file.read()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            file.truncate(whole)


def _database(address: str) -> BaseStorage:
    settings: dict[str, Any] = {"pool_pre_ping": True, "pool_size": 1}
    if with_driver(address).startswith(DRIVER):
        settings["connect_args"] = dict(_CONNECT)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.storages.get_storage(RDBStorage(with_driver(address), engine_kwargs=settings))


def _engine(address: str) -> sqlalchemy.Engine:
    url = with_driver(address)
    try:
        arguments = _CONNECT if url.startswith(DRIVER) else {}
        return sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool, connect_args=dict(arguments))
    except ArgumentError as error:
        raise FixYourCall(
            f"`--storage` must be an address such as postgresql://user@host/database. Received: {hidden(address)!r}."
        ) from error
    except ImportError as error:
        way_out = "pip install 'keras-autofix[postgresql]'" if url.startswith(DRIVER) else f"pip install {error.name}"
        raise FixYourCall(f"the driver of {hidden(address)!r} is not installed. Run: {way_out}") from error


@contextmanager
def _alone(engine: sqlalchemy.Engine) -> Iterator[None]:
    """Keeps other creators out: two that create the tables of a fresh database at once both crash."""
    if engine.dialect.name != "postgresql":
        yield
        return
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("SELECT pg_advisory_lock(:key)"), {"key": _CREATING})
        try:
            yield
        finally:
            connection.execute(sqlalchemy.text("SELECT pg_advisory_unlock(:key)"), {"key": _CREATING})
