"""Families: the list, one family with its children and persons, and what became of one person's label in a run."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from pydantic import BaseModel

from facealbum.domain.access import Right
from facealbum.domain.ids import ChildId, FamilyId, PersonId, RunId
from facealbum.domain.months import Month
from facealbum.domain.people import Child, Gender
from facealbum.errors import ChangedMeanwhileError, InvalidValueError
from facealbum.steps.children import change_child
from facealbum.steps.explorer import find_families
from facealbum.steps.family_pages import MOST_WAITING, FamilyLook, look_at_family, look_at_label
from facealbum.web.api.bodies import Day
from facealbum.web.charts import Point, Series, draw_lines
from facealbum.web.languages import Language, language_of
from facealbum.web.pages.news import news_of
from facealbum.web.pages.page import lead_back, render
from facealbum.web.rights import Known, requires
from facealbum.web.world import World

router = APIRouter(include_in_schema=False)
Seer = Annotated[Known, requires(Right.SEE_FACES)]


class ChildForm(BaseModel):
    """A child as it is to be, and as whoever corrects it saw it."""

    name: str
    birth_date: Day
    gender: Gender
    was_name: str
    was_birth_date: Day
    was_gender: Gender

    def expect_seen(self, found: Child) -> None:
        """Raises ChangedMeanwhileError if somebody else corrected the child meanwhile."""
        if (found.name, found.birth_date, found.gender) != (self.was_name, self.was_birth_date, self.was_gender):
            raise ChangedMeanwhileError("somebody corrected the child meanwhile; look at it again", current={})


@router.get("/families")
def families(request: Request, known: Seer, world: World, q: str = "", after: UUID | None = None) -> Response:
    """All families by id, or those that are looked for."""
    return render(request, known, "families.html", look=find_families(world, q, after=after), asked=q.strip())


@router.get("/families/{family_id}")
def family(
    request: Request, known: Seer, world: World, family_id: UUID, until: str | None = None, after: str | None = None
) -> Response:
    """One family; until: the last month of its timeline; after: where the page of persons begins."""
    look = look_at_family(
        world, FamilyId(family_id), until=Month.parse(until) if until else None, after=_read_place(after)
    )
    said = news_of(world, request, FamilyId(family_id))
    spoken = language_of(request)
    values: dict[str, Any] = {
        "news": said,
        "titles": look.titles(),
        "charts": _draw_ages(look, spoken),
        "heads": [spoken.month(month.start().date()) for month in look.months],
        "most": MOST_WAITING,
        "genders": list(Gender),
    }
    return render(request, known, "family.html", look=look, **values)


@router.get("/families/{family_id}/labels/{run_id}/{person_id}")
def label(request: Request, known: Seer, world: World, family_id: UUID, run_id: UUID, person_id: UUID) -> Response:
    """A label that broke."""
    look = look_at_label(world, FamilyId(family_id), RunId(run_id), PersonId(person_id))
    return render(request, known, "label.html", look=look)


@router.post("/families/{family_id}/children/{child_id}", dependencies=[requires(Right.BRING)])
def correct_child(
    request: Request, world: World, family_id: UUID, child_id: UUID, form: Annotated[ChildForm, Form()]
) -> Response:
    """Correct a child; what runs linked follows at once."""
    done = change_child(
        world,
        FamilyId(family_id),
        ChildId(child_id),
        name=form.name,
        birth_date=form.birth_date,
        gender=form.gender,
        check=form.expect_seen,
    )
    return lead_back(
        request,
        f"/families/{family_id}",
        "%(name)s is corrected. Persons linked otherwise by it: %(count)s.",
        name=done.child.name,
        count=done.relinked,
    )


def _read_place(text: str | None) -> tuple[int, PersonId] | None:
    """Faces and id of the last person of the page before."""
    if not text:
        return None
    faces, _, person = text.partition(".")
    try:
        return int(faces), PersonId(UUID(person))
    except ValueError as error:
        raise InvalidValueError("after must be as the page before links to it; begin at the first page") from error


def _draw_ages(look: FamilyLook, spoken: Language) -> dict[tuple[UUID, UUID], str]:
    """How old each linked person looks beside how old the child was, by child and person."""
    drawn: dict[tuple[UUID, UUID], str] = {}
    for child in look.children:
        for row in look.links_of().get(child.child_id, ()):
            ages = look.ages(child, row["person_id"])
            lines = [
                Series(spoken.gettext("looks"), [Point(spoken.month(month), age) for month, age, _ in ages]),
                Series(spoken.gettext("is"), [Point(spoken.month(month), true) for month, _, true in ages]),
            ]
            title = spoken.say("How old the faces look, and how old %(name)s was", name=child.name)
            drawn[child.child_id, row["person_id"]] = draw_lines(title, lines, write=spoken.compact) if ages else ""
    return drawn
