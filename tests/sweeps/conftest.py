"""One PostgreSQL server for all tests."""

from __future__ import annotations

import uuid

import pytest

from autofix.sweeps.storage import create
from tests.sweeps.server import postgresql
from tests.sweeps.standin import QUICK


@pytest.fixture(scope="session")
def server():
    with postgresql() as running:
        yield running


@pytest.fixture
def fresh(server):
    """Address of a database that holds nothing, not even tables."""
    name = f"t{uuid.uuid4().hex}"
    server.psql(f"CREATE DATABASE {name}")
    return server.get_uri(database=name)


@pytest.fixture
def database(server):
    """Address of a database without studies. All tests share it: creating one takes half a second."""
    address = server.get_uri()
    yield address
    storage = create(address, QUICK)
    for study in storage.get_all_studies():
        storage.delete_study(study._study_id)


@pytest.fixture(params=["journal", "postgresql"])
def address(request, tmp_path):
    """Address of a fresh storage of each kind."""
    if request.param == "journal":
        return str(tmp_path / "sweep.journal")
    return request.getfixturevalue("database")
