"""A few facts on the database as a whole."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Table, func, select, text

from facealbum.storage.database import schema_revision
from facealbum.storage.photos import count_photos
from facealbum.storage.schema import faces, families, runs


@dataclass(frozen=True, slots=True)
class Versions:
    """Of the server and what it holds."""

    server: str
    pgvector: str
    schema: str


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much there is."""

    families: int
    photos: int
    faces: int
    runs: int


def load_versions(connection: Connection) -> Versions:
    """Ask the server."""
    return Versions(
        server=connection.execute(text("SHOW server_version")).scalar_one(),
        pgvector=connection.execute(text("SELECT extversion FROM pg_extension WHERE extname = 'vector'")).scalar_one(),
        schema=schema_revision(connection) or "none",
    )


def count_everything(connection: Connection) -> Amounts:
    """Count it; reads every row."""
    return Amounts(
        families=_count(connection, families),
        photos=sum(count_photos(connection).values()),
        faces=_count(connection, faces),
        runs=_count(connection, runs),
    )


def load_time(connection: Connection) -> datetime:
    """The present moment by the server's clock."""
    now: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return now


def _count(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())
