"""Which embedding space the database works in, and which photos other models than today's have analysed."""

from collections.abc import Sequence
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, distinct, func, outerjoin, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from facealbum.domain.faces import EMBEDDING_SIZE
from facealbum.domain.ids import FamilyId
from facealbum.storage.photos import UPLOADED
from facealbum.storage.schema import arms, embedding_spaces, face_embeddings, faces, photos
from facealbum.storage.wire import as_binary, read_embedding


def load_space(connection: Connection, arm: str) -> str | None:
    """The space that the arm of this name reads; None if there is no such arm yet."""
    query = select(embedding_spaces.c.name).join(arms, arms.c.space_id == embedding_spaces.c.space_id)
    return connection.execute(query.where(arms.c.name == arm)).scalar_one_or_none()


def count_lacking(connection: Connection, space_id: int) -> int:
    """How many photos have a face without an embedding of this space."""
    query = select(func.count(distinct(tuple_(faces.c.family_id, faces.c.photo_id)))).select_from(
        outerjoin(
            faces,
            face_embeddings,
            (face_embeddings.c.family_id == faces.c.family_id)
            & (face_embeddings.c.face_id == faces.c.face_id)
            & (face_embeddings.c.space_id == space_id),
        )
    )
    return connection.execute(query.where(face_embeddings.c.face_id.is_(None))).scalar_one()


def load_uncarried(
    connection: Connection, family: FamilyId, *, source: int, target: int
) -> tuple[list[UUID], NDArray[np.float32]]:
    """The family's faces that have an embedding of the source space and none of the target: ids and float32[n, 512]."""
    there = select(face_embeddings.c.face_id).where(
        face_embeddings.c.family_id == family, face_embeddings.c.space_id == target
    )
    query = select(face_embeddings.c.face_id, as_binary(face_embeddings.c.embedding).label("embedding")).where(
        face_embeddings.c.family_id == family,
        face_embeddings.c.space_id == source,
        face_embeddings.c.face_id.not_in(there),
    )
    rows = connection.execute(query.order_by(face_embeddings.c.face_id)).all()
    vectors = np.array([read_embedding(row.embedding) for row in rows], np.float32)
    return [row.face_id for row in rows], vectors.reshape(-1, EMBEDDING_SIZE)


def save_carried(
    connection: Connection, family: FamilyId, *, target: int, ids: Sequence[UUID], vectors: NDArray[np.float32]
) -> None:
    """Add embeddings float32[n, 512] of the target space; a face that has one by now keeps it."""
    key = {"family_id": family, "space_id": target}
    rows = [
        key | {"face_id": one, "embedding": vector} for one, vector in zip(ids, vectors.astype("float16"), strict=True)
    ]
    if rows:
        connection.execute(insert(face_embeddings).on_conflict_do_nothing(), rows)


def mark_outdated(connection: Connection, family: FamilyId, analyzer_id: int) -> int:
    """Let the family's photos of other analyzers, and those that failed, wait for analysis; faces and persons stay."""
    other = (photos.c.status == "analysed") & (photos.c.analyzer_id != analyzer_id)
    failed = (photos.c.status == "failed") & photos.c.sha256.is_not(None)
    outdated = photos.c.family_id == family, other | failed, UPLOADED
    return connection.execute(update(photos).where(*outdated).values(status="pending", attempts=0)).rowcount
