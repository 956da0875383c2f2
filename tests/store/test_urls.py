"""Addresses of databases are never shown with a password."""

from __future__ import annotations

import pytest

from autofix.store.urls import hidden, with_driver


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://me:secret@host/db", "postgresql://me:***@host/db"),
        ("postgresql+psycopg://me:s@cr@et@host:5432/db", "postgresql+psycopg://me:***@host:5432/db"),
        ("postgresql://me:se/c ret@host/db", "postgresql://me:***@host/db"),
        ("postgresql://:secret@host/db", "postgresql://:***@host/db"),
        (
            "postgresql://host/db?user=me&password=secret&sslmode=require",
            "postgresql://host/db?user=me&password=***&sslmode=require",
        ),
        ("cannot connect to mysql://a:b@c/d, giving up", "cannot connect to mysql://a:***@c/d, giving up"),
        ("postgresql://me@host/db", "postgresql://me@host/db"),
        ("sqlite:///a.db", "sqlite:///a.db"),
        ("no address", "no address"),
    ],
)
def test_passwords_are_hidden_and_nothing_else(text, shown):
    assert hidden(text) == shown


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_spelling_of_postgresql_names_the_driver(scheme):
    assert with_driver(f"{scheme}://me@host/db") == "postgresql+psycopg://me@host/db"


def test_other_databases_keep_their_address():
    assert with_driver("sqlite:///a.db") == "sqlite:///a.db"
    assert with_driver("postgresql+psycopg2://h/d") == "postgresql+psycopg2://h/d"
