"""From a family's count to its persons and faces, by ids: what a metric holds against the album.

As the album is today: a face that found its person since is no longer among those without.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import groupby
from types import MappingProxyType
from typing import TypeAlias

from sqlalchemy import ColumnElement, Connection, alias, func, or_, select, tuple_

from facealbum.domain.ids import FaceId, FamilyId, PersonId
from facealbum.domain.months import Month
from facealbum.storage.family_metrics import confirmed_under, faces_within, load_corrected
from facealbum.storage.metric_schema import family_metrics
from facealbum.storage.schema import assignments, breakage, faces, links

_Condition: TypeAlias = Callable[[FamilyId, int, Month], ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Case:
    """A person, or nobody, with those of its faces that the metric is about, oldest first."""

    person_id: PersonId | None
    faces: tuple[FaceId, ...]


def load_cases(connection: Connection, family: FamilyId, arm_id: int, month: Month, metric: str) -> list[Case]:
    """The persons and faces behind the family's count, nobody's last; metric is one of `TRACEABLE`."""
    of_month = metric in {"coverage", "association", "collisions"}
    held = (
        faces.c.face_id.in_(load_corrected(connection, family, arm_id, month))
        if metric == "corrections"
        else _CONDITIONS[metric](family, arm_id, month)
    )
    query = (
        select(assignments.c.person_id, faces.c.face_id)
        .select_from(faces)
        .outerjoin(assignments, confirmed_under(family, arm_id) & (assignments.c.face_id == faces.c.face_id))
        .where(*faces_within(family, since=month.start() if of_month else None, before=month.next().start()), held)
        .order_by(assignments.c.person_id, faces.c.taken_at, faces.c.face_id)
    )
    return [
        Case(person and PersonId(person), tuple(FaceId(row.face_id) for row in rows))
        for person, rows in groupby(connection.execute(query), key=lambda row: row.person_id)
    ]


def _nobodys(_family: FamilyId, _arm_id: int, _month: Month) -> ColumnElement[bool]:
    return assignments.c.person_id.is_(None)


def _no_childs(family: FamilyId, _arm_id: int, _month: Month) -> ColumnElement[bool]:
    linked = select(links.c.person_id).where(links.c.family_id == family)
    return or_(assignments.c.person_id.is_(None), assignments.c.person_id.not_in(linked))


def _twice_in_a_photo(family: FamilyId, arm_id: int, month: Month) -> ColumnElement[bool]:
    mine, shown = alias(assignments), alias(faces)
    twice = (
        select(shown.c.photo_id, mine.c.person_id)
        .join(mine, (mine.c.family_id == shown.c.family_id) & (mine.c.face_id == shown.c.face_id))
        .where(
            shown.c.family_id == family,
            ~shown.c.excluded,
            shown.c.taken_at >= month.start(),
            shown.c.taken_at < month.next().start(),
            mine.c.arm_id == arm_id,
            mine.c.state == "confirmed",
        )
        .group_by(shown.c.photo_id, mine.c.person_id)
        .having(func.count() > 1)
    )
    return tuple_(faces.c.photo_id, assignments.c.person_id).in_(twice)


def _broken(*kinds: str) -> _Condition:
    def condition(family: FamilyId, arm_id: int, month: Month) -> ColumnElement[bool]:
        run = select(family_metrics.c.run_id).where(
            family_metrics.c.family_id == family,
            family_metrics.c.arm_id == arm_id,
            family_metrics.c.month == month.start().date(),
            family_metrics.c.metric == "breakage",
        )
        broke = or_(*(breakage.c[kind] for kind in kinds))
        return assignments.c.person_id.in_(
            select(breakage.c.person_id).where(breakage.c.family_id == family, breakage.c.run_id.in_(run), broke)
        )

    return condition


_CONDITIONS: Mapping[str, _Condition] = MappingProxyType(
    {
        "association": _no_childs,
        "coverage": _nobodys,
        "waiting": _nobodys,
        "collisions": _twice_in_a_photo,
        "breakage": _broken("mixing", "disappearance", "splitting"),
        "mixing": _broken("mixing"),
        "disappearance": _broken("disappearance"),
        "splitting": _broken("splitting"),
    }
)
TRACEABLE = frozenset({*_CONDITIONS, "corrections"})
"""The metrics whose cases can be named; of the others only counts are kept."""
