"""Who saw whose faces: a row for each viewer, family, person and hour, gone with the family."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, literal, select
from sqlalchemy.dialects.postgresql import insert

from facealbum.domain.ids import FamilyId, PersonId
from facealbum.storage.access_schema import face_views
from facealbum.storage.schema import families, persons

NO_PERSON = UUID(int=0)
"""Stands for faces of the family that were shown without regard to a person."""


@dataclass(frozen=True, slots=True)
class FaceView:
    """Somebody saw faces within the hour that begins then."""

    viewer: str
    person_id: UUID
    hour: datetime


def save_view(connection: Connection, family: FamilyId, person: PersonId | None, *, viewer: str, now: datetime) -> None:
    """Note a view, unless it is noted already, or there is no such family or person to be seen."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    there = select(families.c.family_id, literal(person or NO_PERSON), literal(viewer), literal(hour))
    there = there.where(families.c.family_id == family)
    if person is not None:
        known = select(persons.c.person_id).where(persons.c.family_id == family, persons.c.person_id == person)
        there = there.where(known.exists())
    columns = ["family_id", "person_id", "viewer", "hour"]
    connection.execute(insert(face_views).from_select(columns, there).on_conflict_do_nothing())


def load_views(connection: Connection, family: FamilyId) -> list[FaceView]:
    """Who saw faces of the family, the latest first."""
    query = select(face_views.c.viewer, face_views.c.person_id, face_views.c.hour)
    query = query.where(face_views.c.family_id == family).order_by(face_views.c.hour.desc(), face_views.c.viewer)
    return [FaceView(*row) for row in connection.execute(query)]
