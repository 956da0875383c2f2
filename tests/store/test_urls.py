"""No password is ever shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autofix.store.urls import driven, hidden


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://user:secret@host:5432/db", "postgresql://user:***@host:5432/db"),
        ("postgresql+psycopg://user:se@cr/et@host/db", "postgresql+psycopg://user:***@host/db"),
        ("postgresql://user@host/db", "postgresql://user@host/db"),
        ("postgresql://:secret@host/db", "postgresql://:***@host/db"),
        ("postgresql://host/db?user=me&password=secret&x=1", "postgresql://host/db?user=me&password=***&x=1"),
        ("mysql://user:secret@host/db?ssl=1", "mysql://user:***@host/db?ssl=1"),
        ("sqlite:///file.db", "sqlite:///file.db"),
        ("no url", "no url"),
        ("cannot reach postgresql://user:secret@host/db", "cannot reach postgresql://user:***@host/db"),
    ],
)
def test_password_is_hidden(url, shown):
    assert hidden(url) == shown
    assert hidden(shown) == shown


@given(password=st.text(min_size=1).filter(lambda text: "~" not in text))
def test_no_password_gets_through(password):
    assert f"~{password}~" not in hidden(f"postgresql://user:~{password}~@host:5432/db")


def test_driver_is_named_where_none_is():
    assert driven("postgresql://host/db") == driven("postgres://host/db") == "postgresql+psycopg://host/db"
    assert driven("postgresql+asyncpg://host/db") == "postgresql+asyncpg://host/db"
    assert driven("sqlite:///postgresql://x") == "sqlite:///postgresql://x"
