"""A world that has one of everything, for tests of the whole application."""

from collections.abc import Iterator
from uuid import NAMESPACE_URL, uuid5

import pytest

from tests.conftest import copied, copy_database
from tests.integration.everything import Everything, Filled, fill
from tests.integration.web_album import NOW, album_client, at, open_client


@pytest.fixture(scope="session")
def filled(server: str, tmp_path_factory: pytest.TempPathFactory) -> Filled:
    """Made once, as it takes seconds."""
    folder = tmp_path_factory.mktemp("everything")
    with album_client(copy_database(server, "template", "everything"), folder) as client:
        return Filled("everything", folder, fill(client), client.headers["Authorization"])


@pytest.fixture
def everything(server: str, filled: Filled, request: pytest.FixtureRequest) -> Iterator[Everything]:
    """A copy of it; the objects are shared, and nothing deletes them."""
    name = f"everything_{uuid5(NAMESPACE_URL, request.node.nodeid).hex}"
    with copied(server, filled.database, name) as url, open_client(url, filled.folder) as client:
        at(client, NOW)
        client.headers["Authorization"] = filled.token
        yield Everything(client, filled.places)
