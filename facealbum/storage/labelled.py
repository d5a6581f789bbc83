"""Faces with what an album says of them, for training on the families' own albums."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Table, and_, case, func, select

from facealbum.domain.faces import Embedding
from facealbum.domain.ids import FaceId, FamilyId
from facealbum.storage.feature_values import CHILD_AGE
from facealbum.storage.schema import (
    arms,
    assignments,
    children,
    embedding_spaces,
    face_embeddings,
    faces,
    links,
    persons,
)
from facealbum.storage.told import LIKELY_AGE, LIKELY_P_FEMALE
from facealbum.storage.wire import as_binary, read_embedding


@dataclass(frozen=True, slots=True, eq=False)
class LabelledFace:
    """who: the linked child, else the person; age: in years at the photo's date, of a child by its birth date.

    yaw: degrees.  height: of the box, in pixels.
    """

    face: FaceId
    who: UUID
    photo: UUID
    age: float
    p_female: float
    quality: float
    yaw: float
    height: float
    embedding: Embedding


def load_labelled_faces(connection: Connection, family: FamilyId, *, arm: str, space: str) -> Iterator[LabelledFace]:
    """The family's faces with a true vector in this space that the arm confirmed as somebody not hidden, in order."""
    query = (
        select(
            faces.c.face_id,
            func.coalesce(links.c.child_id, persons.c.merged_into, persons.c.person_id).label("who"),
            faces.c.photo_id,
            case((children.c.birth_date.is_(None), LIKELY_AGE), else_=CHILD_AGE).label("age"),
            LIKELY_P_FEMALE.label("p_female"),
            faces.c.quality,
            faces.c.yaw,
            (faces.c.box[4] - faces.c.box[2]).label("height"),
            as_binary(face_embeddings.c.embedding).label("embedding"),
        )
        .select_from(faces)
        .join(assignments, _both(assignments, faces, "face_id"))
        .join(arms, arms.c.arm_id == assignments.c.arm_id)
        .join(persons, _both(persons, assignments, "person_id"))
        .join(face_embeddings, _both(face_embeddings, faces, "face_id"))
        .join(embedding_spaces, embedding_spaces.c.space_id == face_embeddings.c.space_id)
        .outerjoin(links, _both(links, persons, "person_id"))
        .outerjoin(children, _both(children, links, "child_id"))
        .where(
            faces.c.family_id == family,
            arms.c.name == arm,
            embedding_spaces.c.name == space,
            assignments.c.state == "confirmed",
            ~persons.c.hidden,
            face_embeddings.c.adapter_id.is_(None),
        )
        .order_by(faces.c.face_id)
    )
    for row in connection.execute(query):
        yield LabelledFace(
            row.face_id,
            row.who,
            row.photo_id,
            row.age,
            row.p_female,
            row.quality,
            row.yaw,
            row.height,
            read_embedding(row.embedding),
        )


def _both(one: Table, other: Table, key: str) -> ColumnElement[bool]:
    """Joins two tables by the family and this key."""
    return and_(one.c.family_id == other.c.family_id, one.c[key] == other.c[key])
