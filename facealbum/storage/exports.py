"""What leaves the product: every face of a family with the person and the child it was given."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, false, func, select

from facealbum.domain.faces import Box
from facealbum.domain.ids import FamilyId
from facealbum.storage.schema import arms, assignments, children, faces, links, photos


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
    age: float
    p_female: float
    quality: float
    detector_score: float
    person: str | None
    child: str | None
    score: float | None
    probability: float | None
    provisional: bool


def load_exported_faces(connection: Connection, family: FamilyId, arm: str) -> Iterator[ExportedFace]:
    """Every face of the family in the order of photo key and face number, but for those that a user says are none."""
    query = (
        select(
            photos.c.key,
            photos.c.frame_ms,
            photos.c.sha256,
            photos.c.format,
            faces.c.taken_at,
            faces.c.box,
            faces.c.yaw,
            faces.c.pitch,
            faces.c.roll,
            faces.c.age,
            faces.c.p_female,
            faces.c.quality,
            faces.c.score.label("detector_score"),
            assignments.c.person_id,
            children.c.name,
            assignments.c.score,
            links.c.probability,
            func.coalesce(assignments.c.state == "provisional", false()).label("provisional"),
        )
        .select_from(faces)
        .join(photos, (photos.c.family_id == faces.c.family_id) & (photos.c.photo_id == faces.c.photo_id))
        .outerjoin(
            assignments,
            (assignments.c.family_id == faces.c.family_id)
            & (assignments.c.face_id == faces.c.face_id)
            & (assignments.c.arm_id == select(arms.c.arm_id).where(arms.c.name == arm).scalar_subquery()),
        )
        .outerjoin(
            links,
            (links.c.family_id == assignments.c.family_id) & (links.c.person_id == assignments.c.person_id),
        )
        .outerjoin(
            children,
            (children.c.family_id == links.c.family_id) & (children.c.child_id == links.c.child_id),
        )
        .where(faces.c.family_id == family, ~faces.c.excluded)
        .order_by(photos.c.key, faces.c.number)
    )
    for row in connection.execution_options(yield_per=1000).execute(query):
        yield ExportedFace(
            row.key,
            row.frame_ms,
            bytes(row.sha256),
            row.format,
            row.taken_at,
            Box(*row.box),
            row.yaw,
            row.pitch,
            row.roll,
            row.age,
            row.p_female,
            row.quality,
            row.detector_score,
            str(row.person_id) if row.person_id else None,
            row.name,
            row.score,
            row.probability,
            row.provisional,
        )
