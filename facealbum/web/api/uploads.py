"""Photos and videos that go to the object store by a signed URL, or to us where it signs none."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from tempfile import TemporaryFile
from typing import Annotated, Any, BinaryIO, cast
from uuid import UUID

from fastapi import APIRouter, Depends, Request, UploadFile

from facealbum.domain.access import Right
from facealbum.domain.ids import FamilyId
from facealbum.metrics import UPLOADS
from facealbum.steps.uploads import complete_upload, promise_upload, receive_upload
from facealbum.web.api.bodies import Arrived, NewUpload, Upload
from facealbum.web.problems import responses
from facealbum.web.rights import requires
from facealbum.web.world import World

router = APIRouter(prefix="/v1/families/{family_id}/uploads", tags=["uploads"], dependencies=[requires(Right.BRING)])


async def _spooled(request: Request) -> AsyncIterator[UploadFile]:
    """The body as a file on disk."""
    with TemporaryFile() as file:
        upload = UploadFile(cast(BinaryIO, file))
        async for chunk in request.stream():
            await upload.write(chunk)
        yield upload


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    responses=responses(HTTPStatus.CONFLICT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY),
    summary="Promise content",
)
def promise(family_id: UUID, new: NewUpload, world: World, request: Request) -> Upload:
    """Promise content, and be told where to PUT it.  The same content promised twice is one upload."""
    content = bytes.fromhex(new.sha256), new.bytes
    promised = promise_upload(world, FamilyId(family_id), new.name, content, taken_at=new.taken_at)
    direct = request.url_for("receive", family_id=family_id, upload_id=promised.upload_id)
    return Upload.of(promised, direct=str(direct))


@router.post(
    "/{upload_id}/complete",
    responses=responses(HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY),
    summary="Tell that promised content is there",
)
def complete(family_id: UUID, upload_id: UUID, world: World) -> Arrived:
    """Tell that the content is in the object store.  Who doesn't is found out, a minute or more later."""
    brought = complete_upload(world, FamilyId(family_id), upload_id)
    UPLOADS.labels("signed", brought.fate.value).inc()
    return Arrived.of(brought)


_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/octet-stream": {"schema": {"type": "string"}}}}
}


@router.put(
    "/{upload_id}",
    openapi_extra=_BODY,
    responses=responses(HTTPStatus.UNPROCESSABLE_ENTITY),
    summary="Send promised content",
)
def receive(
    family_id: UUID, upload_id: UUID, world: World, content: Annotated[UploadFile, Depends(_spooled)]
) -> Arrived:
    """Send promised content to us, where the object store signs no URLs."""
    brought = receive_upload(world, FamilyId(family_id), upload_id, content.file)
    UPLOADS.labels("direct", brought.fate.value).inc()
    return Arrived.of(brought)
