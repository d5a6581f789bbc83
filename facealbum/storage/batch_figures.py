"""What a batch did: figures family by family, and their sums."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Integer, cast, func, select

from facealbum.domain.ids import BatchId, FamilyId
from facealbum.domain.months import Month
from facealbum.storage.observations import Arm
from facealbum.storage.queue_schema import batch_families
from facealbum.storage.schema import assignments, breakage, faces, links, runs


@dataclass(frozen=True, slots=True)
class Figures:
    """A family's faces up to the batch's month, and what the batch's runs did; also the sum over families."""

    faces: int = 0
    assigned: int = 0
    runs: int = 0
    persons_created: int = 0
    links: int = 0
    labels: int = 0
    mixing: int = 0
    disappearance: int = 0
    splitting: int = 0
    broken: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """So many families failed with this code, the newest at this place."""

    code: str
    detail: str
    families: int


@dataclass(frozen=True, slots=True)
class FailedFamily:
    """A family that failed, with the error's code and place."""

    family_id: FamilyId
    code: str
    detail: str
    finished_at: datetime


def load_failed_families(
    connection: Connection, batch: BatchId, *, after: UUID | None, limit: int
) -> list[FailedFamily]:
    """The batch's families that failed, in the order of their ids."""
    columns = (batch_families.c[name] for name in FailedFamily.__dataclass_fields__)
    query = select(*columns).where(_of(batch, "failed"), batch_families.c.family_id > (after or UUID(int=0)))
    return [FailedFamily(*row) for row in connection.execute(query.order_by(batch_families.c.family_id).limit(limit))]


def count_up_to_date(connection: Connection, batch: BatchId) -> int:
    """How many families are done in which there was nothing to do."""
    return connection.execute(select(func.count()).where(_of(batch, "done"), batch_families.c.runs == 0)).scalar_one()


def sum_figures(connection: Connection, batch: BatchId, status: str) -> Figures:
    """The sum over the batch's families of this status."""
    names = Figures.__dataclass_fields__
    sums = [func.coalesce(func.sum(batch_families.c[name]), 0) for name in names]
    row = connection.execute(select(*sums).where(_of(batch, status))).one()
    return Figures(*map(int, row))


def load_failures(connection: Connection, batch: BatchId) -> list[Failure]:
    """Why families failed, the most frequent reason first."""
    newest = func.max(batch_families.c.detail)
    query = (
        select(batch_families.c.code, newest, func.count())
        .where(_of(batch, "failed"))
        .group_by(batch_families.c.code)
        .order_by(func.count().desc(), batch_families.c.code)
    )
    return [Failure(*row) for row in connection.execute(query)]


def load_figures(
    connection: Connection, family: FamilyId, arm: Arm | None, *, through: Month, since: datetime
) -> Figures:
    """The family's figures under the arm: faces through that month, runs that were begun since then."""
    of_family = (faces.c.family_id == family, ~faces.c.excluded, faces.c.taken_at < through.next().start())
    if arm is None:
        return Figures(faces=connection.execute(select(func.count()).where(*of_family)).scalar_one())
    sure = (
        (assignments.c.family_id == faces.c.family_id)
        & (assignments.c.face_id == faces.c.face_id)
        & (assignments.c.arm_id == arm.arm_id)
        & (assignments.c.state == "confirmed")
    )
    seen = select(func.count(), func.count(assignments.c.person_id)).select_from(faces).outerjoin(assignments, sure)
    return Figures(*connection.execute(seen.where(*of_family)).one(), *_run_figures(connection, family, arm, since))


def _run_figures(connection: Connection, family: FamilyId, arm: Arm, since: datetime) -> Sequence[int]:
    mine = select(runs.c.run_id, runs.c.persons_created).where(
        runs.c.family_id == family, runs.c.arm_id == arm.arm_id, runs.c.status == "done", runs.c.started_at >= since
    )
    made = connection.execute(mine).all()
    ids: list[UUID] = [run.run_id for run in made]
    linked = select(func.count()).where(links.c.family_id == family, links.c.run_id.in_(ids))
    kinds = [breakage.c.mixing, breakage.c.disappearance, breakage.c.splitting]
    broke = select(func.count(), *map(_count, kinds), _count(kinds[0] | kinds[1] | kinds[2])).where(
        breakage.c.family_id == family, breakage.c.run_id.in_(ids)
    )
    persons = sum(run.persons_created for run in made)
    return len(made), persons, connection.execute(linked).scalar_one(), *connection.execute(broke).one()


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(cast(condition, Integer)), 0)


def _of(batch: BatchId, status: str) -> ColumnElement[bool]:
    return (batch_families.c.batch_id == batch) & (batch_families.c.status == status)
