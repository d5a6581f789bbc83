"""Faces: those that have no person, one face, and why it is where it is."""

from datetime import datetime
from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from facealbum.domain.access import Right
from facealbum.domain.ids import FaceId, FamilyId, PersonId
from facealbum.steps.browse import list_faces, read_face
from facealbum.steps.explain import explain_face
from facealbum.storage.shown_faces import Place
from facealbum.web.api.bodies import Face
from facealbum.web.api.links import Pictures
from facealbum.web.api.lists import Keys, Page, Paging
from facealbum.web.problems import responses
from facealbum.web.rights import requires
from facealbum.web.world import World

router = APIRouter(
    prefix="/v1/families/{family_id}/faces",
    tags=["faces"],
    dependencies=[requires(Right.SEE_FACES)],
    responses=responses(HTTPStatus.UNPROCESSABLE_ENTITY),
)
_KEYS = Keys(tuple[datetime, UUID])


class Explanation(BaseModel):
    """Whom a face is shown with, and why, in words."""

    face_id: UUID
    person: str | None = Field(description="As people call it, or its id", examples=["Hana"])
    provisional: bool
    why: str = Field(examples=["joined Hana: similarity 0.62, the next best 0.21"])


@router.get("", summary="Faces without a person")
def waiting(family_id: UUID, world: World, wanted: Paging, pictures: Pictures) -> Page[Face]:
    """Faces that wait for a person, newest first."""
    return page_of_faces(world, family_id, None, wanted, pictures)


@router.get("/{face_id}", summary="A face")
def read(family_id: UUID, face_id: UUID, world: World, pictures: Pictures) -> Face:
    """What analysis says of it, and whose it is."""
    return Face.of(read_face(world, FamilyId(family_id), FaceId(face_id)), pictures)


@router.get("/{face_id}/explanation", summary="Why a face is where it is")
def explain(family_id: UUID, face_id: UUID, world: World) -> Explanation:
    """With whom it was compared, and what ruled the next best out, as the run that decided told it."""
    found = explain_face(world, FamilyId(family_id), FaceId(face_id))
    return Explanation(face_id=face_id, person=found.person, provisional=found.provisional, why=found.why)


def page_of_faces(world: World, family: UUID, person: UUID | None, wanted: Paging, pictures: Pictures) -> Page[Face]:
    """Faces of the person, or of nobody, newest first."""
    keys = _KEYS.read(wanted)
    before = Place(keys[0], FaceId(keys[1])) if keys else None
    whose = PersonId(person) if person else None
    found = list_faces(world, FamilyId(family), whose, limit=wanted.limit + 1, before=before)
    shown, after = _KEYS.page(found, wanted, lambda face: (face.taken_at, face.face_id))
    return Page(items=[Face.of(face, pictures) for face in shown], next=after)
