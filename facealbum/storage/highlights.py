"""Who is shown in the photos of some time, and how well."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, func, select

from facealbum.domain.ids import FamilyId, PhotoId
from facealbum.storage.schema import arms, assignments, faces, links, persons, photos


@dataclass(frozen=True, slots=True)
class Appearance:
    """A face of somebody in a photo or video; who: the child's id, else the person's.  Angles are degrees."""

    photo_id: PhotoId
    taken_at: datetime
    who: UUID
    is_child: bool
    quality: float
    yaw: float
    pitch: float


def load_appearances(
    connection: Connection, family: FamilyId, arm: str, *, since: datetime, before: datetime
) -> list[Appearance]:
    """Every face with a person in what was taken in this time; hidden people are left out."""
    uploads = photos.alias("uploads")
    upload = func.coalesce(photos.c.video_id, photos.c.photo_id)
    query = (
        select(uploads.c.photo_id, uploads.c.taken_at)
        .add_columns(func.coalesce(links.c.child_id, persons.c.person_id), links.c.child_id.is_not(None))
        .add_columns(faces.c.quality, faces.c.yaw, faces.c.pitch)
        .select_from(uploads)
        .join(photos, (photos.c.family_id == uploads.c.family_id) & (upload == uploads.c.photo_id))
        .join(faces, (faces.c.family_id == photos.c.family_id) & (faces.c.photo_id == photos.c.photo_id))
        .join(
            assignments,
            (assignments.c.family_id == faces.c.family_id) & (assignments.c.face_id == faces.c.face_id),
        )
        .join(arms, (arms.c.arm_id == assignments.c.arm_id) & (arms.c.name == arm))
        .join(
            persons,
            (persons.c.family_id == assignments.c.family_id) & (persons.c.person_id == assignments.c.person_id),
        )
        .outerjoin(links, (links.c.family_id == persons.c.family_id) & (links.c.person_id == persons.c.person_id))
        .where(uploads.c.family_id == family, uploads.c.frame_ms.is_(None), ~persons.c.hidden, ~faces.c.excluded)
        .where(uploads.c.taken_at >= since, uploads.c.taken_at < before)
    )
    return [Appearance(*row) for row in connection.execute(query)]
