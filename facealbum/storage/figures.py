"""The figures of reports: what each run did, what it broke, and how far each month's faces got."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Integer, cast, func, select

from facealbum.domain.ids import FamilyId
from facealbum.domain.months import Month
from facealbum.storage.schema import arms, assignments, breakage, faces, links, runs


@dataclass(frozen=True, slots=True)
class RunFigures:
    """One run: faces it looked at, what became of them, and how many of its labels broke in which way."""

    month: Month
    faces: int
    assigned: int
    waiting: int
    persons_created: int
    labels: int
    mixing: int
    disappearance: int
    splitting: int
    broken: int


@dataclass(frozen=True, slots=True)
class MonthFigures:
    """The faces of photos taken in a month, as they stand today."""

    faces: int
    assigned: int
    linked: int


def load_run_figures(connection: Connection, family: FamilyId, arm: str) -> list[RunFigures]:
    """Every run of the arm by month; of a month that ran more than once, each."""
    query = (
        select(
            runs.c.month,
            runs.c.faces,
            (runs.c.attached + runs.c.founded).label("assigned"),
            runs.c.waiting,
            runs.c.persons_created,
            func.count(breakage.c.person_id).label("labels"),
            *(_sum(breakage.c[kind]).label(kind) for kind in ("mixing", "disappearance", "splitting")),
            _sum(breakage.c.mixing | breakage.c.disappearance | breakage.c.splitting).label("broken"),
        )
        .join(arms, arms.c.arm_id == runs.c.arm_id)
        .outerjoin(breakage, (breakage.c.family_id == runs.c.family_id) & (breakage.c.run_id == runs.c.run_id))
        .where(runs.c.family_id == family, arms.c.name == arm, runs.c.status == "done")
        .group_by(runs.c.family_id, runs.c.run_id)
        .order_by(runs.c.month, runs.c.finished_at)
    )
    return [
        RunFigures(Month(row.month.year, row.month.month), *(int(value) for value in row[1:]))
        for row in connection.execute(query)
    ]


def load_month_figures(connection: Connection, family: FamilyId, arm: str) -> Mapping[Month, MonthFigures]:
    """The family's faces by the month in UTC in which their photos were taken."""
    month = func.date_trunc("month", func.timezone("UTC", faces.c.taken_at)).label("month")
    mine = assignments.c.arm_id == select(arms.c.arm_id).where(arms.c.name == arm).scalar_subquery()
    query = (
        select(month, func.count(), func.count(assignments.c.person_id), func.count(links.c.child_id))
        .select_from(faces)
        .outerjoin(
            assignments,
            (assignments.c.family_id == faces.c.family_id) & (assignments.c.face_id == faces.c.face_id) & mine,
        )
        .outerjoin(
            links,
            (links.c.family_id == assignments.c.family_id) & (links.c.person_id == assignments.c.person_id),
        )
        .where(faces.c.family_id == family, ~faces.c.excluded)
        .group_by(month)
    )
    return {Month(row[0].year, row[0].month): MonthFigures(*row[1:]) for row in connection.execute(query)}


def _sum(condition: Any) -> Any:  # noqa: ANN401 - SQLAlchemy's expressions
    return func.coalesce(func.sum(cast(condition, Integer)), 0)
