"""One person's faces, and those of nobody, to look at and to correct."""

from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import AwareDatetime, TypeAdapter

from facealbum.domain.access import Right
from facealbum.domain.ids import FaceId, FamilyId, PersonId, PhotoId
from facealbum.domain.months import Month
from facealbum.errors import InvalidValueError
from facealbum.linking import INPUTS
from facealbum.steps.correct import latest_decisions
from facealbum.steps.family_pages import (
    MergedPerson,
    look_at_faces,
    look_at_person,
    look_at_photo,
    look_at_waiting,
    pictures_of,
)
from facealbum.steps.link_inputs import find_link
from facealbum.steps.suggestions import similar_persons, suggest_split
from facealbum.storage.shown_faces import Place
from facealbum.web.pages.news import news_of
from facealbum.web.pages.page import render
from facealbum.web.rights import Known, requires
from facealbum.web.world import World

router = APIRouter(prefix="/families/{family_id}", include_in_schema=False)
Seer = Annotated[Known, requires(Right.SEE_FACES)]
_DECISIONS, _SIMILAR = 10, 8
_LEAVE, _STAY = 300, 24
_FIRST = UUID(int=0)
_AWARE = TypeAdapter(AwareDatetime)


@router.get("/persons/{person_id}")
def person(
    request: Request,
    known: Seer,
    world: World,
    family_id: UUID,
    person_id: UUID,
    until: str | None = None,
) -> Response:
    """A person's faces up to this month or place; one who was merged away leads to who it is."""
    family, who = FamilyId(family_id), PersonId(person_id)
    look = look_at_person(world, family, who, before=_read_place(until))
    if isinstance(look, MergedPerson):
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"/families/{family}/persons/{look.person_id}{query}", HTTPStatus.SEE_OTHER)
    decisions = latest_decisions(world, family, limit=_DECISIONS, person=who)
    said = news_of(world, request, family)
    link = find_link(world, family, who)
    values: dict[str, Any] = {"decisions": decisions, "link": link, "inputs": INPUTS}
    return render(request, known, "person.html", look=look, titles=look.titles(), news=said, **values)


@router.get("/persons/{person_id}/suggestions")
def suggestions(request: Request, known: Seer, world: World, family_id: UUID, person_id: UUID) -> Response:
    """Who may be the same person, and how the person would fall into two; both read its faces anew."""
    family, who = FamilyId(family_id), PersonId(person_id)
    look = look_at_person(world, family, who)
    if isinstance(look, MergedPerson):
        return RedirectResponse(f"/families/{family}/persons/{look.person_id}/suggestions", HTTPStatus.SEE_OTHER)
    similar = similar_persons(world, family, who, limit=_SIMILAR)
    split = suggest_split(world, family, who)
    values: dict[str, Any] = {
        "similar": similar,
        "pictures": pictures_of(world, family, [one.person.person_id for one in similar]),
        "split": split,
        "leaves": look_at_faces(world, family, split.leaves[:_LEAVE]).faces,
        "stays": look_at_faces(world, family, split.stays[:_STAY]).faces,
    }
    said = news_of(world, request, family)
    return render(request, known, "suggestions.html", look=look, titles=look.titles(), news=said, **values)


@router.get("/waiting")
def waiting(request: Request, known: Seer, world: World, family_id: UUID, until: str | None = None) -> Response:
    """Faces that have no person."""
    look = look_at_waiting(world, FamilyId(family_id), before=_read_place(until))
    said = news_of(world, request, FamilyId(family_id))
    return render(request, known, "waiting.html", look=look, titles=look.titles(), news=said)


@router.get("/photos/{photo_id}")
def photo(request: Request, known: Seer, world: World, family_id: UUID, photo_id: UUID) -> Response:
    """A photo with its faces, and why each is where it is."""
    look = look_at_photo(world, FamilyId(family_id), PhotoId(photo_id))
    said = news_of(world, request, FamilyId(family_id))
    return render(request, known, "photo.html", look=look, titles=look.titles(), news=said)


def _read_place(text: str | None) -> Place | None:
    """Where a page of faces begins: `2026-10` for the end of a month, or `MOMENT~FACE` behind this face."""
    if not text:
        return None
    moment, apart, face = text.partition("~")
    if not apart:
        return Place(Month.parse(text).next().start(), FaceId(_FIRST))
    try:
        return Place(_AWARE.validate_python(moment), FaceId(UUID(face)))
    except ValueError as error:
        raise InvalidValueError("until must be as the page before links to it; begin at the first page") from error
