"""What a calibrator reads of stored faces, and writes where it is in production."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ARRAY, ColumnElement, Connection, Uuid, and_, any_, bindparam, literal, select, update

from facealbum.domain.faces import EMBEDDING_SIZE
from facealbum.domain.ids import FaceId, FamilyId, PhotoId
from facealbum.storage.observations import same_face
from facealbum.storage.schema import embedding_spaces, face_embeddings, faces, photos
from facealbum.storage.told import PACKAGED_AGE, PACKAGED_P_FEMALE
from facealbum.storage.wire import as_binary, read_embedding


@dataclass(frozen=True, slots=True, eq=False)
class StoredFaces:
    """n faces, sorted; told_age, told_female: bool[n], where users' words stand in place of any estimate.

    ages and p_female: float32[n], as the packaged models say.  embeddings: float32[n, 512], zeros where none is stored.
    """

    face_ids: tuple[FaceId, ...]
    ages: NDArray[np.float32]
    p_female: NDArray[np.float32]
    embeddings: NDArray[np.float32]
    told_age: NDArray[np.bool_]
    told_female: NDArray[np.bool_]


def load_stored(connection: Connection, family: FamilyId, some: Collection[FaceId], *, space: str) -> StoredFaces:
    """These of the family's faces, with their embeddings of the space."""
    return _load(connection, family, faces.c.face_id == any_(literal(list(some), ARRAY(Uuid))), space)


def load_calibrated_by_others(
    connection: Connection, family: FamilyId, calibrator_id: int, *, space: str, upload: PhotoId | None = None
) -> StoredFaces:
    """The family's faces whose age not this calibrator made; only those of a photo or video."""
    others = faces.c.calibrator_id.is_distinct_from(calibrator_id)
    if upload is None:
        return _load(connection, family, others, space)
    return _load(connection, family, others & of_upload(family, upload), space)


def of_upload(family: FamilyId, upload: PhotoId) -> ColumnElement[bool]:
    """Holds of the family's faces of this photo or video."""
    mine = (photos.c.photo_id == upload) | (photos.c.video_id == upload)
    return faces.c.photo_id.in_(select(photos.c.photo_id).where(photos.c.family_id == family, mine))


def save_estimates(
    connection: Connection,
    family: FamilyId,
    face_ids: Collection[FaceId],
    *,
    ages: NDArray[np.float32],
    p_female: NDArray[np.float32],
    calibrator_id: int,
) -> None:
    """Have these ages and P(female) stand for the faces, and the packaged models' beside them."""
    changed = (
        update(faces)
        .where(faces.c.family_id == family, faces.c.face_id == bindparam("face"))
        .values(
            age=bindparam("new_age"),
            p_female=bindparam("new_p_female"),
            calibrator_id=calibrator_id,
            packaged_age=PACKAGED_AGE,
            packaged_p_female=PACKAGED_P_FEMALE,
        )
    )
    rows = [
        {"face": face, "new_age": age, "new_p_female": chance}
        for face, age, chance in zip(face_ids, ages.tolist(), p_female.tolist(), strict=True)
    ]
    if rows:
        connection.execute(changed, rows)


def restore_packaged(connection: Connection, family: FamilyId) -> int:
    """Let the packaged models' word stand for the family's faces again; of how many it did not."""
    calibrated = faces.c.family_id == family, faces.c.calibrator_id.is_not(None)
    restored = update(faces).where(*calibrated).values(age=faces.c.packaged_age, p_female=faces.c.packaged_p_female)
    nobody = {"calibrator_id": None, "packaged_age": None, "packaged_p_female": None}
    return connection.execute(restored.values(nobody)).rowcount


def _load(connection: Connection, family: FamilyId, where: ColumnElement[bool], space: str) -> StoredFaces:
    of_space = select(embedding_spaces.c.space_id).where(embedding_spaces.c.name == space).scalar_subquery()
    query = (
        select(
            faces.c.face_id,
            PACKAGED_AGE.label("age"),
            PACKAGED_P_FEMALE.label("p_female"),
            as_binary(face_embeddings.c.embedding).label("embedding"),
            faces.c.told_age.is_not(None).label("told_age"),
            faces.c.told_p_female.is_not(None).label("told_female"),
        )
        .select_from(faces)
        .outerjoin(face_embeddings, and_(same_face(face_embeddings.c), face_embeddings.c.space_id == of_space))
        .where(faces.c.family_id == family, where)
        .order_by(faces.c.face_id)
    )
    rows = connection.execute(query).all()
    vectors = np.zeros((len(rows), EMBEDDING_SIZE), np.float32)
    for number, row in enumerate(rows):
        if row.embedding is not None:
            vectors[number] = read_embedding(row.embedding)
    return StoredFaces(
        tuple(FaceId(row.face_id) for row in rows),
        np.array([row.age for row in rows], np.float32),
        np.array([row.p_female for row in rows], np.float32),
        vectors,
        np.array([row.told_age for row in rows], bool),
        np.array([row.told_female for row in rows], bool),
    )
