"""What is needed to say why a face of a photo is where it is: the plans that spoke of it, and how things are called."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Select, func, select

from facealbum.clustering import ClusterPlan
from facealbum.domain.faces import Box
from facealbum.domain.ids import FaceId, FamilyId, PersonId, RunId
from facealbum.storage.observations import Arm
from facealbum.storage.schema import assignments, children, faces, links, persons, photos, plans, runs

_PLANS = 24


@dataclass(frozen=True, slots=True)
class PlacedFace:
    """A face of a photo and whom it belongs to; run_id is None where no run has said so.

    excluded: a user says that it is none.  told_age, told_p_female: a user says so; NaN: not what the models say.
    """

    face_id: FaceId
    box: Box
    person_id: PersonId | None
    state: str | None
    run_id: RunId | None
    excluded: bool = False
    told_age: float | None = None
    told_p_female: float | None = None


def load_placed_faces(connection: Connection, family: FamilyId, arm: Arm, photo_key: str) -> list[PlacedFace]:
    """The faces of one photo from left to right."""
    shown = (photos.c.family_id == faces.c.family_id) & (photos.c.photo_id == faces.c.photo_id)
    query = _placed(family, arm.arm_id).join(photos, shown).where(photos.c.key == photo_key)
    found = [_read_placed(row) for row in connection.execute(query)]
    return sorted(found, key=lambda face: (face.box.x1, face.box.y1))


def load_placed_face(connection: Connection, family: FamilyId, arm_id: int | None, face: FaceId) -> PlacedFace | None:
    """The face of this id."""
    row = connection.execute(_placed(family, arm_id).where(faces.c.face_id == face)).one_or_none()
    return None if row is None else _read_placed(row)


def _placed(family: FamilyId, arm_id: int | None) -> Select[Any]:
    held = (assignments.c.family_id == faces.c.family_id) & (assignments.c.face_id == faces.c.face_id)
    return (
        select(faces.c.face_id, faces.c.box, faces.c.excluded, faces.c.told_age, faces.c.told_p_female)
        .add_columns(assignments.c.person_id, assignments.c.state, assignments.c.run_id)
        .outerjoin(assignments, held & (assignments.c.arm_id == arm_id))
        .where(faces.c.family_id == family)
    )


def _read_placed(row: Row[Any]) -> PlacedFace:
    return PlacedFace(
        FaceId(row.face_id),
        Box(*row.box),
        row.person_id,
        row.state,
        row.run_id,
        row.excluded,
        row.told_age,
        row.told_p_female,
    )


def load_plan(connection: Connection, family: FamilyId, run: RunId) -> ClusterPlan | None:
    """The plan of a run, if it is on record; raises InvalidValueError if an older version wrote it."""
    query = select(plans.c.clustering).where(plans.c.family_id == family, plans.c.run_id == run)
    values = connection.execute(query).scalar()
    return None if values is None else ClusterPlan.from_dict(values)


def load_last_runs(connection: Connection, family: FamilyId, arm: Arm) -> list[RunId]:
    """The last runs of the family, newest first."""
    query = (
        select(runs.c.run_id)
        .where(runs.c.family_id == family, runs.c.arm_id == arm.arm_id)
        .order_by(runs.c.finished_at.desc(), runs.c.month.desc())
        .limit(_PLANS)
    )
    return [RunId(row.run_id) for row in connection.execute(query)]


def load_names(connection: Connection, family: FamilyId, ids: Collection[UUID]) -> dict[UUID, str]:
    """How these persons, photos and faces are called: by a user, a child's name, or the photo's key.

    A person that was merged into another one is called as that one.
    """
    today = persons.alias()
    person = (
        select(persons.c.person_id, func.coalesce(today.c.name, children.c.name))
        .join(
            today,
            (today.c.family_id == persons.c.family_id)
            & (today.c.person_id == func.coalesce(persons.c.merged_into, persons.c.person_id)),
        )
        .outerjoin(links, (links.c.family_id == today.c.family_id) & (links.c.person_id == today.c.person_id))
        .outerjoin(children, (children.c.family_id == links.c.family_id) & (children.c.child_id == links.c.child_id))
        .where(persons.c.family_id == family, persons.c.person_id.in_(ids))
    )
    photo = select(photos.c.photo_id, photos.c.key).where(photos.c.family_id == family, photos.c.photo_id.in_(ids))
    face = (
        select(faces.c.face_id, photos.c.key)
        .join(photos, (photos.c.family_id == faces.c.family_id) & (photos.c.photo_id == faces.c.photo_id))
        .where(faces.c.family_id == family, faces.c.face_id.in_(ids))
    )
    rows = [row for query in (person, photo, face) for row in connection.execute(query)]
    return {identity: name for identity, name in rows if name}
