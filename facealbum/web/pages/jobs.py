"""What waits between the database and the workers, what could not be done and why, and giving it back to them."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from facealbum.domain.access import Right
from facealbum.steps.dashboard import read_page
from facealbum.steps.events import send_again
from facealbum.steps.outbox import list_failed_photos, list_parked, requeue_photos
from facealbum.web.pages.page import Sure, expect_sure, lead_back, render
from facealbum.web.rights import Known, requires
from facealbum.web.world import World

router = APIRouter(prefix="/jobs", include_in_schema=False)
_MOST = 50


@router.get("")
def jobs(
    request: Request,
    world: World,
    known: Annotated[Known, requires(Right.SEE_FIGURES)],
    queue: str | None = None,
    code: str | None = None,
) -> Response:
    """Queues, parked messages and failed photos by reason; some of them one by one."""
    return render(
        request,
        known,
        "jobs.html",
        rows=read_page(world, "jobs"),
        chosen_queue=queue,
        chosen_code=code,
        messages=list_parked(world, queue=queue, limit=_MOST),
        photos=list_failed_photos(world, code=code, limit=_MOST),
        now=world.clock(),
        broker=bool(world.settings.broker_url),
    )


@router.post("/requeue")
def requeue(
    request: Request,
    world: World,
    known: Annotated[Known, requires(Right.RUN_JOBS)],
    what: Annotated[Literal["messages", "photos"], Form()],
    queue: Annotated[str, Form()] = "",
    sure: Sure = "",
) -> Response:
    """Give back what was parked of a queue or all, or the photos whose analysis crashed."""
    expect_sure(sure)
    if what == "photos":
        count = requeue_photos(world, author=known.caller.name)
        return lead_back(request, "/jobs", "Photos that will be tried again: %(count)s.", count=count)
    count = send_again(world, queue=queue or None, author=known.caller.name)
    return lead_back(request, "/jobs", "Messages that will be sent again: %(count)s.", count=count)
