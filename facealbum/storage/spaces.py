"""Which embedding space the database works in, and which photos other models than today's have analysed."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, and_, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert

from facealbum.domain.faces import EMBEDDING_SIZE
from facealbum.domain.ids import FamilyId
from facealbum.storage.compat_schema import reembedding_problems
from facealbum.storage.makers import Maker, ensure_maker, note_maker
from facealbum.storage.photos import UPLOADED
from facealbum.storage.schema import arms, assignments, embedding_spaces, face_embeddings, faces, photos
from facealbum.storage.wire import as_binary, read_embedding


def load_space(connection: Connection, arm: str) -> str | None:
    """The space that the arm of this name reads; None if there is no such arm yet."""
    query = select(embedding_spaces.c.name).join(arms, arms.c.space_id == embedding_spaces.c.space_id)
    return connection.execute(query.where(arms.c.name == arm)).scalar_one_or_none()


def has_faces(connection: Connection) -> bool:
    """Whether there is any face."""
    return bool(connection.execute(select(exists().where(faces.c.face_id.is_not(None)))).scalar_one())


def load_families_in(connection: Connection, space_id: int) -> list[FamilyId]:
    """The families that have embeddings of this space, sorted."""
    query = select(face_embeddings.c.family_id).distinct().where(face_embeddings.c.space_id == space_id)
    return [FamilyId(family) for family in connection.execute(query.order_by("family_id")).scalars()]


def load_fullest_space(connection: Connection, family: FamilyId, *, arm_id: int, wanted: int) -> int:
    """The space that knows most of the faces which stand for the arm's persons; the wanted one if none knows more.

    A face that can't be embedded for the wanted one counts as if it were.
    """
    there = face_embeddings
    # apart, so that each side is looked up in the index: most families know no other space, and count nothing
    others = select(exists().where(there.c.family_id == family, there.c.space_id < wanted))
    others = others.add_columns(exists().where(there.c.family_id == family, there.c.space_id > wanted))
    if not any(connection.execute(others).one()):
        return wanted
    mine = and_(
        assignments.c.family_id == there.c.family_id,
        assignments.c.face_id == there.c.face_id,
        assignments.c.arm_id == arm_id,
        assignments.c.state == "confirmed",
    )
    query = select(there.c.space_id, func.count()).join(assignments, mine).where(there.c.family_id == family)
    rows = connection.execute(query.group_by(there.c.space_id))
    known = {int(space): int(count) for space, count in rows}
    if max(known.values(), default=0) <= known.get(wanted, 0):
        return wanted
    lost = select(func.count()).where(
        reembedding_problems.c.family_id == family, reembedding_problems.c.space_id == wanted
    )
    known[wanted] = known.get(wanted, 0) + connection.execute(lost).scalar_one()
    return max(known, key=lambda space: (known[space], space == wanted, -space))


def load_space_id(connection: Connection, name: str) -> int | None:
    """The id of the space of this name; None if it has no embeddings yet."""
    query = select(embedding_spaces.c.space_id).where(embedding_spaces.c.name == name)
    return connection.execute(query).scalar_one_or_none()


def load_space_name(connection: Connection, space_id: int) -> str:
    """The name of a space."""
    query = select(embedding_spaces.c.name).where(embedding_spaces.c.space_id == space_id)
    return str(connection.execute(query).scalar_one())


def load_uncarried(
    connection: Connection, family: FamilyId, *, source: int, target: int
) -> tuple[list[UUID], NDArray[np.float32]]:
    """The family's faces with a true embedding of the source space and none of the target: ids and float32[n, 512]."""
    there = select(face_embeddings.c.face_id).where(
        face_embeddings.c.family_id == family, face_embeddings.c.space_id == target
    )
    query = select(face_embeddings.c.face_id, as_binary(face_embeddings.c.embedding).label("embedding")).where(
        face_embeddings.c.family_id == family,
        face_embeddings.c.space_id == source,
        face_embeddings.c.adapter_id.is_(None),
        face_embeddings.c.face_id.not_in(there),
    )
    rows = connection.execute(query.order_by(face_embeddings.c.face_id)).all()
    vectors = np.array([read_embedding(row.embedding) for row in rows], np.float32)
    return [row.face_id for row in rows], vectors.reshape(-1, EMBEDDING_SIZE)


def save_carried(
    connection: Connection,
    family: FamilyId,
    maker: Maker,
    *,
    ids: Sequence[UUID],
    vectors: NDArray[np.float32],
    now: datetime,
) -> None:
    """Add embeddings float32[n, 512] of the maker's space; a face that has one by now keeps it."""
    if not ids:
        return
    maker_id = ensure_maker(connection, maker)
    note_maker(connection, family, maker_id, now=now)
    made = {"space_id": maker.space_id, "adapter_id": maker.adapter_id, "maker_id": maker_id}
    rows = [
        {"family_id": family, "face_id": one, "embedding": vector, **made}
        for one, vector in zip(ids, vectors.astype("float16"), strict=True)
    ]
    connection.execute(insert(face_embeddings).on_conflict_do_nothing(), rows)


def mark_outdated(connection: Connection, family: FamilyId, analyzer_id: int) -> int:
    """Let the family's photos of other analyzers, and those that failed, wait for analysis; faces and persons stay."""
    other = (photos.c.status == "analysed") & (photos.c.analyzer_id != analyzer_id)
    failed = (photos.c.status == "failed") & photos.c.sha256.is_not(None)
    outdated = photos.c.family_id == family, other | failed, UPLOADED
    return connection.execute(update(photos).where(*outdated).values(status="pending", attempts=0)).rowcount
