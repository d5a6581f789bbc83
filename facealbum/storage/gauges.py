"""The state of the installation as a whole, for metrics: what waits, how long, and what went wrong.

Every number is read from an index or counted up to a bound, so that asking costs the same however much there is;
a database that takes longer than two seconds is told to give up.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, extract, func, select, text

from facealbum.storage.queue_schema import batch_families, batches, outbox, parked
from facealbum.storage.schema import photo_problems, photos

BOUND = 10_000
"""No count goes on after this many rows; it then says "at least"."""


@dataclass(frozen=True, slots=True)
class Gauges:
    """How it stands; ages in seconds, 0 where nothing waits, all by the database's clock.

    coverage: of the last monthly job that is done, the faces with a person, and all.
    """

    pending: int
    pending_age: float
    outbox: int
    outbox_age: float
    parked: Mapping[tuple[str, str], int]
    problems: Mapping[tuple[str, str], int]
    batches: Mapping[str, int]
    batch_age: float
    batch_families: Mapping[str, int]
    coverage: tuple[int, int] | None
    alarms: int | None


def load_gauges(connection: Connection) -> Gauges:
    """Read all of it."""
    connection.execute(text("SET LOCAL statement_timeout = '2s'"))
    open_batches = batches.c.status.in_(["running", "paused", "evaluating"])
    running = select(func.min(batches.c.created_at)).where(batches.c.status.in_(["running", "evaluating"]))
    progress = (
        select(batch_families.c.status, func.count())
        .join(batches, batches.c.batch_id == batch_families.c.batch_id)
        .where(open_batches)
        .group_by(batch_families.c.status)
    )
    hits, cases, alarms = _last_batch(connection)
    waiting = photos.c.status == "pending"  # a frame of a video never is
    return Gauges(
        pending=_count(connection, select(photos.c.photo_id).where(waiting)),
        pending_age=_age(connection, select(func.min(photos.c.created_at)).where(waiting)),
        outbox=_count(connection, select(outbox.c.number)),
        outbox_age=_age(connection, select(outbox.c.written_at).order_by(outbox.c.number).limit(1)),
        parked=_by_two(connection, select(parked.c.queue, parked.c.code)),
        problems=_by_two(connection, select(photo_problems.c.stage, photo_problems.c.code)),
        batches=_by_one(
            connection, select(batches.c.status, func.count()).where(open_batches).group_by(batches.c.status)
        ),
        batch_age=_age(connection, running),
        batch_families=_by_one(connection, progress),
        coverage=None if hits is None or cases is None else (hits, cases),
        alarms=alarms,
    )


def _last_batch(connection: Connection) -> tuple[int | None, int | None, int | None]:
    """Faces with a person, all faces, and alarms of the last batch that is done; None for what it doesn't tell.

    Read inside the database, so that a summary of another release, which may lack some of it, breaks nothing.
    """
    coverage = batches.c.summary["coverage"]
    told = (
        select(
            coverage["hits"].as_integer(),
            coverage["cases"].as_integer(),
            func.jsonb_array_length(batches.c.summary["alarms"]),
        )
        .where(batches.c.status == "done")
        .order_by(batches.c.number.desc())
        .limit(1)
    )
    found = connection.execute(told).one_or_none()
    return (found[0], found[1], found[2]) if found else (None, None, None)


def _count(connection: Connection, rows: Select[Any]) -> int:
    bounded = rows.limit(BOUND).subquery()
    return int(connection.execute(select(func.count()).select_from(bounded)).scalar_one())


def _age(connection: Connection, moment: Select[Any]) -> float:
    age = select(extract("epoch", func.now() - moment.scalar_subquery()))
    return max(0.0, float(connection.execute(age).scalar_one() or 0))


def _by_two(connection: Connection, rows: Select[Any]) -> dict[tuple[str, str], int]:
    bounded = rows.limit(BOUND).subquery()
    first, second = bounded.c
    grouped = select(first, second, func.count()).group_by(first, second)
    return {(row[0], row[1]): row[2] for row in connection.execute(grouped)}


def _by_one(connection: Connection, grouped: Select[Any]) -> dict[str, int]:
    return {row[0]: row[1] for row in connection.execute(grouped)}
