"""The page on which a reviewer answers one question after the other; it works without JavaScript.

`review.js` adds keys and loads the next question's faces ahead.  It sends the same form and is answered by the next
page at once, where a form without it is led there.
"""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel

from facealbum.domain.access import Right
from facealbum.domain.ids import FaceId, FamilyId
from facealbum.errors import ChangedMeanwhileError, ContradictionError, UndoError
from facealbum.review import Answer
from facealbum.steps.context import Context
from facealbum.steps.families import family_name
from facealbum.steps.review import (
    FamilyReview,
    Reply,
    answer_question,
    forget_answer,
    note_answer,
    review_family,
    undo_answer,
)
from facealbum.web.pages.page import lead_back, render
from facealbum.web.rights import Known, requires
from facealbum.web.world import World

router = APIRouter(include_in_schema=False, prefix="/families/{family_id}/review")
_SHOWN = 2  # the question, and the one whose faces are loaded ahead


@router.get("")
def show(
    request: Request, family_id: UUID, world: World, known: Annotated[Known, requires(Right.SEE_FACES)]
) -> Response:
    """The question whose answer settles most."""
    review = review_family(world, FamilyId(family_id), limit=_SHOWN)
    return _page(request, known, world, FamilyId(family_id), review)


class Said(BaseModel):
    """The form: an answer to a question, or without either that the last answer is to be taken back."""

    question: UUID | None = None
    answer: Answer | None = None
    wrong: list[UUID] = []

    def reply(self, answer: Answer) -> Reply:
        """With faces marked, a yes is about the others; who can't tell marks nothing."""
        if answer is Answer.UNSURE or not self.wrong:
            return Reply(answer)
        return Reply(Answer.NO, tuple(FaceId(face) for face in self.wrong))


@router.post("")
def answer(
    request: Request,
    family_id: UUID,
    world: World,
    known: Annotated[Known, requires(Right.DECIDE)],
    said: Annotated[Said, Form()],
) -> Response:
    """Carry out what was said."""
    family, author = FamilyId(family_id), known.caller.name
    try:
        if request.headers.get("x-requested-with") == "fetch":
            return _page(request, known, world, family, _say_and_ask(world, family, said, author))
        _say(world, family, said, author)
        return RedirectResponse(request.url.path, HTTPStatus.SEE_OTHER)
    except ChangedMeanwhileError:
        return lead_back(request, request.url.path, "Somebody changed this meanwhile. Here is what to ask now.")
    except ContradictionError:
        return lead_back(request, request.url.path, "Earlier decisions say otherwise, so nothing was done.")
    except UndoError:
        return lead_back(request, request.url.path, "There is no answer of yours that could be taken back now.")


def _say(world: Context, family: FamilyId, said: Said, author: str) -> None:
    """Carry it out; the page to which the browser is led asks what is next."""
    if said.question is None or said.answer is None:
        forget_answer(world, family, author=author)
    else:
        note_answer(world, family, said.question, said.reply(said.answer), author=author)


def _say_and_ask(world: Context, family: FamilyId, said: Said, author: str) -> FamilyReview:
    if said.question is None or said.answer is None:
        return undo_answer(world, family, author=author, limit=_SHOWN)
    return answer_question(world, family, said.question, said.reply(said.answer), author=author, limit=_SHOWN)


def _page(request: Request, known: Known, world: World, family: FamilyId, review: FamilyReview) -> Response:
    first, following = (*review.questions, None, None)[:2]
    return render(
        request,
        known,
        "review.html",
        family=family,
        name=family_name(world, family),
        progress=review.progress,
        asking=first,
        ahead=(*following.question.faces, *following.question.beside) if following else (),
    )
