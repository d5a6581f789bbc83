"""The faces and persons of one family that are most similar to a face, in one embedding space.

Price: there is no index over embeddings, which would have to be one a family; every search reads those of the family.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Select, func, select

from facealbum.domain.faces import Embedding
from facealbum.domain.ids import FaceId, FamilyId, PersonId
from facealbum.storage.schema import assignments, face_embeddings, faces, persons
from facealbum.storage.wire import as_binary, read_embedding


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """What is looked for, in which space, up to how much of it, and which face it is itself."""

    embedding: Embedding
    space_id: int
    limit: int
    but: FaceId | None = None


def load_embedding(connection: Connection, family: FamilyId, face: FaceId, *, space_id: int) -> Embedding | None:
    """The face's embedding in this space; None if it has none there."""
    query = select(as_binary(face_embeddings.c.embedding)).where(
        face_embeddings.c.family_id == family,
        face_embeddings.c.face_id == face,
        face_embeddings.c.space_id == space_id,
    )
    wire = connection.execute(query).scalar_one_or_none()
    return None if wire is None else read_embedding(wire)


def load_similar_faces(connection: Connection, family: FamilyId, wanted: Wanted) -> list[tuple[FaceId, float]]:
    """Faces with their cosine similarity, most similar first."""
    similarity = _similarity(wanted)
    query = _compared(family, wanted, faces.c.face_id, similarity)
    nearest = query.order_by(similarity.desc(), faces.c.face_id).limit(wanted.limit)
    return [(FaceId(face), value) for face, value in connection.execute(nearest)]


def load_similar_persons(
    connection: Connection, family: FamilyId, wanted: Wanted, *, arm_id: int, nearest: int
) -> list[tuple[PersonId, float]]:
    """Persons who aren't hidden, by the mean cosine similarity to so many of their nearest faces, best first."""
    similarity = _similarity(wanted).label("similarity")
    rank = func.row_number().over(partition_by=assignments.c.person_id, order_by=similarity.desc()).label("rank")
    ranked = (
        _compared(family, wanted, assignments.c.person_id, similarity, rank)
        .join(assignments, _same(assignments, faces, "face_id"))
        .join(persons, _same(persons, assignments, "person_id"))
        .where(assignments.c.arm_id == arm_id, ~persons.c.hidden)
        .subquery()
    )
    mean = func.avg(ranked.c.similarity)
    query = select(ranked.c.person_id, mean).where(ranked.c.rank <= nearest).group_by(ranked.c.person_id)
    rows = connection.execute(query.order_by(mean.desc(), ranked.c.person_id).limit(wanted.limit))
    return [(PersonId(person), float(value)) for person, value in rows]


def _similarity(wanted: Wanted) -> ColumnElement[float]:
    found: ColumnElement[float] = 1 - face_embeddings.c.embedding.cosine_distance(wanted.embedding)
    return found


def _compared(family: FamilyId, wanted: Wanted, *columns: ColumnElement[Any]) -> Select[Any]:
    query = (
        select(*columns)
        .select_from(faces)
        .join(face_embeddings, _same(face_embeddings, faces, "face_id"))
        .where(faces.c.family_id == family, ~faces.c.excluded, face_embeddings.c.space_id == wanted.space_id)
    )
    return query if wanted.but is None else query.where(faces.c.face_id != wanted.but)


def _same(one: FromClause, other: FromClause, key: str) -> ColumnElement[bool]:
    """Joins two tables of a family by this id."""
    return (one.c.family_id == other.c.family_id) & (one.c[key] == other.c[key])
