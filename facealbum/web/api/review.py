"""What to ask a reviewer next, the answers, and taking the last one back.

A question's id follows from what is asked, so an answer to a question that no longer stands is refused and changes
nothing.  Each answer tells the next questions, so a client waits once for each.
"""

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from facealbum.domain.access import Right
from facealbum.domain.ids import FaceId, FamilyId
from facealbum.review import Answer, Asked, Progress
from facealbum.steps.review import (
    Asking,
    FamilyReview,
    Reply,
    answer_question,
    families_to_review,
    review_family,
    undo_answer,
)
from facealbum.storage.review import FamilyProgress
from facealbum.web.api.lists import Keys, Page, Paging
from facealbum.web.problems import responses
from facealbum.web.rights import Known, requires
from facealbum.web.world import World

router = APIRouter(tags=["review"])
_KEYS = Keys(tuple[float, UUID])
_OF_FAMILY = "/v1/families/{family_id}/review"
_FACE = "5a0c6b2e-33f5-5a43-9a7e-7a0f5f6f8a10"

Crop = Callable[[FaceId], str]


def _signed(request: Request, family_id: UUID) -> Crop:
    """The URL of each face's crop, which whoever is given it can use for an hour."""
    state, known = request.app.state, request.state.known
    now = state.context.clock()
    return lambda face: str(state.signer.url(f"/v1/families/{family_id}/faces/{face}/crop", known.caller.name, now=now))


Crops = Annotated[Crop, Depends(_signed)]


class ShownFace(BaseModel):
    """A face to look at."""

    face_id: UUID
    crop: str = Field(examples=[f"/v1/families/{_FACE}/faces/{_FACE}/crop?viewer=..."])

    @classmethod
    def all(cls, faces: tuple[FaceId, ...], crop: Crop) -> list[Self]:
        """As a question names them."""
        return [cls(face_id=face, crop=crop(face)) for face in faces]


class Called(BaseModel):
    """A person or child and how it is called, if it is."""

    id: UUID
    name: str | None = Field(examples=["Hana"])

    @classmethod
    def of(cls, one: UUID | None, name: str | None) -> Self | None:
        """None for nobody."""
        return None if one is None else cls(id=one, name=name)


class OpenQuestion(BaseModel):
    """One question; docs/review.md tells what each kind asks and what a yes and a no come to.

    `faces`: those asked about; `beside`: those to compare them with.  `settles`: how many faces an answer settles.
    """

    question_id: UUID
    kind: Asked
    person: Called
    other: Called | None = None
    child: Called | None = None
    faces: list[ShownFace]
    beside: list[ShownFace]
    chance: float = Field(examples=[0.62])
    settles: float = Field(examples=[11.4])

    @classmethod
    def of(cls, asking: Asking, crop: Crop) -> Self:
        """As a step tells it."""
        one = asking.question
        person, other, child = asking.names
        return cls(
            question_id=asking.question_id,
            kind=one.kind,
            person=Called(id=one.person, name=person),
            other=Called.of(one.other, other),
            child=Called.of(one.child, child),
            faces=ShownFace.all(one.faces, crop),
            beside=ShownFace.all(one.beside, crop),
            chance=one.chance,
            settles=one.settles,
        )


class HowFar(BaseModel):
    """How far a family is: faces, those settled, those told by users, those expected to be wrong, answers left."""

    faces: int = Field(examples=[1204])
    settled: int = Field(examples=[1101])
    told: int = Field(examples=[240])
    wrong: float = Field(examples=[17.3])
    answers: int = Field(examples=[31])

    @classmethod
    def of(cls, progress: Progress) -> Self:
        """As a step tells it."""
        return cls.model_validate(progress, from_attributes=True)


class OpenReview(BaseModel):
    """The first questions, those whose answers settle most before the others, and how far the family is."""

    items: list[OpenQuestion]
    progress: HowFar

    @classmethod
    def of(cls, review: FamilyReview, crop: Crop) -> Self:
        """As a step tells it."""
        items = [OpenQuestion.of(one, crop) for one in review.questions]
        return cls(items=items, progress=HowFar.of(review.progress))


class NewAnswer(BaseModel):
    """What a reviewer says; `wrong`: of the faces asked about, those that are not the person, none meaning all."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"answer": "no", "wrong": [_FACE]}]})

    answer: Answer
    wrong: Annotated[list[UUID], Field(max_length=50)] = []


class WaitingFamily(BaseModel):
    """A family that has questions, as it was when it was looked at last."""

    family_id: UUID
    name: str
    settles: float = Field(examples=[41.0])
    progress: HowFar
    looked_at: datetime

    @classmethod
    def of(cls, one: FamilyProgress) -> Self:
        """As a step tells it."""
        progress = HowFar.of(one.progress)
        return cls(
            family_id=one.family_id, name=one.name, settles=one.settles, progress=progress, looked_at=one.looked_at
        )


@router.get(
    "/v1/review",
    dependencies=[requires(Right.SEE_FACES)],
    responses=responses(HTTPStatus.UNPROCESSABLE_ENTITY),
    summary="Families that have questions",
)
def families(world: World, wanted: Paging) -> Page[WaitingFamily]:
    """Those first whose next answer settles most."""
    found = families_to_review(world, wanted.limit + 1, after=_KEYS.read(wanted))
    shown, after = _KEYS.page(found, wanted, lambda one: (one.settles, one.family_id))
    return Page(items=[WaitingFamily.of(one) for one in shown], next=after)


@router.get(
    _OF_FAMILY,
    dependencies=[requires(Right.SEE_FACES)],
    responses=responses(HTTPStatus.UNPROCESSABLE_ENTITY),
    summary="What to ask about a family next",
)
def ask(family_id: UUID, world: World, crops: Crops, limit: Annotated[int, Query(ge=1, le=50)] = 10) -> OpenReview:
    """The questions whose answers settle most; none before the family's first run."""
    return OpenReview.of(review_family(world, FamilyId(family_id), limit=limit), crops)


@router.post(
    _OF_FAMILY + "/undo",
    responses=responses(HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY),
    summary="Take the caller's last answer back",
)
def take_back(
    family_id: UUID, world: World, known: Annotated[Known, requires(Right.DECIDE)], crops: Crops
) -> OpenReview:
    """All that it decided is as before, and its question is asked again."""
    return OpenReview.of(undo_answer(world, FamilyId(family_id), author=known.caller.name), crops)


@router.post(
    _OF_FAMILY + "/{question_id}",
    responses=responses(HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY),
    summary="Answer a question",
)
def tell(
    family_id: UUID,
    question_id: UUID,
    new: NewAnswer,
    world: World,
    known: Annotated[Known, requires(Right.DECIDE)],
    crops: Crops,
) -> OpenReview:
    """Carry it out, and be told the next two questions."""
    reply = Reply(new.answer, tuple(FaceId(face) for face in new.wrong))
    family = FamilyId(family_id)
    return OpenReview.of(answer_question(world, family, question_id, reply, author=known.caller.name), crops)
