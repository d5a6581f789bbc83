"""What users decide about faces and persons: said once, kept for ever, and taken back by deleting.

An answer tells whose person each face became, so a client need not ask again.  Whoever sends what was `seen` is
refused where somebody else has changed that meanwhile, and nothing is done.
"""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Body
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from facealbum.corrections import Change, Correction, Request
from facealbum.domain.access import Right
from facealbum.domain.decisions import Kind
from facealbum.domain.ids import ChildId, FaceId, FamilyId, PersonId
from facealbum.domain.people import Gender
from facealbum.steps.correct import decide_by_ids, decision_by_number, latest_decisions, undo_by_id
from facealbum.storage.seen import Seen, SeenPerson
from facealbum.web.api.lists import Keys, Page, Paging
from facealbum.web.problems import responses
from facealbum.web.rights import Known, requires
from facealbum.web.world import World

router = APIRouter(prefix="/v1/families/{family_id}/decisions", tags=["decisions"])
_KEYS = Keys(tuple[int])
_MOST_FACES = 1000
_FACE, _PERSON = "5a0c6b2e-33f5-5a43-9a7e-7a0f5f6f8a10", "0d8f0a36-6d0c-5a0b-8f61-5b7d0f2b7c11"
_ROW = TypeAdapter[Any](Any)

What = Literal["person", "place", "link", "not_a_face", "fact"]


class SaidPerson(BaseModel):
    """How a person was shown: its name, and the child that it was linked to."""

    name: str | None = None
    child: UUID | None = None


class SaidSeen(BaseModel):
    """What was shown to whoever decides: each face's person, null for nobody; and persons."""

    faces: dict[UUID, UUID | None] = Field(default={}, max_length=_MOST_FACES)
    persons: dict[UUID, SaidPerson] = Field(default={}, max_length=_MOST_FACES)

    def of(self) -> Seen:
        """As a step takes it."""
        return Seen(
            {FaceId(face): None if who is None else PersonId(who) for face, who in self.faces.items()},
            {
                PersonId(who): SeenPerson(one.name, None if one.child is None else ChildId(one.child))
                for who, one in self.persons.items()
            },
        )


class NewDecision(BaseModel):
    """What a user says; what each kind needs is told in docs/decisions.md.

    `age`: in years when the photo was taken.  `age` and `gender` without a value: the models are wrong.
    """

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    faces: Annotated[list[UUID], Field(max_length=_MOST_FACES)] = []
    person: UUID | None = None
    other: UUID | None = None
    child: UUID | None = None
    name: str | None = Field(default=None, max_length=200)
    age: float | None = None
    gender: Gender | None = None
    seen: SaidSeen | None = None

    def request(self) -> Request:
        """As corrections take it; raises InvalidValueError for what the kind doesn't need, or lacks."""
        return Request(
            self.kind,
            tuple(FaceId(face) for face in self.faces),
            None if self.person is None else PersonId(self.person),
            None if self.other is None else PersonId(self.other),
            None if self.child is None else ChildId(self.child),
            self.name,
            self.age,
            self.gender,
        )


class MovedFace(BaseModel):
    """A face whose person changes; null for nobody's."""

    model_config = ConfigDict(from_attributes=True)

    face_id: UUID
    before: UUID | None
    after: UUID | None


class Decision(BaseModel):
    """A decision, and what it, or taking it back, changes or changed.

    `changed`: rows.  `moved`: faces whose person changes.  `faces_left`: faces that wait now and had a person before.
    `faces_gone`: faces it names that are no longer there.  `holds`: whether it still says anything.
    """

    model_config = ConfigDict(from_attributes=True)

    number: int = Field(examples=[12])
    kind: Kind
    author: str = Field(examples=["user ann"])
    decided_at: datetime
    faces: list[UUID]
    person: UUID | None
    other: UUID | None
    child: UUID | None
    name: str | None
    age: float | None
    gender: Gender | None
    new_person: UUID | None
    changed: int = Field(examples=[1])
    moved: list[MovedFace]
    faces_left: int = Field(examples=[0])
    faces_gone: int = Field(examples=[0])
    holds: bool
    undone_at: datetime | None
    undone_by: str | None


class ChangedRow(BaseModel):
    """A row before and after; null where there is none.  `id`: of the person or face; `arm_id`: of a place."""

    what: What
    id: UUID
    arm_id: int | None = None
    before: Any
    after: Any

    @classmethod
    def of(cls, what: What, change: Change[Any, Any]) -> Self:
        """As corrections tell it; a place is told by arm and face, a fact by face and kind."""
        before, after = (_ROW.dump_python(row, mode="json") for row in (change.before, change.after))
        if what == "place":
            return cls(what=what, id=change.key[1], arm_id=change.key[0], before=before, after=after)
        return cls(what=what, id=change.key[0] if what == "fact" else change.key, before=before, after=after)


class WholeDecision(Decision):
    """A decision with every row that it changed."""

    rows: list[ChangedRow]


_EXAMPLES: Any = {
    "reject": {"summary": "Not this person", "value": {"kind": "reject", "faces": [_FACE], "person": _PERSON}},
    "name": {"summary": "Call a person", "value": {"kind": "name", "person": _PERSON, "name": "Hana"}},
    "age": {"summary": "An age that the models got wrong", "value": {"kind": "age", "faces": [_FACE], "age": 3}},
    "seen": {
        "summary": "Refused if somebody else has moved the face meanwhile",
        "value": {
            "kind": "confirm",
            "faces": [_FACE],
            "person": _PERSON,
            "seen": {"faces": {_FACE: None}, "persons": {_PERSON: {"name": "Hana"}}},
        },
    },
}


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    responses=responses(HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY),
    summary="Say what is right",
)
def decide(
    family_id: UUID,
    said: Annotated[NewDecision, Body(openapi_examples=_EXAMPLES)],
    world: World,
    known: Annotated[Known, requires(Right.DECIDE)],
) -> Decision:
    """Decide, at once and for every later run.

    409 `contradiction` names earlier decisions that say otherwise in `numbers`; 409 `changed_meanwhile` tells in
    `current` how what was `seen` is now.
    """
    seen = None if said.seen is None else said.seen.of()
    done = decide_by_ids(world, FamilyId(family_id), said.request(), author=known.caller.name, seen=seen)
    return Decision.model_validate(done)


@router.get(
    "",
    dependencies=[requires(Right.SEE_FACES)],
    responses=responses(HTTPStatus.UNPROCESSABLE_ENTITY),
    summary="Decisions",
)
def list_all(family_id: UUID, world: World, paging: Paging) -> Page[Decision]:
    """Every decision, the newest first; those that were taken back, too."""
    after = _KEYS.read(paging)
    before = None if after is None else after[0]
    found = latest_decisions(world, FamilyId(family_id), limit=paging.limit + 1, before=before)
    some, following = _KEYS.page(found, paging, lambda one: (one.number,))
    return Page(items=[Decision.model_validate(one) for one in some], next=following)


@router.get(
    "/{number}",
    dependencies=[requires(Right.SEE_FACES)],
    responses=responses(HTTPStatus.UNPROCESSABLE_ENTITY),
    summary="A decision",
)
def show(family_id: UUID, number: int, world: World) -> WholeDecision:
    """A decision with every row that it changed, before and after."""
    decided, correction = decision_by_number(world, FamilyId(family_id), number)
    told = Decision.model_validate(decided).model_dump()
    return WholeDecision(**told, rows=_rows(correction))


@router.delete(
    "/{number}",
    responses=responses(HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY),
    summary="Take a decision back",
)
def take_back(family_id: UUID, number: int, world: World, known: Annotated[Known, requires(Right.DECIDE)]) -> Decision:
    """Take a decision back: everything that it changed is as it was before.

    409 `undo` if somebody has done so, or later decisions build on it, which `numbers` names.
    """
    return Decision.model_validate(undo_by_id(world, FamilyId(family_id), number, author=known.caller.name))


def _rows(correction: Correction) -> list[ChangedRow]:
    parts: tuple[tuple[What, tuple[Change[Any, Any], ...]], ...] = (
        ("person", correction.persons),
        ("place", correction.places),
        ("link", correction.links),
        ("not_a_face", correction.excluded),
        ("fact", correction.facts),
    )
    return [ChangedRow.of(what, change) for what, changes in parts for change in changes]
