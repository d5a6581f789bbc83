"""What the monthly job did with one family: where its faces were before, where they went, and why the rest waits."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from facealbum.clustering import Fate, LeaveReason, MoveReason, Origin, Outcome
from facealbum.domain.access import Right
from facealbum.domain.ids import FamilyId, RunId
from facealbum.steps.operations import look_at_change
from facealbum.web.pages.page import render
from facealbum.web.rights import Known, requires
from facealbum.web.world import World

router = APIRouter(include_in_schema=False)


@router.get("/families/{family_id}/changes")
def changes(
    request: Request,
    world: World,
    known: Annotated[Known, requires(Right.SEE_FIGURES)],
    family_id: UUID,
    run: UUID | None = None,
) -> Response:
    """The family's runs, and what one of them changed."""
    look = look_at_change(world, FamilyId(family_id), RunId(run) if run else None)
    return render(
        request,
        known,
        "changes.html",
        look=look,
        origins=list(Origin),
        fates=[*Fate, *LeaveReason],
        outcomes=list(Outcome),
        moves=list(MoveReason),
    )
