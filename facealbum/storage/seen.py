"""What somebody saw of an album before deciding, compared with what is there now.

To be called under `lock_family`, so that nothing changes between the comparison and the decision.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from pydantic import TypeAdapter
from sqlalchemy import Connection, select

from facealbum.domain.ids import ChildId, FaceId, FamilyId, PersonId
from facealbum.errors import ChangedMeanwhileError
from facealbum.storage.schema import assignments, faces, links, persons


@dataclass(frozen=True, slots=True)
class SeenPerson:
    """How a person was called, and which child it was linked to."""

    name: str | None = None
    child: ChildId | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """Whose each face was, None for nobody's; and persons.  What is not there any more has no entry."""

    faces: Mapping[FaceId, PersonId | None] = field(default_factory=dict)
    persons: Mapping[PersonId, SeenPerson] = field(default_factory=dict)


_SEEN = TypeAdapter(Seen)


def expect_seen(connection: Connection, family: FamilyId, arm_id: int, seen: Seen) -> None:
    """Raise ChangedMeanwhileError if anything is not as it was seen."""
    now = Seen(_load_faces(connection, family, arm_id, seen.faces), _load_persons(connection, family, seen.persons))
    if now != seen:
        raise ChangedMeanwhileError(
            "this changed while it was looked at, so nothing was done; `current` is how it is now",
            current=_SEEN.dump_python(now, mode="json"),
        )


def _load_faces(
    connection: Connection, family: FamilyId, arm_id: int, some: Collection[FaceId]
) -> dict[FaceId, PersonId | None]:
    mine = (assignments.c.family_id == faces.c.family_id) & (assignments.c.face_id == faces.c.face_id)
    query = (
        select(faces.c.face_id, assignments.c.person_id)
        .outerjoin(assignments, mine & (assignments.c.arm_id == arm_id))
        .where(faces.c.family_id == family, faces.c.face_id.in_(some))
    )
    return {FaceId(row.face_id): row.person_id for row in connection.execute(query)}


def _load_persons(connection: Connection, family: FamilyId, some: Collection[PersonId]) -> dict[PersonId, SeenPerson]:
    """Those who were not merged into another one."""
    query = (
        select(persons.c.person_id, persons.c.name, links.c.child_id)
        .outerjoin(links, (links.c.family_id == persons.c.family_id) & (links.c.person_id == persons.c.person_id))
        .where(persons.c.family_id == family, persons.c.merged_into.is_(None), persons.c.person_id.in_(some))
    )
    return {PersonId(row.person_id): SeenPerson(row.name, row.child_id) for row in connection.execute(query)}
