"""What waits between the database and the workers, what could not be done and why, and giving it back to them."""

from http import HTTPStatus
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from facealbum.domain.access import Right
from facealbum.domain.ids import FamilyId
from facealbum.errors import ConflictError
from facealbum.steps.dashboard import read_page
from facealbum.steps.events import send_again
from facealbum.steps.outbox import list_failed_photos, list_parked, requeue_photos
from facealbum.storage.parked import EVENTS
from facealbum.web.api.lists import Keys, Page, Paging
from facealbum.web.api.values import Shown, Text
from facealbum.web.problems import responses
from facealbum.web.rights import Known, requires
from facealbum.web.world import World

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])
_BY_TIME, _BY_PHOTO = Keys(tuple[AwareDatetime, UUID]), Keys(tuple[UUID, UUID, Text])
_SEE = [requires(Right.SEE_FIGURES)]


class Queue(Shown):
    """What waits, counted up to 10,000; since when the oldest does, where that is known."""

    what: str = Field(examples=["pending photos"])
    waiting: int = Field(examples=[42])
    oldest_at: AwareDatetime | None


class ParkedKind(Shown):
    """Messages of a queue that nobody could do, for one reason."""

    queue: str = Field(examples=["analysis"])
    code: str = Field(examples=["killed"])
    messages: int = Field(examples=[3])
    attempts: int = Field(examples=[15])
    first_at: AwareDatetime
    last_at: AwareDatetime


class PhotoKind(Shown):
    """Photos that are not, or not fully, in albums, for one reason."""

    stage: str = Field(examples=["analysis"])
    code: str = Field(examples=["damaged_image"])
    photos: int = Field(examples=[7])
    families: int = Field(examples=[5])
    last_at: AwareDatetime


class Jobs(BaseModel):
    """All of it, counted."""

    queues: list[Queue]
    parked: list[ParkedKind]
    photos: list[PhotoKind]


class ParkedMessage(Shown):
    """A message that nobody could do; detail: where the error came from."""

    parked_id: UUID
    family_id: UUID
    queue: str = Field(examples=["analysis"])
    code: str = Field(examples=["killed"])
    detail: str = Field(examples=["WorkerLostError at tasks.py:31"])
    attempts: int = Field(examples=[5])
    first_at: AwareDatetime
    last_at: AwareDatetime


class FailedPhoto(Shown):
    """A photo that is not, or not fully, in its album."""

    family_id: UUID
    photo_id: UUID
    stage: str = Field(examples=["analysis"])
    code: str = Field(examples=["damaged_image"])
    noticed_at: AwareDatetime


class Requeue(BaseModel):
    """What to give back: parked messages, or photos whose analysis crashed; of one family or all, one queue or all."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"what": "messages", "queue": "analysis"}]})

    what: Literal["messages", "photos"] = "messages"
    family_id: UUID | None = None
    queue: Text | None = None


class Requeued(BaseModel):
    """How much was given back."""

    requeued: int = Field(examples=[3])


@router.get("", dependencies=_SEE, responses=responses(), summary="What waits, and what could not be done")
def show_jobs(world: World) -> Jobs:
    """Tell what waits and for how long, and what could not be done, by reason."""
    found = read_page(world, "jobs")
    return Jobs(
        queues=[Queue(**one) for one in found["queue"]],
        parked=[ParkedKind(**one) for one in found["parked"]],
        photos=[PhotoKind(**one) for one in found["problems"]],
    )


@router.get("/parked", dependencies=_SEE, responses=responses(), summary="Parked messages")
def list_messages(
    world: World, wanted: Paging, family_id: UUID | None = None, queue: Annotated[Text | None, Query()] = None
) -> Page[ParkedMessage]:
    """List the messages that nobody could do, the oldest first."""
    family = FamilyId(family_id) if family_id else None
    found = list_parked(world, family=family, queue=queue, after=_BY_TIME.read(wanted), limit=wanted.limit + 1)
    part, following = _BY_TIME.page(found, wanted, lambda one: (one.first_at, one.parked_id))
    return Page(items=[ParkedMessage.model_validate(one) for one in part], next=following)


@router.get("/photos", dependencies=_SEE, responses=responses(), summary="Photos that are not in albums")
def list_photos(world: World, wanted: Paging, code: Annotated[Text | None, Query()] = None) -> Page[FailedPhoto]:
    """List the photos that are not, or not fully, in albums, by family."""
    found = list_failed_photos(world, code=code, after=_BY_PHOTO.read(wanted), limit=wanted.limit + 1)
    part, following = _BY_PHOTO.page(found, wanted, lambda one: (one.family_id, one.photo_id, one.stage))
    return Page(items=[FailedPhoto.model_validate(one) for one in part], next=following)


@router.post("/requeue", responses=responses(HTTPStatus.CONFLICT), summary="Give parked work back")
def requeue(what: Requeue, world: World, known: Annotated[Known, requires(Right.RUN_JOBS)]) -> Requeued:
    """Give back to the workers what was parked.  The relay sends it; done twice, the second finds nothing."""
    looks_again = what.what == "messages" and what.queue == EVENTS  # which needs no queue of ours
    if not world.settings.broker_url and not looks_again:
        raise ConflictError("there are no queues to give it to; set FACEALBUM_BROKER_URL, and run workers and a relay")
    family, by = FamilyId(what.family_id) if what.family_id else None, known.caller.name
    if what.what == "photos":
        return Requeued(requeued=requeue_photos(world, family=family, author=by))
    return Requeued(requeued=send_again(world, family=family, queue=what.queue, author=by))
