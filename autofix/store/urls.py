"""Addresses of databases: shown without their passwords, and spelled as the driver wants them."""

from __future__ import annotations

import re

# Between "://user:" and the last "@": a password may itself hold "@", "/" or ":", and blanks if nobody escaped them.
_PASSWORD = re.compile(r"(?<=://)(?P<user>[^\s:/@?#]*):(?:\S*|[^@\n]*)(?=@)")
# As a parameter of the address, which drivers accept too.
_PARAMETER = re.compile(r"(?P<before>[?&;](?:password|passwd|pwd|sslpassword|token|secret)=)[^&;#\s]*", re.IGNORECASE)
# What people, hosts and `DATABASE_URL` write for the driver that the extra `postgresql` brings.
_POSTGRESQL = re.compile(r"^postgres(?:ql)?(?:\+psycopg)?://")
DRIVER = "postgresql+psycopg://"


def hidden(text: str) -> str:
    """Returns an address, or any text that holds some, with ``***`` for every password.

    Example:
        >>> hidden("postgresql://me:secret@host/db")
        'postgresql://me:***@host/db'
    """
    return _PARAMETER.sub(r"\g<before>***", _PASSWORD.sub(r"\g<user>:***", text))


def with_driver(url: str) -> str:
    """Returns a database address that names the driver; addresses of other databases come back as they are.

    Example:
        >>> with_driver("postgresql://host/db")
        'postgresql+psycopg://host/db'
    """
    return _POSTGRESQL.sub(DRIVER, url)
