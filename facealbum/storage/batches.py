"""Monthly jobs over all families: how far each one is, and who may move it on.

Whoever changes a batch holds its row: two who hand out families, or one who does while another cancels, take turns.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, exists, func, insert, select, text, update

from facealbum.domain.ids import BatchId, FamilyId, batch_id
from facealbum.domain.months import Month
from facealbum.errors import UnknownRunError
from facealbum.storage.queue_schema import batches
from facealbum.storage.schema import families

OPEN = ("running", "paused", "evaluating")
_START_LOCK = 0x6261_7463  # "batc": any fixed number that nobody else takes an advisory lock on


@dataclass(frozen=True, slots=True)
class Batch:
    """One monthly job; `after_family` is the last family that was handed out, in the order of ids."""

    batch_id: BatchId
    number: int
    through: Month
    arm: str
    status: str
    after_family: FamilyId | None
    all_handed_out: bool
    summary: Mapping[str, Any] | None
    created_at: datetime
    evaluation_asked_at: datetime | None
    finished_at: datetime | None

    @property
    def open(self) -> bool:
        """Whether it has not ended yet."""
        return self.status in OPEN


def lock_starts(connection: Connection) -> None:
    """Wait until nobody else starts a batch; held until the transaction ends."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _START_LOCK})


def save_batch(connection: Connection, through: Month, arm: str, *, now: datetime) -> Batch:
    """A new batch, under `lock_starts`."""
    number = connection.execute(select(func.coalesce(func.max(batches.c.number), 0))).scalar_one() + 1
    new = {"batch_id": batch_id(number), "number": number, "through": through.start().date(), "arm": arm}
    statement = insert(batches).values(**new, status="running", created_at=now)
    return _batch(connection.execute(statement.returning(batches)).one())


def find_open_batch(connection: Connection, through: Month, arm: str) -> Batch | None:
    """The batch of this month and arm that hasn't ended."""
    query = select(batches).where(
        batches.c.through == through.start().date(), batches.c.arm == arm, batches.c.status.in_(OPEN)
    )
    row = connection.execute(query.order_by(batches.c.number).limit(1)).one_or_none()
    return None if row is None else _batch(row)


def has_batch(connection: Connection, through: Month, arm: str, *, since: datetime) -> bool:
    """Whether a batch of this month and arm was started since then, whatever became of it."""
    query = exists().where(
        batches.c.through == through.start().date(), batches.c.arm == arm, batches.c.created_at >= since
    )
    return bool(connection.execute(select(query)).scalar_one())


def load_batch(connection: Connection, number: int | None = None) -> Batch:
    """The batch of this number, or the newest one; raises InvalidValueError if there is none."""
    query = select(batches).order_by(batches.c.number.desc()).limit(1)
    row = connection.execute(query if number is None else query.where(batches.c.number == number)).one_or_none()
    if row is None:
        wanted = "no run was started yet" if number is None else f"there is no run {number}"
        raise UnknownRunError(f"{wanted}; see `facealbum run list`, or start one by `facealbum run start`")
    return _batch(row)


def load_batches(connection: Connection, *, before: int | None = None, limit: int | None = None) -> list[Batch]:
    """The batches, the newest first; before: those with a smaller number."""
    query = select(batches).order_by(batches.c.number.desc()).limit(limit)
    wanted = query if before is None else query.where(batches.c.number < before)
    return [_batch(row) for row in connection.execute(wanted)]


def load_open_batches(connection: Connection) -> list[BatchId]:
    """The batches that have not ended, the oldest first."""
    query = select(batches.c.batch_id).where(batches.c.status.in_(OPEN)).order_by(batches.c.number)
    return [BatchId(identity) for identity in connection.execute(query).scalars()]


def load_batch_before(connection: Connection, batch: Batch) -> Batch | None:
    """The newest done batch of the same arm that was started before this one."""
    query = select(batches).where(
        batches.c.arm == batch.arm, batches.c.status == "done", batches.c.number < batch.number
    )
    row = connection.execute(query.order_by(batches.c.number.desc()).limit(1)).one_or_none()
    return None if row is None else _batch(row)


def lock_batch(connection: Connection, batch: BatchId, *, wait: bool = True) -> Batch | None:
    """The batch, held until the transaction ends; None if there is none, or without `wait` if somebody holds it."""
    query = select(batches).where(batches.c.batch_id == batch).with_for_update(skip_locked=not wait)
    row = connection.execute(query).one_or_none()
    return None if row is None else _batch(row)


def update_batch(connection: Connection, batch: BatchId, **values: object) -> None:
    """Change these columns of a batch that the caller has locked."""
    connection.execute(update(batches).where(batches.c.batch_id == batch).values(**values))


def count_not_handed_out(connection: Connection, batch: Batch) -> int:
    """How many families the batch has not come to yet."""
    if batch.all_handed_out:
        return 0
    return connection.execute(select(func.count()).select_from(families).where(_beyond(batch))).scalar_one()


def load_next_families(connection: Connection, batch: Batch, limit: int) -> list[UUID]:
    """The next families in the order of ids."""
    query = select(families.c.family_id).where(_beyond(batch)).order_by(families.c.family_id).limit(limit)
    return list(connection.execute(query).scalars())


def _beyond(batch: Batch) -> Any:  # noqa: ANN401 - SQLAlchemy's expressions
    return families.c.family_id > (batch.after_family or UUID(int=0))


def _batch(row: Row[Any]) -> Batch:
    given = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's way to the columns by name
    return Batch(**given | {"through": Month(row.through.year, row.through.month)})
