"""What leaves the product: the faces of a family with the person and the child that each was given."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, false, func, select, true

from facealbum.domain.faces import Box
from facealbum.domain.ids import FamilyId
from facealbum.storage.schema import arms, assignments, children, faces, links, persons, photos
from facealbum.storage.told import AGE, P_FEMALE


@dataclass(frozen=True, slots=True)
class ExportedFace:
    """One face as faces.csv and reports show it; person and child are None while unassigned.

    frame_ms: where in its video the photo is, in milliseconds; None for a photo that is no frame.  sha256 and format
    are those of the upload.  provisional: shown with the person only until a monthly run decides.
    """

    photo_key: str
    frame_ms: int | None
    sha256: bytes
    format: str
    taken_at: datetime
    box: Box
    yaw: float
    pitch: float
    roll: float
    age: float | None
    p_female: float | None
    quality: float
    detector_score: float
    person: str | None
    child: str | None
    score: float | None
    probability: float | None
    provisional: bool


def load_exported_faces(connection: Connection, family: FamilyId, arm: str) -> Iterator[ExportedFace]:
    """The faces in the order of photo key and face number.

    Left out are those that a user says are none, and those of hidden people.
    """
    query = _shown_faces(family, arm).order_by(photos.c.key, faces.c.number)
    for row in connection.execute(query, execution_options={"yield_per": 1000}):
        converted = {
            "sha256": bytes(row.sha256),
            "box": Box(*row.box),
            "person": str(row.person) if row.person else None,
        }
        yield ExportedFace(**row._asdict() | converted)


def _shown_faces(family: FamilyId, arm: str) -> Select[Any]:
    """The columns are named as the fields of an ExportedFace."""
    arm_id = select(arms.c.arm_id).where(arms.c.name == arm).scalar_subquery()
    described = (faces.c[name] for name in ("taken_at", "box", "yaw", "pitch", "roll", "quality"))
    return (
        select(photos.c.key.label("photo_key"), photos.c.frame_ms, photos.c.sha256, photos.c.format)
        .add_columns(*described, AGE.label("age"), P_FEMALE.label("p_female"), faces.c.score.label("detector_score"))
        .add_columns(assignments.c.person_id.label("person"), children.c.name.label("child"))
        .add_columns(assignments.c.score, links.c.probability)
        .add_columns(func.coalesce(assignments.c.state == "provisional", false()).label("provisional"))
        .select_from(faces)
        .join(photos, _same(photos, faces, "photo_id"))
        .outerjoin(assignments, _same(assignments, faces, "face_id") & (assignments.c.arm_id == arm_id))
        .outerjoin(persons, _same(persons, assignments, "person_id"))
        .outerjoin(links, _same(links, persons, "person_id"))
        .outerjoin(children, _same(children, links, "child_id"))
        .where(faces.c.family_id == family, ~faces.c.excluded, persons.c.hidden.is_not(true()))
    )


def _same(one: Table, other: Table, key: str) -> ColumnElement[bool]:
    """Joins two tables of a family by this id."""
    return (one.c.family_id == other.c.family_id) & (one.c[key] == other.c[key])
