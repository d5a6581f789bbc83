"""The families of a batch: waiting, handed out, and at last done or failed; what has ended stays as it is.

A family that was handed out waits again if it has to go on later, or if its message seems lost.
"""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, exists, func, insert, literal, select, update

from facealbum.domain.ids import BatchId, FamilyId
from facealbum.domain.months import Month
from facealbum.storage.batch_figures import Figures, load_figures
from facealbum.storage.batches import Batch, load_next_families, update_batch
from facealbum.storage.queue_schema import batch_families, batches
from facealbum.storage.schema import families

_NOT_ENDED = ("waiting", "handed out")


@dataclass(frozen=True, slots=True)
class Claim:
    """A family that somebody begins with, for the how-manieth time since it last got on; and its batch."""

    attempts: int
    status: str
    through: Month
    arm: str
    created_at: datetime


def hand_out(connection: Connection, batch: Batch, limit: int, *, now: datetime) -> list[FamilyId]:
    """Hand out up to `limit` families of a locked batch: first those that wait again, then the next ones."""
    again = _hand_out_waiting(connection, batch, limit, now)
    wanted = limit - len(again)
    if batch.all_handed_out or not wanted:
        return again
    found = load_next_families(connection, batch, wanted)
    # Whoever deletes one of them just now is waited for; without the lock its row would refer to nothing.
    there = select(families.c.family_id, literal(batch.batch_id), literal("handed out"), literal(now)).where(
        families.c.family_id.in_(found)
    )
    columns = ["family_id", "batch_id", "status", "handed_out_at"]
    new = insert(batch_families).from_select(columns, there.with_for_update(read=True, key_share=True))
    rows = connection.execute(new.returning(batch_families.c.family_id)).scalars() if found else ()
    if found:
        update_batch(connection, batch.batch_id, after_family=found[-1])
    if len(found) < wanted:
        update_batch(connection, batch.batch_id, all_handed_out=True)
    return [*again, *map(FamilyId, rows)]


def _hand_out_waiting(connection: Connection, batch: Batch, limit: int, now: datetime) -> list[FamilyId]:
    longest = (
        select(batch_families.c.family_id)
        .where(_of(batch.batch_id, "waiting"))
        .order_by(batch_families.c.handed_out_at, batch_families.c.family_id)
        .limit(limit)
    )
    statement = (
        update(batch_families)
        .where(_of(batch.batch_id, "waiting"), batch_families.c.family_id.in_(longest.scalar_subquery()))
        .values(status="handed out", handed_out_at=now)
        .returning(batch_families.c.family_id)
    )
    return [FamilyId(family) for family in connection.execute(statement).scalars()]


def take_back(connection: Connection, batch: BatchId, *, handed_out_before: datetime) -> int:
    """Have families wait again that were handed out so long ago that their message is lost."""
    lost = _of(batch, "handed out") & (batch_families.c.handed_out_at < handed_out_before)
    return connection.execute(update(batch_families).where(lost).values(status="waiting")).rowcount


def has_unfinished(connection: Connection, batch: BatchId) -> bool:
    """Whether a family of the batch waits or is handed out."""
    return bool(connection.execute(select(exists().where(_of(batch, *_NOT_ENDED)))).scalar_one())


def count_in_flight(connection: Connection, batch: BatchId) -> int:
    """How many families of the batch are handed out now."""
    return connection.execute(select(func.count()).where(_of(batch, "handed out"))).scalar_one()


def load_handed_out(connection: Connection, batch: BatchId) -> list[FamilyId]:
    """The families that are handed out and have not ended."""
    query = select(batch_families.c.family_id).where(_of(batch, "handed out")).order_by(batch_families.c.family_id)
    return [FamilyId(family) for family in connection.execute(query).scalars()]


def begin_family(connection: Connection, batch: BatchId, family: FamilyId) -> Claim | None:
    """Note that somebody begins with a family that is handed out; None if it isn't, or its batch was cancelled."""
    statement = (
        update(batch_families)
        .where(_one(batch, family), batch_families.c.status == "handed out")
        .where(batches.c.batch_id == batch_families.c.batch_id, batches.c.status != "cancelled")
        .values(attempts=batch_families.c.attempts + 1)
        .returning(batch_families.c.attempts, batches.c.status, batches.c.through, batches.c.arm, batches.c.created_at)
    )
    row = connection.execute(statement).one_or_none()
    if row is None:
        return None
    return Claim(row.attempts, row.status, Month(row.through.year, row.through.month), row.arm, row.created_at)


def put_back(connection: Connection, batch: BatchId, family: FamilyId) -> None:
    """Have the family wait to be handed out again; it got on, or couldn't help it."""
    mine = _one(batch, family) & (batch_families.c.status == "handed out")
    connection.execute(update(batch_families).where(mine).values(status="waiting", attempts=0))


def end_family(
    connection: Connection,
    batch: BatchId,
    family: FamilyId,
    figures: Figures,
    *,
    now: datetime,
    failure: tuple[str, str] | None = None,
) -> None:
    """Note that the family is done, or has failed for this reason, unless it has ended before."""
    mine = _one(batch, family) & batch_families.c.status.in_(_NOT_ENDED)
    code, detail = failure or (None, None)
    values = {"status": "failed" if failure else "done", "code": code, "detail": detail, "finished_at": now}
    connection.execute(update(batch_families).where(mine).values(**values, **asdict(figures)))


def fail_family(
    connection: Connection, batch: BatchId, family: FamilyId, failure: tuple[str, str], *, now: datetime
) -> None:
    """The same for one that failed with this code at this place; its faces are counted, none as assigned."""
    through = connection.execute(select(batches.c.through).where(batches.c.batch_id == batch)).scalar_one_or_none()
    if through is not None:
        figures = load_figures(connection, family, None, through=Month(through.year, through.month), since=now)
        end_family(connection, batch, family, figures, now=now, failure=failure)


def wait_again(connection: Connection, batch: BatchId) -> int:
    """Have the failed families wait to be handed out again; tells how many."""
    fresh = {"status": "waiting", "attempts": 0, "code": None, "detail": None, "finished_at": None}
    return connection.execute(update(batch_families).where(_of(batch, "failed")).values(**fresh)).rowcount


def count_by_status(connection: Connection, batch: BatchId) -> dict[str, int]:
    """How many families of the batch are in each status; only those that were handed out."""
    query = select(batch_families.c.status, func.count()).where(batch_families.c.batch_id == batch)
    return {row[0]: row[1] for row in connection.execute(query.group_by(batch_families.c.status))}


def count_ended(connection: Connection, batch: BatchId, *, since: datetime) -> int:
    """How many families of the batch ended since then."""
    query = select(func.count()).where(_of(batch, "done", "failed"), batch_families.c.finished_at >= since)
    return connection.execute(query).scalar_one()


def _of(batch: BatchId, *statuses: str) -> ColumnElement[bool]:
    return (batch_families.c.batch_id == batch) & batch_families.c.status.in_(statuses)


def _one(batch: BatchId, family: FamilyId) -> ColumnElement[bool]:
    return (batch_families.c.batch_id == batch) & (batch_families.c.family_id == family)
