"""Photos and videos: those that are sent to us, how far they are, and whom they show."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, File, Form, Response, UploadFile
from pydantic import BaseModel, Field

from facealbum.domain.access import Right
from facealbum.domain.ids import FamilyId, PhotoId
from facealbum.errors import FacealbumError
from facealbum.metrics import UPLOADS
from facealbum.steps import browse
from facealbum.steps.uploads import bring_photo
from facealbum.storage.browse import ListedPhoto as Listed
from facealbum.web.api.bodies import ArrivedFile, ArrivedFiles, Face, Photo, TakenAt
from facealbum.web.api.links import Links, Pictures
from facealbum.web.api.lists import Keys, Page, Paging
from facealbum.web.problems import problem_of, responses
from facealbum.web.rights import requires
from facealbum.web.world import World

router = APIRouter(prefix="/v1/families/{family_id}/photos", tags=["photos"])
_KEYS = Keys(tuple[datetime, UUID])


class ListedPhoto(BaseModel):
    """A photo or video in a list; faces: how many show somebody.  thumbnail: a signed URL once it is analysed."""

    photo_id: UUID
    name: str = Field(examples=["2026/beach.jpg"])
    status: str = Field(examples=["analysed"])
    taken_at: datetime
    format: str | None = Field(examples=["jpeg"])
    width: int | None = Field(examples=[4000])
    height: int | None = Field(examples=[3000])
    faces: int = Field(examples=[2])
    thumbnail: str | None

    @classmethod
    def of(cls, photo: Listed, pictures: Links) -> Self:
        """As the album knows it."""
        told = {name: getattr(photo, name) for name in cls.model_fields if hasattr(photo, name)}
        return cls(**told, name=photo.key, thumbnail=pictures.thumbnail(photo.photo_id) if photo.width else None)


class PhotoDetail(Photo):
    """A photo, video or frame of a video, with its faces; frame_ms: the moment of the frame in the video `video_id`."""

    name: str = Field(examples=["2026/beach.jpg"])
    width: int | None = Field(examples=[4000])
    height: int | None = Field(examples=[3000])
    video_id: UUID | None
    frame_ms: int | None
    thumbnail: str | None
    faces: list[Face]

    @classmethod
    def of_album(cls, photo: browse.PhotoDetail, pictures: Links) -> Self:
        """As the album shows it."""
        state, shown = Photo.of(photo.state), photo.shown
        told = {name: getattr(shown, name) for name in ("width", "height", "video_id", "frame_ms")}
        return cls(
            **state.model_dump() | {"photo_id": shown.photo_id, "taken_at": shown.taken_at} | told,
            name=shown.key,
            thumbnail=pictures.thumbnail(shown.photo_id) if shown.width else None,
            faces=[Face.of(face, pictures) for face in photo.faces],
        )


@router.post(
    "",
    status_code=HTTPStatus.ACCEPTED,
    summary="Bring photos and videos",
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
        TakenAt | None, Form(description="When they were taken, where their content doesn't say")
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


@router.get(
    "",
    dependencies=[requires(Right.SEE_FACES)],
    responses=responses(HTTPStatus.UNPROCESSABLE_ENTITY),
    summary="Photos and videos",
)
def listed(family_id: UUID, world: World, wanted: Paging, pictures: Pictures) -> Page[ListedPhoto]:
    """Newest first."""
    keys = _KEYS.read(wanted)
    before = (keys[0], PhotoId(keys[1])) if keys else None
    found = browse.list_photos(world, FamilyId(family_id), limit=wanted.limit + 1, before=before)
    shown, after = _KEYS.page(found, wanted, lambda one: (one.taken_at, one.photo_id))
    return Page(items=[ListedPhoto.of(one, pictures) for one in shown], next=after)


@router.get(
    "/{photo_id}",
    dependencies=[requires(Right.SEE_FACES)],
    responses=responses(HTTPStatus.UNPROCESSABLE_ENTITY),
    summary="A photo, video or frame",
)
def read(family_id: UUID, photo_id: UUID, world: World, pictures: Pictures) -> PhotoDetail:
    """How far it is, and its faces from left to right; of a video those of all frames, in the order of time."""
    return PhotoDetail.of_album(browse.read_photo(world, FamilyId(family_id), PhotoId(photo_id)), pictures)


def _bring(world: World, family: FamilyId, file: UploadFile, taken_at: TakenAt | None) -> ArrivedFile | FacealbumError:
    try:
        brought = bring_photo(world, family, file.filename or "", file.file, taken_at=taken_at)
    except FacealbumError as error:  # of this file alone; those after it may be fine
        UPLOADS.labels("http", error.code).inc()
        return error
    UPLOADS.labels("http", brought.fate.value).inc()
    return ArrivedFile(result=brought.fate.value, photo=Photo.of(brought.photo))


def _failed(error: FacealbumError) -> ArrivedFile:
    return ArrivedFile(result="failed", problem=problem_of(error))
