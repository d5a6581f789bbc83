"""The record of who did what to experiments, arms, users and tokens."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, Field

from facealbum.domain.access import Right
from facealbum.steps.users import list_audit
from facealbum.web.api.lists import Keys, Page, Paging
from facealbum.web.api.values import Shown, Text
from facealbum.web.problems import responses
from facealbum.web.rights import requires
from facealbum.web.world import World

router = APIRouter(prefix="/v1/audit", tags=["access"], dependencies=[requires(Right.MANAGE)])
_BY_NUMBER = Keys(tuple[int])


class Entry(Shown):
    """One thing that was done, by whom, and to what."""

    number: int = Field(examples=[41])
    at: AwareDatetime
    author: str = Field(examples=["user ann"])
    action: str = Field(examples=["promote"])
    subject: str = Field(examples=["arm stricter"])
    detail: dict[str, Any]


@router.get("", responses=responses(), summary="Who did what")
def list_entries(
    world: World, wanted: Paging, subject: Annotated[Text | None, Query(description="As `arm stricter`")] = None
) -> Page[Entry]:
    """List what was done, the newest first."""
    after = _BY_NUMBER.read(wanted)
    found = list_audit(world, subject=subject, before=after[0] if after else None, limit=wanted.limit + 1)
    rows, following = _BY_NUMBER.page(found, wanted, lambda one: (one.number,))
    return Page(items=[Entry.model_validate(one) for one in rows], next=following)
