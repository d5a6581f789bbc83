"""The connection to PostgreSQL: the embedded one by default, any other by URL, always on the newest schema.

Every transaction of the product goes through `Database.begin`, which commits at the end of the block, rolls back
on any error, and turns a lost or refused connection into DatabaseUnavailableError.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, InterfaceError, OperationalError
from sqlalchemy.pool import NullPool

from facealbum.errors import DatabaseUnavailableError, InvalidValueError
from facealbum.storage.embedded import EmbeddedPostgres
from facealbum.storage.wire import read_ids_quickly

if TYPE_CHECKING:
    from alembic.config import Config

Transaction: TypeAlias = Connection
"""What the functions of facealbum.storage are called with; the rest of the product only passes it on."""

_CONNECTIONS = 4
_MIGRATIONS = Path(__file__).parent / "migrations"
_MIGRATION_LOCK = 0x6661_6365  # "face": any fixed number that nobody else takes an advisory lock on


class Database:
    """An engine, and the embedded server behind it if there is one; use as a context manager."""

    def __init__(self, engine: Engine, place: str, embedded: EmbeddedPostgres | None = None) -> None:
        self.engine = engine
        self.place = place
        self.embedded = embedded

    @contextmanager
    def begin(self, *, trial: bool = False) -> Iterator[Transaction]:
        """One transaction; a trial is rolled back at its end."""
        try:
            with self.engine.connect() as connection, connection.begin() as transaction:
                yield connection
                if trial:
                    transaction.rollback()
        except (OperationalError, InterfaceError) as error:
            raise DatabaseUnavailableError(
                f"the database at {self.describe()} did not answer: {str(error.orig).strip()}; see `facealbum doctor`"
            ) from error

    def describe(self) -> str:
        """Where the database is, without its password."""
        return self.place

    def close(self) -> None:
        """Give back every connection; the embedded server stops with its last user."""
        self.engine.dispose()
        if self.embedded is not None:
            self.embedded.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_database(url: str | None, data: Path, *, connections: int = _CONNECTIONS) -> Database:
    """Connect to `url`, or start the embedded server under `data`; the schema is brought up to date.

    `connections`: how many are kept open between transactions; there may be more at a time.
    Raises DatabaseUnavailableError if there is no server or no pgvector, InvalidValueError for a bad URL.
    """
    database = _external(url, connections) if url else _embedded(data, connections)
    try:
        migrate(database)
    except BaseException:
        database.close()
        raise
    return database


def watch_database(url: str | None, data: Path) -> Database:
    """The same for somebody who only looks: the schema stays as it is, and no connection is kept open."""
    return _external(url, 0) if url else _embedded(data, 0)


def _embedded(data: Path, connections: int) -> Database:
    server = EmbeddedPostgres(data / "postgres")
    return Database(_engine(server.start(), connections), f"{data / 'postgres'} (embedded)", server)


def _external(url: str, connections: int) -> Database:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise InvalidValueError(
            "FACEALBUM_DATABASE_URL must be a URL such as postgresql://user:password@host/database"
        ) from error
    if parsed.get_backend_name() not in {"postgresql", "postgres"}:
        raise InvalidValueError(
            f"FACEALBUM_DATABASE_URL must start with postgresql://, got {parsed.get_backend_name()}://"
        )
    address = parsed.set(drivername="postgresql+psycopg2").render_as_string(hide_password=False)
    return Database(_engine(address, connections), parsed.render_as_string(hide_password=True))


def _engine(url: str, connections: int) -> Engine:
    kept = {"pool_size": connections, "pool_pre_ping": True}
    pool: dict[str, Any] = kept if connections else {"poolclass": NullPool}
    engine = create_engine(url, connect_args={"application_name": "facealbum", "connect_timeout": 10}, **pool)
    event.listen(engine, "connect", read_ids_quickly)
    return engine


def migrate(database: Database) -> None:
    """Bring the schema to the newest revision; processes that start together take turns.

    A newer release's schema stays: migrations add before they drop, so this release works on it as well.
    """
    with database.begin() as connection:
        if not is_behind(connection):
            return
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        _upgrade(connection)


def schema_revision(connection: Connection) -> str | None:
    """The revision that the database is on; None before the first migration."""
    if connection.execute(text("SELECT to_regclass('alembic_version')")).scalar_one() is None:
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return found


def newest_revision() -> str:
    """The revision that this code needs."""
    return _revisions()[-1]


def is_behind(connection: Connection) -> bool:
    """Whether the schema is older than this code; a revision that it doesn't know is a newer release's."""
    found = schema_revision(connection)
    return found is None or found in _revisions()[:-1]


@cache
def _revisions() -> tuple[str, ...]:
    """All in their order, which is that of their files: Alembic itself is loaded only to migrate."""
    return tuple(sorted(path.name[:4] for path in (_MIGRATIONS / "versions").glob("[0-9][0-9][0-9][0-9]_*.py")))


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - a third of a second, which a schema that is up to date need not pay

    command.upgrade(_alembic(connection), "head")


def _alembic(connection: Connection | None = None) -> "Config":
    from alembic.config import Config  # noqa: PLC0415 - likewise

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.attributes["connection"] = connection
    return config
