"""Which embedding space the database works in, and which photos other models than today's have analysed."""

from sqlalchemy import Connection, distinct, func, outerjoin, select, tuple_, update

from facealbum.domain.ids import FamilyId
from facealbum.storage.photos import UPLOADED
from facealbum.storage.schema import arms, embedding_spaces, face_embeddings, faces, photos


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


def mark_outdated(connection: Connection, family: FamilyId, analyzer_id: int) -> int:
    """Let the family's photos of other analyzers wait for analysis again; their faces and persons stay."""
    outdated = photos.c.family_id == family, photos.c.status == "analysed", photos.c.analyzer_id != analyzer_id
    return connection.execute(update(photos).where(*outdated, UPLOADED).values(status="pending")).rowcount
