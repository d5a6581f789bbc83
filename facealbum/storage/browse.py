"""What lists of a family's photos and persons hold, a bounded part at a time; parts go on by keys."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, or_, select, tuple_

from facealbum.domain.ids import FaceId, FamilyId, PersonId, PhotoId
from facealbum.storage.families import Family
from facealbum.storage.photos import UPLOADED
from facealbum.storage.schema import assignments, faces, families, photos

_UPLOAD = func.coalesce(photos.c.video_id, photos.c.photo_id)


@dataclass(frozen=True, slots=True)
class ListedPhoto:
    """A photo or video; faces: how many show somebody, of a video in all its frames; pixels unknown before analysis."""

    photo_id: PhotoId
    key: str
    status: str
    taken_at: datetime
    format: str | None
    width: int | None
    height: int | None
    faces: int


def load_listed_families(connection: Connection, *, limit: int, after: FamilyId | None = None) -> list[Family]:
    """Families by id, behind this one."""
    query = select(families.c.family_id, families.c.name).order_by(families.c.family_id).limit(limit)
    if after is not None:
        query = query.where(families.c.family_id > after)
    return [Family(FamilyId(row.family_id), row.name) for row in connection.execute(query)]


def load_listed_photos(
    connection: Connection, family: FamilyId, *, limit: int, before: tuple[datetime, PhotoId] | None = None
) -> list[ListedPhoto]:
    """Photos and videos, newest first, behind this place."""
    columns = [photos.c[name] for name in ("photo_id", "key", "status", "taken_at", "format", "width", "height")]
    query = select(*columns).where(photos.c.family_id == family, UPLOADED)
    if before is not None:
        query = query.where(tuple_(photos.c.taken_at, photos.c.photo_id) < tuple_(*before))
    newest = query.order_by(photos.c.taken_at.desc(), photos.c.photo_id.desc()).limit(limit)
    found = connection.execute(newest).mappings().all()
    count = _count_faces(connection, family, [row["photo_id"] for row in found])
    return [ListedPhoto(**row, faces=count.get(row["photo_id"], 0)) for row in found]


def load_face_ids_of(connection: Connection, family: FamilyId, photo: PhotoId) -> list[FaceId]:
    """The faces of a photo, of a frame, or of all frames of a video."""
    query = _faces_of(family, [photo], faces.c.face_id)
    return [FaceId(face) for face in connection.execute(query).scalars()]


def load_spans(
    connection: Connection, family: FamilyId, arm_id: int | None, of: Collection[PersonId]
) -> Mapping[PersonId, tuple[datetime, datetime]]:
    """When these persons were photographed first and last."""
    query = (
        select(assignments.c.person_id, func.min(faces.c.taken_at), func.max(faces.c.taken_at))
        .join(faces, (faces.c.family_id == assignments.c.family_id) & (faces.c.face_id == assignments.c.face_id))
        .where(assignments.c.family_id == family, assignments.c.arm_id == arm_id, assignments.c.person_id.in_(of))
        .group_by(assignments.c.person_id)
    )
    return {PersonId(person): (first, last) for person, first, last in connection.execute(query)}


def _count_faces(connection: Connection, family: FamilyId, of: Collection[PhotoId]) -> dict[PhotoId, int]:
    query = _faces_of(family, of, _UPLOAD, func.count()).where(~faces.c.excluded).group_by(_UPLOAD)
    return {PhotoId(upload): count for upload, count in connection.execute(query)}


def _faces_of(family: FamilyId, of: Collection[PhotoId], *columns: ColumnElement[Any]) -> Select[Any]:
    """Faces of these photos, frames, and videos by their frames."""
    return (
        select(*columns)
        .select_from(faces)
        .join(photos, (photos.c.family_id == faces.c.family_id) & (photos.c.photo_id == faces.c.photo_id))
        .where(photos.c.family_id == family, or_(photos.c.photo_id.in_(of), photos.c.video_id.in_(of)))
    )
