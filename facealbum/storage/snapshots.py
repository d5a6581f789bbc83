"""What a database holds, what it waits for and how long that took, so that two runs of the product can be compared.

Two databases with equal rows hold the same photos, faces, embeddings, persons, assignments and links, bit for bit.
Moments of work, counts of attempts and makers are left out: they tell when and how something was done, not what.  The
price: all rows are held in memory, so this is for thousands of photos, not for millions.
"""

from dataclasses import dataclass

from sqlalchemy import (
    Column,
    Connection,
    DateTime,
    Select,
    Table,
    Text,
    cast,
    column,
    func,
    select,
    table,
)

from facealbum.domain.ids import FamilyId, PhotoId
from facealbum.storage.queue_schema import metadata, outbox, parked
from facealbum.storage.schema import assignments, faces, families, photos

_TABLES = (
    *("families", "children", "photos", "photo_problems", "tracks", "faces", "face_embeddings"),
    *("runs", "plans", "persons", "assignments", "links", "breakage", "decisions"),
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is still to be done: photos to analyse, families to match, messages to send, messages set aside."""

    photos: int
    matches: int
    messages: int
    parked: int


@dataclass(frozen=True, slots=True)
class Way:
    """When a photo was analysed and one of its faces shown with a person, in seconds since 1970."""

    photo_id: PhotoId
    analysed_at: float
    shown_at: float | None


def load_rows(connection: Connection) -> dict[str, list[str]]:
    """The rows of every table of results, as text, in the order of their keys."""
    return {name: list(connection.execute(_rows(metadata.tables[name])).scalars()) for name in _TABLES}


def count_waiting(connection: Connection) -> Waiting:
    """What the queues have before them, as far as the database knows."""
    pending = select(func.count()).where(photos.c.status == "pending")
    unmatched = select(func.count()).where(families.c.unmatched_since.is_not(None))
    counts = (pending, unmatched, select(func.count()).select_from(outbox), select(func.count()).select_from(parked))
    return Waiting(*(connection.execute(query).scalar_one() for query in counts))


def count_doubled_faces(connection: Connection) -> int:
    """Places in photos where more than one face lies, exactly."""
    place = (faces.c.family_id, faces.c.photo_id, faces.c.box)
    doubled = select(faces.c.photo_id).group_by(*place).having(func.count() > 1).subquery()
    return connection.execute(select(func.count()).select_from(doubled)).scalar_one()


def load_ways(connection: Connection, family: FamilyId | None = None) -> list[Way]:
    """Every analysed photo, of one family or of all, once for each face that is shown provisionally, or once."""
    face = (faces.c.family_id == photos.c.family_id) & (faces.c.photo_id == photos.c.photo_id)
    mine = (assignments.c.family_id == faces.c.family_id) & (assignments.c.face_id == faces.c.face_id)
    query = (
        select(
            photos.c.photo_id,
            func.extract("epoch", photos.c.analysed_at),
            func.extract("epoch", assignments.c.assigned_at),
        )
        .outerjoin(faces, face)
        .outerjoin(assignments, mine & (assignments.c.state == "provisional"))
        .where(photos.c.analysed_at.is_not(None), *([photos.c.family_id == family] if family else []))
    )
    ways = {
        Way(one.photo_id, float(one[1]), None if one[2] is None else float(one[2])) for one in connection.execute(query)
    }
    return list(ways)


def count_connections(connection: Connection) -> int:
    """Connections to this database, this one included."""
    here = column("datname", Text) == func.current_database()
    query = select(func.count()).select_from(table("pg_stat_activity", column("datname"))).where(here)
    return connection.execute(query).scalar_one()


def _rows(of: Table) -> Select[str]:
    row = func.row(*(one for one in of.columns if _tells_what(one)))
    return select(cast(row, Text)).order_by(*of.primary_key)


def _tells_what(one: Column[object]) -> bool:
    moment_of_work = isinstance(one.type, DateTime) and one.name != "taken_at"
    return not moment_of_work and one.name not in {"attempts", "maker_id"}
