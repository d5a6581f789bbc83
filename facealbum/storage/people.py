"""The persons and faces of a family as a user is shown them, and looking them up by the beginning of their id."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Connection, Text, cast, func, select

from facealbum.domain.ids import FaceId, FamilyId, PersonId
from facealbum.storage.schema import arms, assignments, children, faces, links, persons, photos
from facealbum.storage.serving import load_served_arm


@dataclass(frozen=True, slots=True)
class NamedPerson:
    """A person under one arm."""

    person_id: PersonId
    name: str | None
    child: str | None
    hidden: bool
    faces: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class NamedFace:
    """A face by the photo that it is in, and whose it is; box: left, top, right, bottom in pixels, upright."""

    face_id: FaceId
    person_id: PersonId | None
    photo: str
    taken_at: datetime
    box: tuple[float, ...]
    quality: float


def load_arm_id(connection: Connection, arm: str) -> int | None:
    """The arm of this name; None if it never ran."""
    return connection.execute(select(arms.c.arm_id).where(arms.c.name == arm)).scalar()


def load_served_arm_id(connection: Connection, family: FamilyId) -> int | None:
    """The arm whose persons the family is shown; None if nothing was clustered yet."""
    return load_arm_id(connection, load_served_arm(connection, family))


def load_named_persons(connection: Connection, family: FamilyId, arm_id: int | None) -> list[NamedPerson]:
    """Every person of the arm that has faces, those with most faces first."""
    shown = (
        select(
            assignments.c.person_id,
            func.count().label("faces"),
            func.min(faces.c.taken_at).label("first"),
            func.max(faces.c.taken_at).label("last"),
        )
        .join(faces, (faces.c.family_id == assignments.c.family_id) & (faces.c.face_id == assignments.c.face_id))
        .where(assignments.c.family_id == family, assignments.c.arm_id == arm_id)
        .group_by(assignments.c.person_id)
        .subquery()
    )
    query = (
        select(
            persons.c.person_id,
            persons.c.name,
            children.c.name.label("child"),
            persons.c.hidden,
            shown.c.faces,
            shown.c.first,
            shown.c.last,
        )
        .join(shown, shown.c.person_id == persons.c.person_id)
        .outerjoin(links, (links.c.family_id == persons.c.family_id) & (links.c.person_id == persons.c.person_id))
        .outerjoin(children, (children.c.family_id == links.c.family_id) & (children.c.child_id == links.c.child_id))
        .where(persons.c.family_id == family)
        .order_by(shown.c.faces.desc(), persons.c.person_id)
    )
    return [NamedPerson(*row) for row in connection.execute(query)]


def load_named_faces(
    connection: Connection, family: FamilyId, arm_id: int | None, person: PersonId | None, *, photo: str | None = None
) -> list[NamedFace]:
    """The faces of the person, or those that belong to nobody, oldest first.

    photo: the key of the only photo to look at; without a person all its faces are told.
    """
    mine = (assignments.c.family_id == faces.c.family_id) & (assignments.c.face_id == faces.c.face_id)
    query = (
        select(faces.c.face_id, assignments.c.person_id, photos.c.key, faces.c.taken_at, faces.c.box, faces.c.quality)
        .join(photos, (photos.c.family_id == faces.c.family_id) & (photos.c.photo_id == faces.c.photo_id))
        .outerjoin(assignments, mine & (assignments.c.arm_id == arm_id))
        .where(faces.c.family_id == family, ~faces.c.excluded)
        .order_by(faces.c.taken_at, faces.c.face_id)
    )
    if photo is not None:
        query = query.where(photos.c.key == photo)
    if photo is None or person is not None:
        query = query.where(assignments.c.person_id.is_not_distinct_from(person))
    return [
        NamedFace(FaceId(row.face_id), row.person_id, row.key, row.taken_at, tuple(row.box), row.quality)
        for row in connection.execute(query)
    ]


def find_faces(connection: Connection, family: FamilyId, beginning: str) -> list[FaceId]:
    """The faces whose id begins so, at most two."""
    return [FaceId(found) for found in _find(connection, family, faces.c.face_id, beginning)]


def find_persons(connection: Connection, family: FamilyId, beginning: str) -> list[PersonId]:
    """The persons of any arm whose id begins so, at most two."""
    return [PersonId(found) for found in _find(connection, family, persons.c.person_id, beginning)]


def _find(connection: Connection, family: FamilyId, column: Column[Any], beginning: str) -> list[UUID]:
    begins = cast(column, Text).startswith(beginning.lower(), autoescape=True)
    query = select(column).where(column.table.c.family_id == family, begins).order_by(column).limit(2)
    return list(connection.execute(query).scalars())
