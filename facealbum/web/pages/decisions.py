"""Deciding, undoing, and who said what when.

A form is one decision, with what its author saw; it is answered by 303 to the page that it came from, which tells of
it.  What can't be done changes nothing: the selection comes back as it is now, with what stands in the way.
"""

from collections import Counter
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, Field, field_validator

from facealbum.corrections import Request as Wish
from facealbum.domain.access import Right
from facealbum.domain.decisions import Kind
from facealbum.domain.ids import ChildId, FaceId, FamilyId, PersonId
from facealbum.domain.people import Gender
from facealbum.errors import (
    ChangedMeanwhileError,
    ContradictionError,
    FacealbumError,
    FamilyBusyError,
    InvalidValueError,
    UndoError,
)
from facealbum.steps.context import Context
from facealbum.steps.correct import decide_by_ids, latest_decisions, undo_by_id
from facealbum.steps.family_pages import look_at_faces
from facealbum.storage.seen import Seen, SeenPerson
from facealbum.web.pages.news import news_of, our_page, with_news
from facealbum.web.pages.page import render
from facealbum.web.problems import problem_of
from facealbum.web.rights import Known, requires
from facealbum.web.world import World

router = APIRouter(prefix="/families/{family_id}/decisions", include_in_schema=False)
Seer = Annotated[Known, requires(Right.SEE_FACES)]
Decider = Annotated[Known, requires(Right.DECIDE)]
_A_PAGE, _LATEST = 30, 5
_LONGEST = 100  # characters of a name, as the forms have it
_REFUSALS = (InvalidValueError, ContradictionError, ChangedMeanwhileError, UndoError, FamilyBusyError)


class Sent(BaseModel):
    """A form.  face: `FACE:PERSON` of each selected face, as it was seen.  was_…: how the person was seen."""

    kind: Kind
    back: str | None = None
    face: list[str] = []
    person: PersonId | None = None
    other: PersonId | None = None
    child: ChildId | None = None
    name: str | None = Field(default=None, max_length=_LONGEST)
    age: float | None = None
    gender: Gender | None = None
    was_name: str | None = None
    was_child: ChildId | None = None

    @field_validator("*", mode="before")
    @classmethod
    def _given(cls, value: object) -> object:
        """What is left empty is not given."""
        return (value.strip() or None) if isinstance(value, str) else value

    def faces(self) -> dict[FaceId, PersonId | None]:
        """The selected faces, and whose each was; raises InvalidValueError."""
        found: dict[FaceId, PersonId | None] = {}
        for one in self.face:
            face, _, person = one.partition(":")
            try:
                found[FaceId(UUID(face))] = PersonId(UUID(person)) if person else None
            except ValueError as error:
                raise InvalidValueError("a selected face must be FACE:PERSON; load the page again") from error
        return found

    def seen(self) -> Seen:
        """What its author saw."""
        persons = {self.person: SeenPerson(self.was_name, self.was_child)} if self.person else {}
        return Seen(self.faces(), persons)

    def wish(self) -> Wish:
        """What its author says; raises InvalidValueError if something is not selected or chosen."""
        return self._of_person(self.person) if self.person else self._of_faces(tuple(self.faces()))

    def _of_person(self, person: PersonId) -> Wish:
        match self.kind:
            case Kind.MERGE | Kind.DIFFERENT:
                return Wish(self.kind, person=person, other=self._other())
            case Kind.LINK | Kind.UNLINK:
                return Wish(self.kind, person=person, child=self.child)
            case _:
                return Wish(self.kind, person=person, name=self.name if self.kind is Kind.NAME else None)

    def _of_faces(self, faces: tuple[FaceId, ...]) -> Wish:
        if not faces:
            raise InvalidValueError("select faces first")
        match self.kind:
            case Kind.MOVE:
                holder, other = self._holder(), self._other()
                return Wish(self.kind, faces, holder, other) if holder else Wish(Kind.CONFIRM, faces, other)
            case Kind.CONFIRM | Kind.REJECT | Kind.SPLIT:
                return Wish(self.kind, faces, self._holder())
            case Kind.AGE:
                return Wish(self.kind, faces, age=self.age)
            case Kind.GENDER:
                return Wish(self.kind, faces, gender=self.gender)
            case _:
                return Wish(self.kind, faces)

    def _holder(self) -> PersonId | None:
        """Whose all of the faces were."""
        whose = set(self.faces().values())
        if len(whose) > 1:
            raise InvalidValueError("select faces of one person at a time")
        return next(iter(whose))

    def _other(self) -> PersonId:
        if self.other is None:
            raise InvalidValueError("choose a person first")
        return self.other


@router.get("")
def decisions(request: Request, known: Seer, world: World, family_id: UUID, before: int | None = None) -> Response:
    """Who said what when, newest first."""
    family = FamilyId(family_id)
    found = latest_decisions(world, family, limit=_A_PAGE + 1, before=before)
    look = look_at_faces(world, family, [])
    values: dict[str, Any] = {
        "news": news_of(world, request, family),
        "titles": look.titles(),
        "decisions": found[:_A_PAGE],
        "more": found[_A_PAGE - 1].number if len(found) > _A_PAGE else None,
        "moves": {one.number: Counter((moved.before, moved.after) for moved in one.moved) for one in found},
    }
    return render(request, known, "decisions.html", look=look, **values)


@router.post("")
def decide(request: Request, known: Decider, world: World, family_id: UUID, sent: Annotated[Sent, Form()]) -> Response:
    """Record one decision and carry it out."""
    family = FamilyId(family_id)
    try:
        decided = decide_by_ids(world, family, sent.wish(), author=known.caller.name, seen=sent.seen())
    except _REFUSALS as error:
        return _refused(request, known, family, error, sent=sent)
    return RedirectResponse(with_news(sent.back or "/", decided=decided.number), HTTPStatus.SEE_OTHER)


@router.post("/{number}/undo")
def undo(
    request: Request, known: Decider, world: World, family_id: UUID, number: int, back: Annotated[str, Form()] = "/"
) -> Response:
    """Take a decision back."""
    try:
        undo_by_id(world, FamilyId(family_id), number, author=known.caller.name)
    except _REFUSALS as error:
        return _refused(request, known, FamilyId(family_id), error, back=back)
    return RedirectResponse(with_news(back, undone=number), HTTPStatus.SEE_OTHER)


def _refused(
    request: Request,
    known: Known,
    family: FamilyId,
    error: FacealbumError,
    *,
    sent: Sent | None = None,
    back: str = "/",
) -> Response:
    """What stands in the way, and the same selection as it is now; nothing was changed."""
    world: Context = request.app.state.context
    numbers = getattr(error, "numbers", None)
    try:
        faces = list(sent.faces()) if sent else []
    except InvalidValueError:
        faces = []
    look = look_at_faces(world, family, faces)
    holders = {face.person_id for face in look.faces}
    holder = next((one for one in look.choices if holders == {one.person_id}), None)
    problem = problem_of(error)
    current = error.current.get("persons", {}) if isinstance(error, ChangedMeanwhileError) else {}
    return render(
        request,
        known,
        "refused.html",
        status=problem.status,
        problem=problem,
        look=look,
        titles=look.titles(),
        decisions=latest_decisions(world, family, limit=_LATEST, numbers=numbers or None),
        sent=sent,
        selected=set(faces),
        holder=holder,
        back=our_page((sent.back or "/") if sent else back),
        current=current.get(str(sent.person)) if sent and isinstance(current, dict) else None,
    )
