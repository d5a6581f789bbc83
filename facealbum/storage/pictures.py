"""Where a face or a photo can be seen: in which upload, in a video when, and where pictures of it are kept."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from facealbum.domain.faces import Box
from facealbum.domain.ids import FaceId, FamilyId, PhotoId
from facealbum.domain.photos import family_prefix
from facealbum.storage.schema import faces, photos


@dataclass(frozen=True, slots=True)
class Picture:
    """sha256: of the upload, which is width x height pixels upright; frame_ms: None for a photo; box: of a face.

    analysed: whether its upload was decoded whole once before.
    """

    sha256: bytes
    frame_ms: int | None
    width: int
    height: int
    analysed: bool
    box: Box | None = None


_SHOWN = (photos.c.sha256, photos.c.frame_ms, photos.c.width, photos.c.height, photos.c.status)


def load_face_picture(connection: Connection, family: FamilyId, face: FaceId) -> Picture | None:
    """Where the face can be seen; None if the family has no such face."""
    query = (
        select(*_SHOWN, faces.c.box)
        .join(faces, (faces.c.family_id == photos.c.family_id) & (faces.c.photo_id == photos.c.photo_id))
        .where(faces.c.family_id == family, faces.c.face_id == face)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _picture(row, row.frame_ms, Box(*row.box))


def load_photo_picture(connection: Connection, family: FamilyId, photo: PhotoId) -> Picture | None:
    """Where the photo or frame can be seen, of a video its first kept frame; None if the family has no such photo."""
    frames = photos.alias()
    first = (
        select(func.min(frames.c.frame_ms))
        .where(frames.c.family_id == family, frames.c.video_id == photos.c.photo_id)
        .scalar_subquery()
    )
    query = select(*_SHOWN, func.coalesce(photos.c.frame_ms, first).label("moment"))
    row = connection.execute(query.where(photos.c.family_id == family, photos.c.photo_id == photo)).one_or_none()
    return None if row is None else _picture(row, row.moment)


def _picture(row: Any, frame_ms: int | None, box: Box | None = None) -> Picture:  # noqa: ANN401 - a row of photos
    done = row.width is not None and row.status != "failed"
    return Picture(bytes(row.sha256 or b""), frame_ms, row.width or 0, row.height or 0, done, box)


def pictures_prefix(family: FamilyId, sha256: bytes | None = None) -> str:
    """What the keys of all pictures start with that were made of this upload, or of all of the family's."""
    of_all = f"{family_prefix(family)}pictures/"
    return of_all if sha256 is None else f"{of_all}{sha256.hex()}/"


def hold_upload(connection: Connection, family: FamilyId, sha256: bytes) -> bool:
    """Whether the upload of this content is still there; nobody can delete it until the transaction ends."""
    query = select(photos.c.photo_id).where(
        photos.c.family_id == family, photos.c.sha256 == sha256, photos.c.frame_ms.is_(None)
    )
    return connection.execute(query.with_for_update(key_share=True, read=True)).first() is not None
