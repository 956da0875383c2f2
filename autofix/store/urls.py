"""Addresses of databases, made fit to be seen."""

from __future__ import annotations

import re

# `user:password@` behind `scheme://`; a password may hold what belongs into a URL in another form only, "@" included.
_SECRET = re.compile(r"(?<=://)([^/?#@:]*):(.*)@(?=[^@]*$)", re.DOTALL)
# What drivers take as a parameter behind the "?".
_PARAMETER = re.compile(r"(?i)([?&;](?:password|passwd|pwd|token|secret|sslpassword)=)[^&;#]*")


def hidden(url: str) -> str:
    """Returns the address of a database with the password as ``***``: the only form that is shown or written.

    Args:
        url: Such as ``postgresql://user:password@host/name``.
    """
    return _PARAMETER.sub(r"\1***", _SECRET.sub(r"\1:***@", url))
