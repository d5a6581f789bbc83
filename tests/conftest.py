"""What integration tests share: a real embedded server, and a fresh world for each test."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from shutil import disk_usage
from tempfile import TemporaryDirectory, gettempdir
from uuid import NAMESPACE_URL, uuid5

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import create_engine, make_url, text

from facealbum.settings import Settings
from facealbum.steps.context import Context, NoProgress
from facealbum.storage.database import Database, open_database
from facealbum.storage.embedded import EmbeddedPostgres, cluster
from facealbum.storage.objects import LocalObjectStore

# Every run tries the same examples; `--hypothesis-profile=search` looks for new ones.  Nothing is timed.
settings.register_profile("same", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("same")

pytest_plugins = ["tests.broker_server", "tests.file_server", "tests.integration.tracked", "tests.object_server"]

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
ROOM = 2 << 30


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The URL of an embedded server whose database `template` has the newest schema.

    What it holds need not outlive a power cut, and lies in memory where there is room: most of what a test of a
    database costs are the files of its copy.
    """
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory(dir=quick_place()) as folder:
        patch.setitem(cluster._FIXED, "fsync", "off")
        with EmbeddedPostgres(Path(folder)) as url:
            administer(url, "CREATE DATABASE template")
            open_database(in_database(url, "template"), Path()).close()
            yield url


@pytest.fixture
def database_url(server: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a fresh database with the newest schema."""
    name = f"test_{uuid5(NAMESPACE_URL, request.node.nodeid).hex}"
    with copied(server, "template", name) as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A fresh database with the newest schema."""
    with open_database(database_url, Path()) as opened:
        yield opened


@pytest.fixture
def context(database: Database, tmp_path: Path) -> Context:
    """A fresh world at a fixed time."""
    return world_of(database, tmp_path)


def quick_place() -> str:
    """The folder for databases of tests: memory where there is room, as a disk would take ten times as long."""
    memory = Path("/dev/shm")  # noqa: S108 - folders of random names are safe there
    roomy = memory.is_dir() and disk_usage(memory).free > ROOM
    return str(memory) if roomy else gettempdir()


def copy_database(server: str, original: str, name: str) -> str:
    """The URL of a copy of a database that nobody is connected to."""
    administer(server, f"CREATE DATABASE {name} TEMPLATE {original} STRATEGY FILE_COPY")  # a quarter of the time
    return in_database(server, name)


@contextmanager
def copied(server: str, original: str, name: str) -> Iterator[str]:
    """The same for a while."""
    yield copy_database(server, original, name)
    administer(server, f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def original(server: str, name: str, folders: pytest.TempPathFactory) -> Iterator[Context]:
    """A fresh world, to be filled once; afterwards its database lies there to be copied for each test."""
    with open_database(copy_database(server, "template", name), Path()) as opened:
        yield world_of(opened, folders.mktemp(name))


def world_of(database: Database, folder: Path) -> Context:
    """A world at a fixed time, whose files lie in the folder."""
    objects = folder / "objects"
    settings = Settings(data=folder / "data", object_store=str(objects), processes=1)
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
