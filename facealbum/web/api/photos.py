"""Photos and videos that are sent to us, and how far they are."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, File, Form, Response, UploadFile

from facealbum.domain.access import Right
from facealbum.domain.ids import FamilyId, PhotoId
from facealbum.errors import FacealbumError
from facealbum.metrics import UPLOADS
from facealbum.steps.uploads import bring_photo, photo_state
from facealbum.web.api.bodies import ArrivedFile, ArrivedFiles, Moment, Photo
from facealbum.web.problems import problem_of, responses
from facealbum.web.rights import requires
from facealbum.web.world import World

router = APIRouter(prefix="/v1/families/{family_id}/photos", tags=["photos"])


@router.post(
    "",
    status_code=HTTPStatus.ACCEPTED,
    dependencies=[requires(Right.BRING)],
    responses={
        **responses(HTTPStatus.CONFLICT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY),
        HTTPStatus.MULTI_STATUS: {"model": ArrivedFiles, "description": "Some of several files could not be taken"},
    },
)
def bring(
    family_id: UUID,
    files: Annotated[list[UploadFile], File(description="Photos and videos; the file name is the photo's name")],
    world: World,
    response: Response,
    taken_at: Annotated[
        Moment | None, Form(description="When they were taken, where their content doesn't say")
    ] = None,
) -> ArrivedFiles:
    """Take photos and videos in.  The same content is one photo, so sending it again is safe with or without a key."""
    found = [_bring(world, FamilyId(family_id), one, taken_at) for one in files]
    errors = [one for one in found if isinstance(one, FacealbumError)]
    if errors and len(found) == 1:
        raise errors[0]
    if errors:
        response.status_code = HTTPStatus.MULTI_STATUS
    return ArrivedFiles(files=[_failed(one) if isinstance(one, FacealbumError) else one for one in found])


@router.get("/{photo_id}", dependencies=[requires(Right.SEE_FIGURES)], responses=responses())
def state(family_id: UUID, photo_id: UUID, world: World) -> Photo:
    """How far a photo is."""
    return Photo.of(photo_state(world, FamilyId(family_id), PhotoId(photo_id)))


def _bring(world: World, family: FamilyId, file: UploadFile, taken_at: Moment | None) -> ArrivedFile | FacealbumError:
    try:
        brought = bring_photo(world, family, file.filename or "", file.file, taken_at=taken_at)
    except FacealbumError as error:  # of this file alone; those after it may be fine
        UPLOADS.labels("http", error.code).inc()
        return error
    UPLOADS.labels("http", brought.fate.value).inc()
    return ArrivedFile(result=brought.fate.value, photo=Photo.of(brought.photo))


def _failed(error: FacealbumError) -> ArrivedFile:
    return ArrivedFile(result="failed", problem=problem_of(error))
