"""What integration tests share: a real embedded server, and a fresh world for each test."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import create_engine, make_url, text

from facealbum.settings import Settings
from facealbum.steps.context import Context, NoProgress
from facealbum.storage.database import Database, open_database
from facealbum.storage.embedded import EmbeddedPostgres
from facealbum.storage.objects import LocalObjectStore

# Every run tries the same examples; `--hypothesis-profile=search` looks for new ones.  Nothing is timed.
settings.register_profile("same", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("same")

pytest_plugins = ["tests.broker_server", "tests.file_server", "tests.integration.tracked", "tests.object_server"]

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an embedded server whose database `template` has the newest schema."""
    with EmbeddedPostgres(tmp_path_factory.mktemp("server")) as url:
        administer(url, "CREATE DATABASE template")
        open_database(in_database(url, "template"), Path()).close()
        yield url


@pytest.fixture
def database_url(server: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a fresh database with the newest schema."""
    name = f"test_{uuid5(NAMESPACE_URL, request.node.nodeid).hex}"
    administer(server, f"CREATE DATABASE {name} TEMPLATE template")
    yield in_database(server, name)
    administer(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A fresh database with the newest schema."""
    with open_database(database_url, Path()) as opened:
        yield opened


@pytest.fixture
def context(database: Database, tmp_path: Path) -> Context:
    """A fresh world at a fixed time."""
    objects = tmp_path / "objects"
    settings = Settings(data=tmp_path / "data", object_store=str(objects), processes=1)
    return Context(settings, database, LocalObjectStore(objects), clock=lambda: NOW, progress=NoProgress())


def administer(url: str, statement: str) -> None:
    """Run one statement outside of any transaction."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(statement))
    finally:
        engine.dispose()


def in_database(url: str, name: str) -> str:
    """The same server's database of this name."""
    return make_url(url).set(database=name).render_as_string(hide_password=False)
