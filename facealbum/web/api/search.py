"""Finding a face again within one family; nothing of what is brought is kept."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, File, Query, UploadFile
from pydantic import BaseModel, Field

from facealbum.domain.access import Right
from facealbum.domain.ids import FaceId, FamilyId
from facealbum.errors import ImageSizeError
from facealbum.steps.face_search import Likeness, search_by_face, search_by_picture
from facealbum.web.api.bodies import Box, Face
from facealbum.web.api.links import Links, Pictures
from facealbum.web.problems import responses
from facealbum.web.rights import requires
from facealbum.web.world import World

router = APIRouter(
    prefix="/v1/families/{family_id}/search",
    tags=["search"],
    dependencies=[requires(Right.SEE_FACES)],
    responses=responses(HTTPStatus.UNPROCESSABLE_ENTITY),
)
_MOST_BYTES = 20_000_000


class WantedFace(BaseModel):
    """The face to find again."""

    face_id: UUID
    limit: Annotated[int, Field(ge=1, le=100, description="Persons and faces at most")] = 20


class FoundPerson(BaseModel):
    """Somebody similar; similarity: mean cosine to the three nearest faces.  chance: that this person is shown."""

    person_id: UUID
    name: str | None = Field(examples=["Grandpa"])
    child_id: UUID | None
    child: str | None = Field(examples=["Hana"])
    faces: int = Field(examples=[16])
    similarity: float = Field(examples=[0.62])
    chance: float | None = Field(description="Null in a space where that was not measured", examples=[0.9])


class FoundFace(BaseModel):
    """A similar face; similarity: cosine.  chance: that both are one person."""

    face: Face
    similarity: float = Field(examples=[0.55])
    chance: float | None = Field(description="Null in a space where that was not measured", examples=[0.96])


class Found(BaseModel):
    """Who is most similar, and which faces are, most similar first."""

    persons: list[FoundPerson]
    faces: list[FoundFace]


class FoundByPicture(Found):
    """The same, for the largest face of a picture; box: where it is, in a picture with so many faces."""

    box: Box
    faces_in_picture: int = Field(examples=[1])


@router.post("", summary="Find a face again")
def by_face(family_id: UUID, wanted: WantedFace, world: World, pictures: Pictures) -> Found:
    """Who resembles one of the family's faces, within the family."""
    found = search_by_face(world, FamilyId(family_id), FaceId(wanted.face_id), limit=wanted.limit)
    return Found(persons=_persons(found), faces=_faces(found, pictures))


@router.post("/picture", responses=responses(HTTPStatus.REQUEST_ENTITY_TOO_LARGE), summary="Find the face of a picture")
def by_picture(
    family_id: UUID,
    file: Annotated[UploadFile, File(description="A picture of up to 20 MB")],
    world: World,
    pictures: Pictures,
    limit: Annotated[int, Query(ge=1, le=100, description="Persons and faces at most")] = 20,
) -> FoundByPicture:
    """Who in the family resembles the picture's largest face.  The picture is analysed, and forgotten."""
    if (file.size or 0) > _MOST_BYTES:
        raise ImageSizeError(f"the picture may have {_MOST_BYTES} bytes; send a smaller one")
    face, count, found = search_by_picture(world, FamilyId(family_id), file.file.read(), limit=limit)
    box = Box(x1=face.box.x1, y1=face.box.y1, x2=face.box.x2, y2=face.box.y2)
    return FoundByPicture(persons=_persons(found), faces=_faces(found, pictures), box=box, faces_in_picture=count)


def _persons(found: Likeness) -> list[FoundPerson]:
    names = ("person_id", "name", "child_id", "child", "faces")
    return [
        FoundPerson(**{name: getattr(one.person, name) for name in names}, similarity=one.similarity, chance=one.chance)
        for one in found.persons
    ]


def _faces(found: Likeness, pictures: Links) -> list[FoundFace]:
    return [
        FoundFace(face=Face.of(one.face, pictures), similarity=one.similarity, chance=one.chance) for one in found.faces
    ]
