"""Pictures as JPEG: a face cut out, and a photo made small.

Whoever sees one keeps it for an hour at most, which is also what a view on record stands for.
"""

from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from facealbum.domain.access import Right
from facealbum.domain.ids import FaceId, FamilyId, PhotoId
from facealbum.steps.pictures import find_face, find_photo, render_picture, tag_of
from facealbum.storage.pictures import Picture
from facealbum.web.problems import responses
from facealbum.web.rights import requires
from facealbum.web.validators import known_already
from facealbum.web.world import World

router = APIRouter(prefix="/v1/families/{family_id}", tags=["pictures"], dependencies=[requires(Right.SEE_FACES)])
_SECONDS = 3600
_JPEG: dict[int | str, dict[str, Any]] = {
    **responses(HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY),
    200: {"content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}, "description": "The picture"},
}


@router.get("/faces/{face_id}/crop", response_class=Response, responses=_JPEG, summary="A face cut out")
def crop(
    family_id: UUID,
    face_id: UUID,
    world: World,
    request: Request,
    size: Annotated[int, Query(ge=32, le=512, description="Pixels of each side")] = 112,
) -> Response:
    """The face with some room around it, from the original photo or frame."""
    family = FamilyId(family_id)
    return _answer(world, request, family, find_face(world, family, FaceId(face_id)), size)


@router.get("/photos/{photo_id}/thumbnail", response_class=Response, responses=_JPEG, summary="A photo made small")
def thumbnail(
    family_id: UUID,
    photo_id: UUID,
    world: World,
    request: Request,
    size: Annotated[int, Query(ge=64, le=2048, description="Pixels of the longer side, at most")] = 512,
) -> Response:
    """The whole photo, upright; of a video the first frame that shows a face.  It must be analysed."""
    family = FamilyId(family_id)
    return _answer(world, request, family, find_photo(world, family, PhotoId(photo_id)), size)


def _answer(world: World, request: Request, family: FamilyId, picture: Picture, size: int) -> Response:
    etag = f'"{tag_of(picture, size=size)}"'
    headers = {"ETag": etag, "Cache-Control": f"private, max-age={_SECONDS}"}
    if known_already(request, etag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(render_picture(world, family, picture, size=size), headers=headers, media_type="image/jpeg")
