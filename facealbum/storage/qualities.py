"""What a predictor of quality reads of stored faces, and writes where it is in production."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ARRAY, ColumnElement, Connection, Uuid, any_, bindparam, literal, select, update

from facealbum.domain.ids import FaceId, FamilyId, PhotoId
from facealbum.storage.estimates import of_upload
from facealbum.storage.schema import faces
from facealbum.storage.told import PACKAGED_AGE, PACKAGED_QUALITY


@dataclass(frozen=True, slots=True, eq=False)
class StoredLooks:
    """n faces, sorted, and float32[n, 7] of what is stored of them.

    That is: packaged quality, height of the box in pixels, yaw, pitch and roll in degrees, the detector's score, and
    the packaged age.
    """

    face_ids: tuple[FaceId, ...]
    looks: NDArray[np.float32]


def load_looks(connection: Connection, family: FamilyId, some: Collection[FaceId]) -> StoredLooks:
    """These of the family's faces."""
    return _load(connection, family, faces.c.face_id == any_(literal(list(some), ARRAY(Uuid))))


def load_rated_by_others(
    connection: Connection, family: FamilyId, predictor_id: int, *, upload: PhotoId | None = None
) -> StoredLooks:
    """The family's faces whose quality not this predictor made; only those of a photo or video."""
    others = faces.c.predictor_id.is_distinct_from(predictor_id)
    if upload is not None:
        others &= of_upload(family, upload)
    return _load(connection, family, others)


def save_qualities(
    connection: Connection,
    family: FamilyId,
    face_ids: Collection[FaceId],
    *,
    qualities: NDArray[np.float32],
    predictor_id: int,
) -> None:
    """Have these qualities stand for the faces, and the packaged ones beside them."""
    changed = (
        update(faces)
        .where(faces.c.family_id == family, faces.c.face_id == bindparam("face"))
        .values(quality=bindparam("new"), predictor_id=predictor_id, packaged_quality=PACKAGED_QUALITY)
    )
    rows = [{"face": face, "new": new} for face, new in zip(face_ids, qualities.tolist(), strict=True)]
    if rows:
        connection.execute(changed, rows)


def restore_packaged_quality(connection: Connection, family: FamilyId) -> int:
    """Let the packaged quality stand for the family's faces again; of how many it did not."""
    restored = update(faces).where(faces.c.family_id == family, faces.c.predictor_id.is_not(None))
    nobody = {"predictor_id": None, "packaged_quality": None}
    return connection.execute(restored.values(quality=faces.c.packaged_quality, **nobody)).rowcount


def _load(connection: Connection, family: FamilyId, where: ColumnElement[bool]) -> StoredLooks:
    columns = (
        PACKAGED_QUALITY,
        faces.c.box[4] - faces.c.box[2],
        *(faces.c.yaw, faces.c.pitch, faces.c.roll, faces.c.score),
        PACKAGED_AGE,
    )
    query = select(faces.c.face_id, *columns).where(faces.c.family_id == family, where).order_by(faces.c.face_id)
    rows = connection.execute(query).all()
    looks = np.array([row[1:] for row in rows], np.float32).reshape(-1, len(columns))
    return StoredLooks(tuple(FaceId(row.face_id) for row in rows), looks)
