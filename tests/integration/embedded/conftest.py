"""A place for a database, and processes that use it; at the end no server and no folder is left."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from facealbum.storage.embedded import EmbeddedPostgres
from tests.conftest import quick_place
from tests.integration.embedded.clients import USERS, Client, StartClient, User


@pytest.fixture
def user(request: pytest.FixtureRequest) -> User:
    """Who runs the clients: whoever runs the tests, unless the test says otherwise."""
    return USERS[getattr(request, "param", next(iter(USERS)))]()


@pytest.fixture
def folder(user: User) -> Iterator[Path]:
    """A private folder of the user's, reached through folders that are open to all."""
    made = Path(tempfile.mkdtemp(dir=quick_place()))
    os.chown(made, user.uid, -1)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def directory(folder: Path) -> Path:
    """Where the database is to be."""
    return folder / "postgres"


@pytest.fixture
def client(user: User, directory: Path) -> Iterator[StartClient]:
    """Starts a client of this directory or another."""
    clients: list[Client] = []

    def start(place: Path = directory) -> Client:
        clients.append(Client(user.command, place))
        return clients[-1]

    yield start
    for one in clients:
        one.kill()
    for place in {one.directory for one in clients}:
        EmbeddedPostgres(place).stop()
