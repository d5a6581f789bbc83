"""Faces whose age and gender the family itself has given: those of persons that are linked to a registered child."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, Date, Float, cast, func, select

from facealbum.domain.faces import Embedding
from facealbum.domain.ids import FaceId, FamilyId
from facealbum.domain.people import Gender
from facealbum.storage.observations import same_face
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
from facealbum.storage.told import PACKAGED_AGE, PACKAGED_P_FEMALE, PACKAGED_QUALITY
from facealbum.storage.wire import as_binary, read_embedding

_DAYS_A_YEAR = 365.25


@dataclass(frozen=True, slots=True, eq=False)
class KnownFace:
    """age, p_female, quality: as the packaged models say.  years: the child's age at the photo's date, 0 or more."""

    face_id: FaceId
    age: float
    p_female: float
    quality: float
    years: float
    gender: Gender
    embedding: Embedding


def load_known_faces(connection: Connection, family: FamilyId, *, arm: str, space: str) -> Iterator[KnownFace]:
    """The faces in this space that the arm has confirmed as a registered child, in a fixed order."""
    days = cast(cast(faces.c.taken_at, Date) - children.c.birth_date, Float)
    query = (
        select(
            faces.c.face_id,
            PACKAGED_AGE.label("age"),
            PACKAGED_P_FEMALE.label("p_female"),
            PACKAGED_QUALITY.label("quality"),
            (func.greatest(0, days) / _DAYS_A_YEAR).label("years"),
            children.c.gender,
            as_binary(face_embeddings.c.embedding).label("embedding"),
        )
        .select_from(faces)
        .join(assignments, same_face(assignments.c))
        .join(arms, arms.c.arm_id == assignments.c.arm_id)
        .join(persons, (persons.c.family_id == family) & (persons.c.person_id == assignments.c.person_id))
        .join(links, (links.c.family_id == family) & (links.c.person_id == persons.c.person_id))
        .join(children, (children.c.family_id == family) & (children.c.child_id == links.c.child_id))
        .join(face_embeddings, same_face(face_embeddings.c))
        .join(embedding_spaces, embedding_spaces.c.space_id == face_embeddings.c.space_id)
        .where(
            faces.c.family_id == family,
            ~faces.c.excluded,
            arms.c.name == arm,
            embedding_spaces.c.name == space,
            assignments.c.state == "confirmed",
            ~persons.c.hidden,
        )
        .order_by(faces.c.face_id)
    )
    for row in connection.execute(query):
        yield KnownFace(
            FaceId(row.face_id),
            row.age,
            row.p_female,
            row.quality,
            row.years,
            Gender(row.gender),
            read_embedding(row.embedding),
        )
