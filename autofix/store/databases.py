"""What errors of a database mean, told without its password."""

from __future__ import annotations

from typing import Any

import sqlalchemy
from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError, SQLAlchemyError

from autofix.errors import FixYourCall
from autofix.store.urls import DRIVER, hidden, with_driver

# Seconds until a connection attempt counts as failed, and until a silent one counts as broken: a server that vanishes
# from the network sends nothing. The last is in milliseconds, for what was sent and never acknowledged.
_CONNECT = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}


def connecting(url: str) -> dict[str, Any]:
    """Returns what the driver of a database is passed, so that it waits for nothing for ever."""
    return dict(_CONNECT) if with_driver(url).startswith(DRIVER) else {}


def engine(url: str) -> sqlalchemy.Engine:
    """Returns what connects to a database; nothing is connected to yet.

    Args:
        url: Address of the database.

    Raises:
        FixYourCall: If the address is wrong, or what talks to such a database is not installed.
    """
    full = with_driver(url)
    try:
        return sqlalchemy.create_engine(full, poolclass=sqlalchemy.NullPool, connect_args=connecting(url))
    except (ArgumentError, ValueError):  # their words hold parts of the address, a password for a port
        raise FixYourCall(
            "`storage` must be the URL of a database, such as postgresql://user@host/name or sqlite:///file.db. "
            f"Received: {hidden(url)!r}. Write @ : / and % in a password as %40 %3A %2F and %25."
        ) from None
    except ImportError as error:
        way_out = "pip install 'keras-autofix[postgresql]'" if full.startswith(DRIVER) else f"pip install {error.name}"
        raise FixYourCall(
            f"`storage` needs a driver that is not installed. Received: {hidden(url)!r}. Run: {way_out}"
        ) from None


def is_away(error: BaseException) -> bool:
    """Whether an error means that the storage is away, rather than that a call is wrong."""
    cause = _cause(error)
    if isinstance(cause, DBAPIError):
        return isinstance(cause, OperationalError | InterfaceError) or cause.connection_invalidated
    # A journal on a network disk; a file that is missing or not allowed will not come back by waiting.
    return isinstance(cause, OSError) and not isinstance(
        cause, FileNotFoundError | PermissionError | NotADirectoryError
    )


def refusal(error: BaseException, url: str) -> FixYourCall | None:
    """Returns what a database refuses, in words; None where it is something else that went wrong.

    Args:
        error: What was raised.
        url: Address of the database.
    """
    # A bare RuntimeError is how Optuna says that the tables are those of another version of it.
    is_refusal = isinstance(_cause(error), SQLAlchemyError) or type(error) is RuntimeError
    if not is_refusal or is_away(error):
        return None
    return FixYourCall(
        f"`storage` must let its user read and write. Received: {hidden(url)!r}, which refuses: {reason(error)}. Check "
        "the address, the rights of its user, and that every machine has the same version of Optuna."
    )


def reason(error: BaseException) -> str:
    """Returns the first line of what a database or a file system says, without passwords."""
    cause = _cause(error)
    original = getattr(cause, "orig", None) or cause
    lines = [line.strip() for line in str(original).splitlines() if line.strip()]
    return hidden(lines[0] if lines else type(original).__name__).rstrip(".")


def _cause(error: BaseException) -> BaseException:
    return error.__cause__ or error if isinstance(error, StorageInternalError) else error
